"""``neural-trader new``: files to start from."""

import json
import keyword
import re
from pathlib import Path
from string import Template

import click

from neural_trader.core import ConfigError
from neural_trader.core.files import write_whole

_STRATEGY = Template('''\
"""$kind: long while the close is above its average, flat otherwise. A place to start from.

    neural-trader backtest --strategy $file --data sp500-closes --symbols KO,PEP --start 2010-01-01
    neural-trader check lookahead $file --data sp500-closes --symbols KO,PEP
"""

import neural_trader as nt


class $kind(nt.Strategy):
    def __init__(self, lookback: int = 50, weight: float = 0.9) -> None:
        self.lookback = lookback
        self.weight = weight

    def on_start(self, ctx: nt.Context) -> None:
        # What changes during a run is set up here, so that the same object can run again.
        self.averages = {symbol: nt.indicators.SMA(self.lookback) for symbol in ctx.symbols}
        for symbol, average in self.averages.items():
            ctx.track(average, symbol)

    def on_bar(self, ctx: nt.Context) -> None:
        # Called at every close: what is ordered here works from the next bar on.
        for symbol, average in self.averages.items():
            above = ctx.close(symbol) > average.value
            if above and ctx.position(symbol) == 0:
                ctx.target_weight(symbol, self.weight / len(ctx.symbols))
            elif not above and ctx.position(symbol) > 0:
                ctx.target_qty(symbol, 0)

    def on_fill(self, ctx: nt.Context, fill: nt.Fill) -> None:
        # Called within the bar of a fill: the place to cancel an order that is pointless now.
        pass

    def on_stop(self, ctx: nt.Context) -> None:
        # Called after the last bar. What you kept in self is yours to look at afterwards.
        pass
''')


_GATEWAY = Template("""\
# The gateway's configuration: neural-trader serve --config $file
# What is not written here has the value that docs/gateway.md gives.

minor_unit = "0.01"           # the smallest unit of the money: cents

[gateway]
host = "127.0.0.1"            # beyond this machine only with cert and key (TLS)
port = 7701
journal = "journal"           # a folder beside this file
durability = "power-safe"     # or "process-safe": faster, survives kill -9 but not a power cut

[venue]
host = "127.0.0.1"
port = 7702                   # neural-trader venue
timeout_ms = 1000             # after this an order is "unknown" until the venue says more

[limits]                      # of every account; 0 turns one off; SIGHUP reads them anew
order_qty_max = "10000"       # units
order_notional_max = "250000" # money
position_qty_max = "50000"
gross_max = "1000000"
net_max = "1000000"
open_orders_max = 200
orders_per_second = 100
collar_bps = 500              # how far a limit may lie from the mark
daily_loss_max = "10000"
duplicate_window_ms = 0
mark_age_ms_max = 60000       # older quotes deny: no_reference

[[instruments]]
symbol = "KO"
tick_size = "0.01"
lot_size = "1"

[[instruments]]
symbol = "PEP"
tick_size = "0.01"
lot_size = "1"

[[accounts]]
name = "main"
cash = "100000"

$token""")


@click.group()
def new() -> None:
    """Write a file to start from."""


@new.command("strategy", short_help="Write a strategy that runs, for you to change.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def write_strategy(name: str, as_json: bool) -> None:
    """Write NAME.py: a strategy that runs as it stands. A file that is there already is kept."""
    folder, stem = Path(name).parent, Path(name).name.removesuffix(".py")
    words = [word for word in re.split(r"[^0-9A-Za-z]+", stem) if word]
    kind = "".join(word[0].upper() + word[1:] for word in words)
    if not kind.isidentifier() or keyword.iskeyword(kind):
        message = f"NAME is {name!r}; expected the name of a strategy, such as mean-reversion"
        raise ConfigError(message)
    path = folder / f"{'_'.join(words).lower()}.py"
    if path.exists():
        message = f"{path} is there already and is kept; choose another name or remove it"
        raise ConfigError(message)
    with write_whole(path) as file:
        file.write(_STRATEGY.substitute(kind=kind, file=path).encode())
    if as_json:
        click.echo(json.dumps({"path": str(path), "class": kind}, indent=2))
        return
    click.echo(
        f"{path} holds the strategy {kind}. Run it:\n"
        f"  neural-trader backtest --strategy {path} --data sp500-closes --symbols KO,PEP "
        "--start 2010-01-01"
    )


@new.command("gateway", short_help="Write a gateway.toml with every default, and a token.")
@click.argument("path", type=click.Path(path_type=Path), default=Path("gateway.toml"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def write_gateway(path: Path, as_json: bool) -> None:
    """Write a configuration that runs as it stands, and print its token to trade with.

    PATH is gateway.toml unless given. A file that is there already is kept.
    """
    from neural_trader.app.cli.token import make_token

    if path.exists():
        message = f"{path} is there already and is kept; choose another name or remove it"
        raise ConfigError(message)
    secret, section = make_token("main", "trade")
    with write_whole(path) as file:
        file.write(_GATEWAY.substitute(file=path, token=section).encode())
    if as_json:
        click.echo(json.dumps({"path": str(path), "token": secret}, indent=2))
        return
    click.echo(
        f"{path} holds account main with 100,000 of cash, KO and PEP.\n"
        f"token (keep it; it is not shown again): {secret}\n"
        f"Run it, beside a venue:\n  neural-trader venue --symbols KO,PEP\n"
        f"  neural-trader serve --config {path}"
    )
