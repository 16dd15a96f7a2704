"""``neural-trader portfolio``: what returns come to."""

import json
import math
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.app.cli.portfolio_optimize import optimize
from neural_trader.core import ConfigError

if TYPE_CHECKING:
    from neural_trader.data import Returns
    from neural_trader.portfolio import Performance

_HEADLINES: Final = ("cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "es")
_COUNTS: Final = frozenset({"drawdown_duration", "recovery", "min_track_record"})
_PERCENT: Final = frozenset(
    {"total_return", "cagr", "mean", "volatility", "downside_deviation", "best", "worst"}
    | {"hit_rate", "expectancy", "max_drawdown", "average_drawdown", "ulcer", "pain", "var"}
    | {"es", "cdar", "alpha", "tracking_error", "m2", "psr"}
)


@click.group()
def portfolio() -> None:
    """Measure returns, and choose weights."""


portfolio.add_command(optimize)


@portfolio.command(short_help="Compute the performance metrics of returns.")
@click.option("--returns", "returns_path", metavar="FILE", help="CSV or Parquet: date, series...")
@click.option("--data", "data", metavar="NAME|PATH", help="Bars, whose closes make the returns.")
@click.option("--symbols", help="Comma-separated series; all by default.")
@click.option("--benchmark", metavar="SYMBOL", help="One of the series: the others against it.")
@click.option("--start", metavar="DATE", help="With --data: first session.")
@click.option("--end", metavar="DATE", help="With --data: last session, inclusive.")
@click.option("--risk-free", type=float, default=0.0, show_default=True, help="Annual rate.")
@click.option("--mar", type=float, default=0.0, show_default=True, help="Acceptable, a period.")
@click.option("--periods", type=float, help="Periods a year.  [default: from the times]")
@click.option(
    "--confidence", type=float, default=0.95, show_default=True, help="Of VaR, ES and CDaR."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def metrics(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Compute every performance metric of every series; docs/metrics.md has the definitions."""
    from neural_trader.portfolio import measure

    returns = _read(options)
    wanted = _series(returns, options["symbols"])
    rows = [returns.series.index(name) for name in wanted]
    against = None
    if options["benchmark"]:
        place = _series(returns, options["benchmark"])
        against = returns.table[:, returns.series.index(place[0])]
    found = measure(
        returns.table[:, rows],
        series=wanted,
        ts_close_ns=returns.ts_close_ns,
        benchmark=against,
        periods=options["periods"],
        risk_free=options["risk_free"],
        mar=options["mar"],
        confidence=options["confidence"],
    )
    if options["as_json"]:
        click.echo(json.dumps(_plain(found, returns, options), indent=2))
    else:
        _print(found, returns)


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
    wanted = tuple(name.strip() for name in names.split(","))
    missing = [name for name in wanted if name not in returns.series]
    if missing:
        message = f"{returns.name} has no series {missing[0]!r}; it has {', '.join(returns.series)}"
        raise ConfigError(message)
    return wanted


def _plain(found: "Performance", returns: "Returns", options: dict[str, Any]) -> dict[str, Any]:
    """Return figures as JSON can hold them; one that is undefined is null."""
    from neural_trader.core.sessions import session_date
    from neural_trader.core.version import VERSION

    return {
        "metrics": {
            name: {
                metric: value if math.isfinite(value) else None
                for metric, value in found.of(name).items()
            }
            for name in found.series
        },
        "undefined": {name: found.undefined(name) for name in found.series},
        "conventions": found.conventions,
        "provenance": {
            "data": returns.name,
            "sha256": returns.sha256,
            "labels": list(returns.labels),
            "from": str(session_date(int(returns.ts_close_ns[0]))),
            "to": str(session_date(int(returns.ts_close_ns[-1]))),
            "observations": dict(
                zip(found.series, map(int, found.observations.tolist()), strict=True)
            ),
            "benchmark": options["benchmark"],
            "version": VERSION,
        },
    }


def _print(found: "Performance", returns: "Returns") -> None:
    """Print one series whole, or the headlines of several."""
    from rich.console import Console
    from rich.table import Table

    from neural_trader.core.sessions import session_date

    table = Table(box=None, header_style="bold", pad_edge=False)
    if len(found.series) == 1:
        (name,) = found.series
        table.add_column("metric")
        table.add_column(name, justify="right")
        table.add_column("")
        reasons = found.undefined(name)
        for metric, value in found.of(name).items():
            table.add_row(metric, _text(metric, value), reasons.get(metric, ""))
    else:
        table.add_column("series")
        for metric in _HEADLINES:
            table.add_column(metric, justify="right", no_wrap=True)
        for name in found.series:
            figures = found.of(name)
            table.add_row(name, *(_text(metric, figures[metric]) for metric in _HEADLINES))
    console = Console()
    console.print(table)
    first, last = (session_date(int(returns.ts_close_ns[at])) for at in (0, -1))
    count = len(returns.ts_close_ns)
    console.print(f"\n{returns.name}: {count:,} periods from {first} to {last}", highlight=False)
    for name, words in found.conventions.items():
        console.print(f"{name}: {words}", highlight=False, style="dim")
    if "survivors" in returns.labels:
        console.print("survivors: these symbols are known today because they lasted")
    if len(found.series) > 1:
        console.print("all metrics: --json, or one series with --symbols", style="dim")


def _text(metric: str, value: float) -> str:
    if math.isnan(value):
        return "n/a"
    if metric in _COUNTS:
        return f"{value:,.0f} periods"
    return f"{value * 100:,.2f} %" if metric in _PERCENT else f"{value:,.3f}"
