"""The page of a tear sheet: what it shows of returns, in which order and in which words."""

import json
import math
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

import numpy as np

from neural_trader.core.sessions import session_date
from neural_trader.core.version import VERSION
from neural_trader.portfolio import YEAR_NS, calendar_of_returns, find_drawdowns
from neural_trader.reports.drawings import histogram, year_bars
from neural_trader.reports.formats import cell, head, percent, table, tone
from neural_trader.reports.metric_words import SIGNED, listed, metric_text, metric_words
from neural_trader.reports.months import months
from neural_trader.reports.sheet import TearSheet
from neural_trader.reports.sheet_charts import compute_tear_sheet_charts, drawn

DETAILS_MAX: Final = 12
"""Series that have months, years, distribution and drawdowns of their own, and all metrics."""
YEARS_TOTAL: Final = 240
"""Years of all of them together, so that the page stays below 1 MB."""
ROWS_MAX: Final = 400
"""Series in the table that compares them."""
DRAWDOWNS: Final = 10

_CARDS: Final = (
    ("cagr", "total_return"),
    ("volatility", "downside_deviation"),
    ("sharpe", "psr"),
    ("sortino", "omega"),
    ("max_drawdown", "drawdown_duration"),
    ("calmar", "ulcer"),
    ("var", "es"),
    ("best", "worst"),
)
_COMPARED: Final = (
    *("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "es"),
    *("skew", "psr"),
)
_LABELS: Final = {
    "survivors": (
        "survivors: these series are known today because they lasted; figures of them are better "
        "than an investor of the time could have had"
    ),
}


def render_tear_sheet(sheet: TearSheet) -> str:
    """Return the page of a tear sheet."""
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    charts = compute_tear_sheet_charts(sheet)
    heading, period = _heading(sheet), " to ".join(_ends(sheet))
    shown = "The charts show every period."
    if "bars_shown" in charts:
        few, all_ = charts["bars_shown"]
        shown = (
            f"The charts show {few:,} of {all_:,} periods, the highest and lowest of every stretch "
            "among them; every figure uses all."
        )
    if len(drawn(sheet)) < len(sheet.series):
        shown += f" Lines are those of {len(drawn(sheet))} of {len(sheet.series):,} series."
    return Template(text("sheet.html")).substitute(
        title=escape(f"{heading}, {period}"),
        heading=escape(heading),
        terms=_terms(sheet),
        summary=_summary(sheet),
        notes="".join(f"<li>{escape(note)}</li>" for note in _notes(sheet)),
        shown=escape(shown),
        details=_details(sheet),
        metrics=_metrics(sheet),
        conventions=table(
            "Conventions",
            [(name, words, "text") for name, words in sheet.performance.conventions.items()],
        ),
        provenance=_provenance(sheet),
        version=escape(VERSION),
        style=text("vendor/uPlot.min.css") + text("report.css"),
        # A name may hold anything; "<" would let it end the script that carries the data.
        data=json.dumps(charts, separators=(",", ":")).replace("<", "\\u003c"),
        library=text("vendor/uPlot.iife.min.js"),
        script=text("report.js"),
    )


def _measured(sheet: TearSheet) -> tuple[str, ...]:
    """Return the series without the benchmark, unless there is no other."""
    return tuple(name for name in sheet.series if name != sheet.benchmark) or sheet.series


def _heading(sheet: TearSheet) -> str:
    names = _measured(sheet)
    return names[0] if len(names) == 1 else f"{len(names):,} series of {sheet.returns.name}"


def _ends(sheet: TearSheet) -> tuple[str, str]:
    stamps = sheet.returns.ts_close_ns
    return str(session_date(int(stamps[0]))), str(session_date(int(stamps[-1])))


def _terms(sheet: TearSheet) -> str:
    first, last = _ends(sheet)
    told = sheet.performance.conventions
    terms = {
        "Period": f"{first} to {last}, {len(sheet.returns.ts_close_ns):,} periods",
        "Data": sheet.returns.name,
        "Periods a year": told["periods_per_year"],
        "Risk-free": told["risk_free"],
    }
    if sheet.benchmark is not None:
        terms["Benchmark"] = sheet.benchmark
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(words)}</dd></div>"
        for name, words in terms.items()
    )


# --------------------------------------------------------------------------------- what is first
def _summary(sheet: TearSheet) -> str:
    """Return cards of a series alone, or a table that compares several."""
    parts = []
    if len(_measured(sheet)) == 1:
        figures = sheet.performance.of(_measured(sheet)[0])
        parts.append(
            '<section aria-label="Key figures"><dl class="cards">'
            + "".join(_card(sheet, figures, *names) for names in _CARDS)
            + "</dl></section>"
        )
    if len(sheet.series) > 1:
        parts.append(
            '<section aria-labelledby="compared-title"><h2 id="compared-title">Compared</h2>'
            f"{_compared(sheet)}</section>"
        )
    return "".join(parts)


def _card(sheet: TearSheet, figures: dict[str, float], name: str, beside: str) -> str:
    kind = tone(figures[name], 4) if name in SIGNED else ""
    title = _title(name) + (f", {sheet.terms.confidence * 100:g} %" if name == "var" else "")
    return (
        f'<div class="card"><dt>{escape(title)}</dt>'
        f'<dd class="figure {kind}">{escape(metric_text(name, figures[name]))}</dd>'
        f'<dd class="aside">{escape(metric_words(beside))} '
        f"{escape(metric_text(beside, figures[beside]))}</dd></div>"
    )


def _title(name: str) -> str:
    words = metric_words(name)
    return words[0].upper() + words[1:]


def _compared(sheet: TearSheet) -> str:
    shown = sheet.series[:ROWS_MAX]
    names = [*_COMPARED, *(["beta", "alpha"] if sheet.benchmark else [])]
    rows = []
    for series in shown:
        figures = sheet.performance.of(series)
        cells = [
            cell(metric_text(name, figures[name]), tone(figures[name], 4) if name in SIGNED else "")
            for name in names
        ]
        label = f"{series} (benchmark)" if series == sheet.benchmark else series
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{"".join(cells)}</tr>')
    left_out = (
        f"<p>These are the first {len(shown):,} of {len(sheet.series):,} series.</p>"
        if len(shown) < len(sheet.series)
        else ""
    )
    labels = ["series", *(metric_words(name) for name in names)]
    return (
        f'{left_out}<div class="scroll tall" tabindex="0" role="region" aria-label="Compared">'
        f"<table><caption>Compared</caption>{head(labels, {'series'})}"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _notes(sheet: TearSheet) -> list[str]:
    """Return what a reader has to know before trusting the figures."""
    notes = [_LABELS.get(label, label) for label in sheet.returns.labels]
    notes.append("returns are taken as they came: what they leave out, such as costs, is left out")
    if "default" in sheet.performance.conventions["periods_per_year"]:
        notes.append("one time does not tell how many periods make a year: give them, --periods")
    for name in _measured(sheet)[:DETAILS_MAX]:
        figures = sheet.performance.of(name)
        count = int(sheet.performance.observations[sheet.series.index(name)])
        needed = figures["min_track_record"]
        if count == 0:
            notes.append(f"{name}: no returns")
        elif math.isnan(needed):
            why = sheet.performance.undefined(name)["min_track_record"]
            notes.append(f"{name}: no record of any length would show skill: {why}")
        elif needed > count:
            notes.append(
                f"{name}: {count:,} returns are too few to say with 95 % that the true Sharpe "
                f"ratio is above zero; it would take {needed:,.0f}"
            )
    return notes


# ------------------------------------------------------------------------------------ one by one
def _details(sheet: TearSheet) -> str:
    names = _measured(sheet)
    if len(names) == 1:
        return _one(sheet, names[0])
    years = (sheet.returns.ts_close_ns[-1] - sheet.returns.ts_close_ns[0]) / YEAR_NS + 1.0
    shown = names[: min(DETAILS_MAX, max(1, int(YEARS_TOTAL / years)))]
    left_out = (
        f'<p class="aside">These are the first {len(shown)} of {len(names):,} series; choose '
        "others with --symbols.</p>"
        if len(shown) < len(names)
        else ""
    )
    parts = "".join(
        f'<details class="one"{" open" if place == 0 else ""}><summary>{escape(name)}</summary>'
        f"{_one(sheet, name, heading=3)}</details>"
        for place, name in enumerate(shown)
    )
    return (
        '<section aria-labelledby="details-title"><h2 id="details-title">One by one</h2>'
        f"{left_out}{parts}</section>"
    )


def _one(sheet: TearSheet, name: str, heading: int = 2) -> str:
    """Return months, years, distribution and drawdowns of a series."""
    column, stamps = sheet.column(name), sheet.returns.ts_close_ns
    figures = sheet.performance.of(name)
    years = calendar_of_returns(column, stamps)
    bars = [(year.year, year.total) for year in years]
    other, beside = {}, ""
    if sheet.benchmark is not None and sheet.benchmark != name:
        found = calendar_of_returns(sheet.column(sheet.benchmark), stamps)
        other, beside = {year.year: year.total for year in found}, f", gray: {sheet.benchmark}"
    level = f"{sheet.terms.confidence * 100:g} %"
    marks = [
        ("mean", figures["mean"]),
        (f"ES {level}", -figures["es"]),
        (f"VaR {level}", -figures["var"]),
    ]
    there = column[~np.isnan(column)]
    title = f"h{heading}"
    return (
        f"<section><{title}>Months and years</{title}>{months(years)}"
        f'<div class="grid two"><div class="panel"><h3>Years{escape(beside)}</h3>'
        f"{year_bars(bars, f'Returns of {name} by year{beside}', other)}</div>"
        f'<div class="panel"><h3>Distribution of {len(there):,} returns</h3>'
        f"{histogram(there, marks, f'Distribution of the returns of {name}')}</div></div></section>"
        f"<section><{title}>Worst drawdowns</{title}>{_drawdowns(sheet, name)}</section>"
    )


def _drawdowns(sheet: TearSheet, name: str) -> str:
    found = find_drawdowns(sheet.column(name))
    if not found:
        return "<p>There was none.</p>"
    stamps = sheet.returns.ts_close_ns
    labels = ["#", "depth", "from", "lowest", "back at the peak", "periods below", "of them back"]
    rows = "".join(
        "<tr>"
        + cell(str(place))
        + cell(percent(one.depth))
        + cell(str(session_date(int(stamps[one.start]))))
        + cell(str(session_date(int(stamps[one.trough]))))
        + cell("not yet" if one.end is None else str(session_date(int(stamps[one.end]))))
        + cell(f"{one.length:,}")
        + cell("–" if one.recovery is None else f"{one.recovery:,}")
        + "</tr>"
        for place, one in enumerate(found[:DRAWDOWNS], 1)
    )
    more = f"<p>The deepest {DRAWDOWNS} of {len(found):,}.</p>" if len(found) > DRAWDOWNS else ""
    return (
        f'{more}<div class="scroll" tabindex="0" role="region" aria-label="Worst drawdowns">'
        f"<table><caption>Worst drawdowns of {escape(name)}</caption>{head(labels)}"
        f"<tbody>{rows}</tbody></table></div>"
    )


# ------------------------------------------------------------------------------------ everything
def _metrics(sheet: TearSheet) -> str:
    """Return every metric: of one series in a table a group, of several in one with columns."""
    shown = (*_measured(sheet)[:DETAILS_MAX],)
    if sheet.benchmark is not None and sheet.benchmark not in shown:
        shown = (*shown, sheet.benchmark)
    figures = [sheet.performance.of(name) for name in shown]
    groups = listed(sheet.performance.metrics)
    undefined = _undefined(sheet, shown)
    if len(shown) == 1:
        tables = "".join(
            f'<div class="panel"><table class="code-names"><caption>{escape(title)}</caption>'
            f"{head(['metric', 'value'])}<tbody>{_rows(names, figures)}</tbody></table></div>"
            for title, names in groups.items()
        )
        return f'<div class="grid">{tables}</div>{undefined}'
    bodies = "".join(
        f'<tbody><tr class="group"><th scope="rowgroup" colspan="{len(shown) + 1}">{escape(title)}'
        f"</th></tr>{_rows(names, figures)}</tbody>"
        for title, names in groups.items()
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="All metrics">'
        '<table class="code-names"><caption>All metrics</caption>'
        f"{head(['metric', *shown], {'metric'})}{bodies}</table></div>{undefined}"
    )


def _rows(names: list[str], figures: list[dict[str, float]]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(cell(metric_text(name, one[name])) for one in figures)
        + "</tr>"
        for name in names
    )


def _undefined(sheet: TearSheet, shown: tuple[str, ...]) -> str:
    """Return why figures are dashes, metrics and series with one reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for series in shown:
        for name, why in sheet.performance.undefined(series).items():
            reasons.setdefault((name, why), []).append(series)
    rows = [
        (name, why if len(series) == len(shown) else f"{why} ({', '.join(series)})", "text")
        for (name, why), series in reasons.items()
    ]
    if not rows:
        return ""
    return (
        f'<div class="grid two"><div class="panel">{table("Undefined, and why", rows)}</div></div>'
    )


def _provenance(sheet: TearSheet) -> str:
    first, last = _ends(sheet)
    rows = [
        ("data", sheet.returns.name, "text"),
        ("sha256", sheet.returns.sha256, "text code"),
        ("first period", first, "text"),
        ("last period", last, "text"),
        ("benchmark", sheet.benchmark or "none", "text"),
        ("version", VERSION, "text"),
    ]
    return table("Provenance", rows)
