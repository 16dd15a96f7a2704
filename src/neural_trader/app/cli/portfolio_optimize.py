"""``neural-trader portfolio optimize``: weights by a method of portfolio choice."""

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from neural_trader.core import ConfigError, unknown_symbol

if TYPE_CHECKING:
    from neural_trader.data import Returns
    from neural_trader.portfolio.optimizers import Allocation

METHODS: Final = (
    "min-variance",
    "max-sharpe",
    "mean-variance",
    "risk-parity",
    "hrp",
    "black-litterman",
)
COVARIANCES: Final = ("sample", "ewma", "ledoit-wolf", "oas")
_SHOWN_MIN: Final = 5e-5


class _Method(click.ParamType[str]):
    """The name of a method; which there are is known when it is missing, too."""

    name = "METHOD"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002
        return f"Choose from: {', '.join(METHODS)}"


@click.command(short_help="Find the weights of a portfolio.")
@click.option(
    "--method", required=True, type=_Method(), metavar="METHOD", help=f"{', '.join(METHODS)}."
)
@click.option("--returns", "returns_path", metavar="FILE", help="CSV or Parquet: date, series...")
@click.option("--data", "data", metavar="NAME|PATH", help="Bars, whose closes make the returns.")
@click.option("--symbols", help="Comma-separated series; all by default.")
@click.option("--start", metavar="DATE", help="With --data: first session.")
@click.option("--end", metavar="DATE", help="With --data: last session, inclusive.")
@click.option(
    "--covariance",
    default="sample",
    show_default=True,
    metavar="NAME",
    help=f"{', '.join(COVARIANCES)}.",
)
@click.option("--half-life", type=float, help="Of ewma, in periods.  [default: 63]")
@click.option("--min-weight", type=float, default=0.0, show_default=True, help="Of every series.")
@click.option("--max-weight", type=float, help="Of every series.  [default: none]")
@click.option("--groups", "groups_path", metavar="FILE.toml", help="Bounds of groups of series.")
@click.option(
    "--views", "views_path", metavar="FILE.toml", help="black-litterman: market and views."
)
@click.option("--risk-free", type=float, default=0.0, show_default=True, help="Annual rate.")
@click.option("--risk-aversion", type=float, help="mean-variance: of variance.  [default: 2.5]")
@click.option("--target-return", type=float, help="mean-variance instead: expected, a year.")
@click.option("--periods", type=float, help="Periods a year.  [default: from the times]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def optimize(**options: Any) -> None:  # noqa: ANN401 - click passes what it parsed
    """Find weights that add up to 1, long only by default; docs/optimizers.md has the methods."""
    if options["method"] not in METHODS:
        message = f"--method is {options['method']!r}; the methods are {', '.join(METHODS)}"
        raise ConfigError(message)
    returns = _read(options)
    found = _optimize(returns, options)
    if options["as_json"]:
        click.echo(json.dumps(_plain(found, returns, options), indent=2))
    else:
        _print(found, returns)


def _optimize(returns: "Returns", options: dict[str, Any]) -> "Allocation":
    from neural_trader.portfolio.optimizers import (
        Constraints,
        estimate_moments,
        optimize,
        read_groups,
        read_views,
    )

    if options["half_life"] is not None and options["covariance"] != "ewma":
        message = f"--half-life is for ewma, not for {options['covariance']}; leave it out"
        raise ConfigError(message)
    is_bayes = options["method"] == "black-litterman"
    if is_bayes and options["views_path"] is None:
        message = "black-litterman needs --views FILE.toml: the market's weights, and views if any"
        raise ConfigError(message)
    if options["views_path"] is not None and not is_bayes:
        message = f"--views is for black-litterman, not for {options['method']}; leave it out"
        raise ConfigError(message)
    views = read_views(options["views_path"]) if options["views_path"] else None
    groups = read_groups(options["groups_path"]) if options["groups_path"] else ()
    most = math.inf if options["max_weight"] is None else options["max_weight"]
    half_life = {} if options["half_life"] is None else {"half_life": options["half_life"]}
    moments = estimate_moments(
        returns.table,
        series=returns.series,
        covariance=options["covariance"],
        risk_free=options["risk_free"],
        ts_close_ns=returns.ts_close_ns,
        periods=options["periods"],
        **half_life,
    )
    return optimize(
        moments,
        options["method"],
        constraints=Constraints(options["min_weight"], most, groups),
        views=views,
        risk_aversion=options["risk_aversion"],
        target_return=options["target_return"],
    )


def _read(options: dict[str, Any]) -> "Returns":
    from neural_trader.data import load, load_returns, returns_of

    if (options["returns_path"] is None) == (options["data"] is None):
        message = "give either --returns FILE, or --data NAME|PATH whose closes make the returns"
        raise ConfigError(message)
    if options["data"] is not None:
        bars = load(options["data"], start=options["start"], end=options["end"])
        return returns_of(bars, _wanted(options["symbols"], bars.symbols, bars.name))
    if options["start"] or options["end"]:
        message = "--start and --end go with --data; cut the file of returns itself"
        raise ConfigError(message)
    returns = load_returns(options["returns_path"])
    wanted = _wanted(options["symbols"], returns.series, returns.name)
    columns = [returns.series.index(name) for name in wanted]
    return returns._replace(series=wanted, table=returns.table[:, columns])


def _wanted(names: str | None, known: tuple[str, ...], where: str) -> tuple[str, ...]:
    if names is None:
        return known
    wanted = tuple(name.strip() for name in names.split(","))
    for name in wanted:
        if name not in known:
            raise ConfigError("--symbols: " + unknown_symbol(name, known, where=where))
    if len(set(wanted)) < len(wanted):
        message = f"--symbols is {names!r}; expected each symbol once"
        raise ConfigError(message)
    return wanted


def _plain(found: "Allocation", returns: "Returns", options: dict[str, Any]) -> dict[str, Any]:
    """Return figures as JSON can hold them; one that is undefined is null."""
    from neural_trader.core.sessions import session_date
    from neural_trader.core.version import VERSION

    plain: dict[str, Any] = {
        "method": found.method,
        "weights": found.as_dict(),
        "expected_return": found.expected_return,
        "volatility": found.volatility,
        "sharpe": found.sharpe if math.isfinite(found.sharpe) else None,
        "risk_contributions": _by_name(found, found.contributions),
        "residual": found.residual,
        "notes": list(found.notes),
        "conventions": found.conventions,
    }
    if found.posterior is not None:
        plain["market_weights"] = _by_name(found, found.posterior.market)
        plain["prior_returns"] = _by_name(found, found.posterior.prior)
        plain["posterior_returns"] = _by_name(found, found.posterior.expected)
    files = {name: options[f"{name}_path"] for name in ("views", "groups")}
    kept = ("covariance", "half_life", "min_weight", "max_weight", "risk_free", "risk_aversion")
    plain["provenance"] = {
        "data": returns.name,
        "sha256": returns.sha256,
        "labels": list(returns.labels),
        "from": str(session_date(int(returns.ts_close_ns[0]))),
        "to": str(session_date(int(returns.ts_close_ns[-1]))),
        "observations": len(returns.ts_close_ns),
        "options": {name: options[name] for name in (*kept, "target_return", "periods")},
        "files": {name: _digest(path) for name, path in files.items() if path},
        "version": VERSION,
    }
    return plain


def _digest(path: str) -> dict[str, str]:
    return {"path": path, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


def _by_name(found: "Allocation", values: Any) -> dict[str, float | None]:  # noqa: ANN401 - an array
    pairs = zip(found.series, values.tolist(), strict=True)
    return {name: value if math.isfinite(value) else None for name, value in pairs}


def _print(found: "Allocation", returns: "Returns") -> None:
    """Print the weights and where the risk comes from."""
    from rich.console import Console
    from rich.table import Table

    from neural_trader.core.sessions import session_date

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("symbol")
    columns = {"weight": found.weights, "risk contribution": found.contributions}
    if found.posterior is not None:
        columns |= {
            "market": found.posterior.market,
            "prior": found.posterior.prior,
            "posterior": found.posterior.expected,
        }
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    shown = [at for at, weight in enumerate(found.weights) if abs(weight) >= _SHOWN_MIN]
    for at in shown:
        table.add_row(found.series[at], *(_percent(values[at]) for values in columns.values()))
    console = Console()
    console.print(table)
    if len(shown) < len(found.series):
        left = len(found.series) - len(shown)
        console.print(f"{left} more at 0: --json lists all", style="dim", highlight=False)
    ratio = "n/a" if math.isnan(found.sharpe) else f"{found.sharpe:.3f}"
    console.print(
        f"\nexpected return {_percent(found.expected_return)}, volatility "
        f"{_percent(found.volatility)}, Sharpe {ratio}: a year, by these estimates, before costs",
        highlight=False,
    )
    first, last = (session_date(int(returns.ts_close_ns[at])) for at in (0, -1))
    count = len(returns.ts_close_ns)
    console.print(f"{returns.name}: {count:,} periods from {first} to {last}", highlight=False)
    for name, words in found.conventions.items():
        console.print(f"{name}: {words}", highlight=False, style="dim")
    for note in found.notes:
        console.print(f"note: {note}", highlight=False)
    if "survivors" in returns.labels:
        console.print("survivors: these symbols are known today because they lasted")


def _percent(value: float) -> str:
    return f"{value * 100:,.2f} %" if math.isfinite(value) else "n/a"
