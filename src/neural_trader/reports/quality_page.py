"""The page of a look at data: what is there, what is odd, and where."""

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from neural_trader.core.files import write_whole
from neural_trader.core.sessions import session_date
from neural_trader.core.version import VERSION
from neural_trader.reports.formats import cell, head, table
from neural_trader.reports.quality_drawings import draw_coverage, draw_marked_prices, draw_returns

if TYPE_CHECKING:
    from collections.abc import Callable

    from neural_trader.data.quality import Finding, Quality

FINDINGS_MAX: Final = 300
"""Findings that the page lists; the others are counted."""
_DRAWN_MAX: Final = 6
_WORDS: Final = {
    "error": "bars that cannot be used",
    "warning": "wrong, most likely",
    "note": "worth knowing",
}


def quality_report(found: "Quality", path: str | Path) -> Path:
    """Write what was found in data: one HTML file that opens offline.

    Parameters
    ----------
    found : Quality
        From ``neural_trader.data.quality.check_quality``.
    path : str or Path
        A file; its folder must exist. It is replaced only by a complete new page.

    Returns
    -------
    Path
        Where the page is.

    Raises
    ------
    DataError
        The file cannot be written.

    Notes
    -----
    The same findings give the same bytes.
    """
    path = Path(path).expanduser()
    page = _render(found)
    with write_whole(path) as file:
        file.write(page.encode())
    return path


def _render(found: "Quality") -> str:
    from neural_trader.data.quality import KINDS

    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    terms = {
        "Symbols": f"{len(found.symbols):,}",
        "Sessions": _range(found),
        "Held to": found.calendar or "each other and their own rhythm",
    }
    return Template(text("quality.html")).substitute(
        title=escape(f"Data quality: {found.name}"),
        heading=escape(found.name),
        subtitle="".join(
            f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in terms.items()
        ),
        cards=_cards(found),
        coverage=draw_coverage(found),
        counts=_counts(found),
        pictures=_pictures(found),
        findings=_findings(found),
        kinds=table("What each kind means", [(k, words, "text") for k, words in KINDS.items()]),
        version=escape(VERSION),
        style=text("report.css"),
    )


def _range(found: "Quality") -> str:
    stamps = [part[name].ts_close_ns for part in found.bars for name in part.symbols]
    if not stamps:
        return "none could be loaded"
    first, last = min(int(own[0]) for own in stamps), max(int(own[-1]) for own in stamps)
    return f"{session_date(first)} to {session_date(last)}"


def _cards(found: "Quality") -> str:
    bars = sum(len(part[name].close) for part in found.bars for name in part.symbols)
    shown = [("bars", bars, "were looked at")]
    shown += [(f"{severity}s", count, _WORDS[severity]) for severity, count in found.counts.items()]
    return "".join(
        f'<div class="card"><dt>{name}</dt><dd class="figure">{count:,}</dd>'
        f'<dd class="aside">{words}</dd></div>'
        for name, count, words in shown
    )


def _counts(found: "Quality") -> str:
    """Return how often each kind was found with each symbol."""
    table_of = found.by_symbol()
    kinds = sorted({kind for counts in table_of.values() for kind in counts})
    if not kinds:
        return "<p>Nothing was found.</p>"
    body = "".join(
        f'<tr><th scope="row">{escape(symbol or "all symbols")}</th>'
        + "".join(cell(f"{counts[kind]:,}" if counts[kind] else "") for kind in kinds)
        + "</tr>"
        for symbol, counts in table_of.items()
        if counts
    )
    labels = ["symbol", *(kind.replace("_", " ") for kind in kinds)]
    return f"<table>{head(labels, {'symbol'})}<tbody>{body}</tbody></table>"


def _pictures(found: "Quality") -> str:
    """Draw the symbols with the most warnings, then notes."""

    def weight(symbol: str) -> tuple[int, int]:
        own = [one for one in found.findings if one.symbol == symbol]
        return sum(one.severity != "note" for one in own), len(own)

    series = {symbol: part[symbol] for part in found.bars for symbol in part.symbols}
    worst = sorted((name for name in found.symbols if name in series), key=weight, reverse=True)
    drawn = [name for name in worst if weight(name)[1]][:_DRAWN_MAX]
    return (
        "".join(
            f'<figure class="chart panel"><figcaption><h3>{escape(name)}</h3></figcaption>'
            + draw_marked_prices(
                series[name], [one for one in found.findings if one.symbol == name]
            )
            + draw_returns(series[name])
            + "</figure>"
            for name in drawn
        )
        or "<p>No symbol has a finding.</p>"
    )


def _findings(found: "Quality") -> str:
    if not found.findings:
        return "<p>Nothing was found.</p>"
    columns: tuple[tuple[str, Callable[[Finding], str], str], ...] = (
        ("severity", lambda one: one.severity, "text"),
        ("symbol", lambda one: one.symbol or "all", "text"),
        ("kind", lambda one: one.kind.replace("_", " "), "text"),
        ("first", lambda one: one.first, "text"),
        ("last", lambda one: one.last, "text"),
        ("bars", lambda one: f"{one.bars:,}" if one.bars else "", ""),
        ("found", lambda one: one.message, "text wide"),
        ("expected", lambda one: one.expected, "text wide"),
        ("what to do", lambda one: one.advice, "text wide"),
    )
    body = "".join(
        "<tr>" + "".join(cell(shown(one), kind) for _, shown, kind in columns) + "</tr>"
        for one in found.findings[:FINDINGS_MAX]
    )
    labels = [name for name, _, _ in columns]
    words = {name for name, _, kind in columns if kind}
    more = len(found.findings) - FINDINGS_MAX
    rest = f"<p>{more:,} more are not listed here; --json has all of them.</p>" if more > 0 else ""
    return f"<table>{head(labels, words)}<tbody>{body}</tbody></table>{rest}"
