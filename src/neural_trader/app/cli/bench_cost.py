"""``neural-trader bench cost``: what the system needs, and the cheapest instance that has it."""

import math
from pathlib import Path

import click

from neural_trader.core import ConfigError


@click.command("cost", short_help="Find the cheapest instance that has what is needed.")
@click.option("--prices", metavar="FILE", help="Prices from this TOML file.  [default: ours]")
@click.option(
    "--headroom", type=float, default=2.0, show_default=True, help="Times the need; 1 or more."
)
@click.option("--input", "source", metavar="REPORT.json", help="Needs that were measured before.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the JSON to this file too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench_cost(  # noqa: PLR0917 - one parameter an option
    prices: str | None,
    headroom: float,
    source: str | None,
    rounds: int,
    output: str | None,
    as_json: bool,
) -> None:
    """Measure CPU, memory and disk, and look them up in a dated table of prices.

    A gateway takes the orders of a day; a backtest and a forecast run beside it.
    """
    # The group itself imports this module.
    from neural_trader.app.cli.bench import check_output, show_report, spinner
    from neural_trader.bench.cost import price, print_cost_report, read_needs, run_cost
    from neural_trader.bench.prices import SHIPPED, read_prices

    if not 1.0 <= headroom < math.inf:
        message = f"--headroom is {headroom}; expected 1 or more"
        raise ConfigError(message)
    table = read_prices(SHIPPED if prices is None else Path(prices))
    check_output(output)
    if source is not None:
        report = read_needs(Path(source))
    else:
        with spinner() as step:
            report = run_cost(rounds=rounds, step=step)
    show_report(price(report, table, headroom), output, print_cost_report, as_json=as_json)
