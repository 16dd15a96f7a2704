"""``neural-trader portfolio``: what returns come to."""

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from neural_trader.app.cli.portfolio_optimize import optimize
from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.data import Returns
    from neural_trader.reports import TearSheet


Command = Callable[..., Any]


def _of_returns(command: Command) -> Command:
    """Add the options of a command that measures returns."""
    options = (
        click.option(
            "--returns", "returns_path", metavar="FILE", help="CSV or Parquet: date, series..."
        ),
        click.option(
            "--data", "data", metavar="NAME|PATH", help="Bars, whose closes make the returns."
        ),
        click.option("--symbols", help="Comma-separated series; all by default."),
        click.option(
            "--benchmark", metavar="SYMBOL", help="One of the series: the others against it."
        ),
        click.option("--start", metavar="DATE", help="With --data: first session."),
        click.option("--end", metavar="DATE", help="With --data: last session, inclusive."),
        click.option(
            "--risk-free", type=float, default=0.0, show_default=True, help="Annual rate."
        ),
        click.option(
            "--mar", type=float, default=0.0, show_default=True, help="Acceptable, a period."
        ),
        click.option("--periods", type=float, help="Periods a year.  [default: from the times]"),
        click.option(
            "--confidence", type=float, default=0.95, show_default=True, help="Of VaR, ES and CDaR."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def portfolio() -> None:
    """Measure returns, and choose weights."""


portfolio.add_command(optimize)


@portfolio.command(short_help="Compute the performance metrics of returns.")
@_of_returns
def metrics(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Compute every performance metric of every series; docs/metrics.md has the definitions."""
    from neural_trader.reports import print_metrics

    sheet = _measured(options)
    if options["as_json"]:
        click.echo(json.dumps(_plain(sheet), indent=2))
    else:
        print_metrics(sheet)


@portfolio.command(short_help="Write a tear sheet of returns.")
@_of_returns
@click.option("--output", required=True, metavar="FILE", help="The HTML file to write.")
def report(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Write one self-contained HTML page: figures, charts, months, years, drawdowns."""
    from neural_trader.reports import report as write

    sheet = _measured(options)
    path = write(sheet, options["output"])
    if options["as_json"]:
        click.echo(json.dumps({"report": str(path)} | _plain(sheet), indent=2))
    else:
        click.echo(f"report: {path}")


def _measured(options: dict[str, Any]) -> "TearSheet":
    from neural_trader.reports import Terms, tear_sheet

    returns = _read(options)
    return tear_sheet(
        returns,
        series=_series(returns, options["symbols"]),
        benchmark=options["benchmark"],
        terms=Terms(
            options["periods"], options["risk_free"], options["mar"], options["confidence"]
        ),
    )


def _read(options: dict[str, Any]) -> "Returns":
    from neural_trader.data import load, load_returns, returns_of

    if (options["returns_path"] is None) == (options["data"] is None):
        message = "give either --returns FILE, or --data NAME|PATH whose closes make the returns"
        raise ConfigError(message)
    if options["data"] is not None:
        return returns_of(load(options["data"], start=options["start"], end=options["end"]))
    if options["start"] or options["end"]:
        message = "--start and --end go with --data; cut the file of returns itself"
        raise ConfigError(message)
    return load_returns(options["returns_path"])


def _series(returns: "Returns", names: str | None) -> tuple[str, ...]:
    if names is None:
        return returns.series
    if names in returns.series:  # a name may hold a comma
        return (names,)
    wanted = tuple(name.strip() for name in names.split(","))
    missing = [name for name in wanted if name not in returns.series]
    if missing:
        message = f"{returns.name} has no series {missing[0]!r}; it has {', '.join(returns.series)}"
        raise ConfigError(message)
    return wanted


def _plain(sheet: "TearSheet") -> dict[str, Any]:
    """Return figures as JSON can hold them; one that is undefined is null."""
    from neural_trader.core.sessions import session_date
    from neural_trader.core.version import VERSION

    returns, found = sheet.returns, sheet.performance
    return {
        "metrics": {
            name: {
                metric: value if math.isfinite(value) else None
                for metric, value in found.of(name).items()
            }
            for name in sheet.wanted
        },
        "undefined": {name: found.undefined(name) for name in sheet.wanted},
        "conventions": found.conventions,
        "provenance": {
            "data": returns.name,
            "sha256": returns.sha256,
            "labels": list(returns.labels),
            "from": str(session_date(int(returns.ts_close_ns[0]))),
            "to": str(session_date(int(returns.ts_close_ns[-1]))),
            "observations": {
                name: int(found.observations[found.series.index(name)]) for name in sheet.wanted
            },
            "benchmark": sheet.benchmark,
            "version": VERSION,
        },
    }
