"""``nt.report``: one self-contained HTML file of a result."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from neural_trader.backtesting import Result, SweepResult
from neural_trader.core import ConfigError
from neural_trader.core.files import write_whole
from neural_trader.data import Returns
from neural_trader.forecast import Artefact
from neural_trader.reports import sections, trades
from neural_trader.reports.charts import compute_charts
from neural_trader.reports.sheet import TearSheet, tear_sheet
from neural_trader.reports.sheet_page import render_tear_sheet
from neural_trader.reports.sweep_page import render_sweep


def report(result: Result | SweepResult | Returns | TearSheet | Artefact, path: str | Path) -> Path:
    """Write a report: one HTML file under 1 MB that opens offline.

    Parameters
    ----------
    result : Result, SweepResult, Returns, TearSheet or Artefact
        From ``nt.backtest``, ``nt.load_result`` or ``nt.sweep``; or returns, of which a tear sheet
        is made, or one that ``reports.tear_sheet`` made with a benchmark and terms of its own; of a
        forecast from ``nt.forecast.train`` or ``nt.forecast.load_artefact`` its evaluation card.
    path : str or Path
        A file; its folder must exist. It is replaced only by a complete new report. A leading
        ``~`` is the user's home.

    Returns
    -------
    Path
        Where the report is.

    Raises
    ------
    ConfigError
        ``result`` is none of these.
    DataError
        The path is a folder, or its folder is missing or cannot be written to.

    Notes
    -----
    The same result gives the same bytes: a report holds no time of writing. It asks the network for
    nothing (its content policy forbids it). Charts of more than 8,400 bars show the lowest and
    highest bars of every stretch, tables the latest round trips; the page says so where it does,
    and its figures are those of the whole run.
    """
    if isinstance(result, Returns):
        result = tear_sheet(result)
    if isinstance(result, TearSheet):
        page = render_tear_sheet(result)
    elif isinstance(result, Artefact):
        from neural_trader.reports.card_page import render_card

        page = render_card(result)
    elif isinstance(result, SweepResult):
        page = render_sweep(result)
    elif isinstance(result, Result):
        page = render(result)
    else:
        message = (
            f"result is a {type(result).__name__}; expected what nt.backtest, nt.load_result, "
            "nt.sweep or nt.forecast.train returned, or returns"
        )
        raise ConfigError(message)
    path = Path(path).expanduser()
    with write_whole(path) as file:
        file.write(page.encode())
    return path


def render(result: Result) -> str:
    """Return the page of a result."""
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    charts = compute_charts(result)
    kind, symbols = result.name, " / ".join(result.symbols)
    if len(result.symbols) > _NAMED_MAX:
        symbols = f"{len(result.symbols)} symbols"
    first, last = result.provenance["first_bar"], result.provenance["last_bar"]
    return Template(text("page.html")).substitute(
        title=escape(f"{kind} {symbols}, {first} to {last}"),
        kind=escape(kind),
        symbols=escape(symbols),
        subtitle=_subtitle(result),
        cards=sections.cards(result),
        notes=sections.notes(result),
        shown=escape(_shown(charts)),
        reading=_READING_PAIRS if "z_score" in result.signals and result.trips else "",
        round_trips=trades.round_trips(result),
        calendar=trades.calendar(result),
        costs=sections.costs(result),
        trading=sections.trading(result),
        skipped=sections.skipped(result),
        metrics=sections.metrics(result),
        conventions=sections.conventions(result),
        provenance=sections.provenance(result),
        version=escape(result.provenance["version"]),
        style=text("vendor/uPlot.min.css") + text("report.css"),
        # A symbol may hold anything; "<" would let it end the script that carries the data.
        data=json.dumps(charts, separators=(",", ":")).replace("<", "\\u003c"),
        library=text("vendor/uPlot.iife.min.js"),
        script=text("report.js"),
    )


_NAMED_MAX: Final = 4
_SYMBOLS_MAX: Final = 30
_TOLD_MAX: Final = 60
_READING_PAIRS: Final = (
    '<p class="reading">A position is left when the z-score has come back. That is not yet a '
    "profit: the z-score measures the spread of a hedge ratio that moves every bar, while the "
    "units held were fixed at entry. Where the ratio moved, the score converges without the "
    "position earning; such round trips read <em>converged, but lost</em>. Long "
    "buys the first symbol and sells the second. P&amp;L at entry is what getting in cost by the "
    "close of that bar. Read P&amp;L beside z, never z alone.</p>"
)


def _shown(charts: Mapping[str, Any]) -> str:
    """Say what the charts leave out."""
    bars, trips = charts.get("bars_shown"), charts.get("trips_shown")
    words = (
        f"The charts show {bars[0]:,} of {bars[1]:,} bars, the lowest and highest of every stretch "
        "among them; every figure uses all bars."
        if bars
        else "The charts show every bar."
    )
    if trips:
        words += (
            f" Markers and profits are those of {trips[0]:,} of {trips[1]:,} round trips, the best "
            "and worst of every stretch among them."
        )
    return words


def _subtitle(result: Result) -> str:
    """Return what was run, as a list of terms."""
    config, given = result.config, result.provenance
    own = given["config"]["strategy"]
    names = ("lookback", "entry", "exit", "fast", "slow")
    rules = ", ".join(f"{name} {own[name]:g}".replace("-", "−") for name in names if name in own)
    size = f"gross {config.strategy.sizing}"
    if result.is_event_driven:
        rules = ", ".join(f"{name} {_told(value)}" for name, value in own["parameters"].items())
        size = "decided by the strategy"
    terms = {
        "Period": f"{given['first_bar']} to {given['last_bar']}, {given['bars']:,} bar"
        + ("s" if given["bars"] != 1 else ""),
        "Data": f"{given['data_name']}, {given['data_basis']} prices",
        "Rules": rules,
        "Size": f"{size}; capital {config.capital:,.0f}",
        "Costs": str(config.costs),
    }
    if len(result.symbols) > _NAMED_MAX:
        terms["Symbols"] = ", ".join(result.symbols[:_SYMBOLS_MAX])
        if len(result.symbols) > _SYMBOLS_MAX:
            terms["Symbols"] += f" and {len(result.symbols) - _SYMBOLS_MAX} more"
    return "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
        for name, value in terms.items()
        if value
    )


def _told(value: object) -> str:
    """Return a parameter on few words."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _TOLD_MAX else f"{text[:_TOLD_MAX]}…"
