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
