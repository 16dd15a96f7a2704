"""``neural-trader backtest``: run a strategy over history."""

import math
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.app.cli import run_options

if TYPE_CHECKING:
    from neural_trader.backtesting import Result

# The backspace tells click to keep the lines that follow.
_HELP = """Run a strategy over history and print what it did.

\b
neural-trader backtest --strategy pairs --symbols KO,PEP \\
    --data sp500-closes --gross 20000 --fee-bps 5 --slippage-bps 5 \\
    --report pairs.html
"""

WRITTEN: Final = {"--report": "report_path", "--save": "save_path"}


@click.command(help=_HELP)
@run_options.strategy
@run_options.parameters
@run_options.data
@run_options.run
@click.option("--report", "report_path", type=click.Path(), help="Write an HTML report.")
@click.option("--save", "save_path", type=click.Path(), help="Write the result to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def backtest(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Run a strategy over history and print what it did."""
    from neural_trader.backtesting import backtest as run
    from neural_trader.strategies import StrategyFile

    chosen = run_options.read_strategy(options)
    run_options.check_paths(
        {name: options[key] for name, key in (("--data", "data"), *WRITTEN.items())}
    )
    bars = run_options.read_bars(options, chosen)
    strategy = chosen.make(run_options.read_parameters(options, chosen))
    try:
        result = run(strategy, bars, **run_options.read_run(options))
    except Exception as error:
        if isinstance(chosen, StrategyFile):
            raise chosen.blame(error) from error
        raise
    written = write_files(result, options)
    if options["as_json"]:
        print_json(result, written)
        return
    print_table(result, written)


def print_table(result: "Result", written: dict[str, str]) -> None:
    """Print the result for people."""
    from neural_trader.reports import print_result

    print_result(result)
    width = max(len(name) for name in ("final equity", *written))
    for name, value in (
        ("trades", str(result.trades)),
        ("final equity", f"{result.final_equity:,.4f}"),
        *written.items(),
    ):
        click.echo(f"{name:<{width}}  {value}")


def write_files(result: "Result", options: dict[str, Any]) -> dict[str, str]:
    """Write what was asked for, and return where it is."""
    written = {}
    if options["report_path"]:
        from neural_trader.reports import report

        written["report"] = str(report(result, options["report_path"]))
    if options["save_path"]:
        written["saved"] = str(result.save(options["save_path"]))
    return written


def print_json(result: "Result", written: dict[str, str]) -> None:
    """Print the result as one JSON object; an undefined figure is null."""
    import json

    summary = result.summary
    click.echo(
        json.dumps(
            {
                "trades": result.trades,
                "fills": result.fill_count,
                "final_equity": result.final_equity,
                "metrics": {
                    name: value if math.isfinite(value) else None
                    for name, value in summary.metrics.items()
                },
                "undefined": summary.undefined,
                "conventions": summary.conventions,
                "skipped": result.skipped,
                "notes": summary.notes,
                "provenance": result.provenance,
            }
            | written,
            indent=2,
        )
    )
