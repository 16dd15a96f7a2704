"""``nt.report``: one self-contained HTML file of a result."""

import json
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from neural_trader.backtesting import Result
from neural_trader.core.files import write_whole
from neural_trader.reports import sections
from neural_trader.reports.charts import compute_charts


def report(result: Result, path: str | Path) -> Path:
    """Write a report: one HTML file under 1 MB that opens offline.

    Parameters
    ----------
    result : Result
        From ``nt.backtest`` or ``nt.load_result``.
    path : str or Path
        A file; its folder must exist. It is replaced only by a complete new report.

    Returns
    -------
    Path
        Where the report is.

    Raises
    ------
    DataError
        The path is a folder, or its folder is missing or cannot be written to.

    Notes
    -----
    The same result gives the same bytes: a report holds no time of writing. It asks the network for
    nothing (its content policy forbids it).
    """
    path = Path(path)
    page = render(result).encode()
    with write_whole(path) as file:
        file.write(page)
    return path


def render(result: Result) -> str:
    """Return the page of a result."""
    config = result.config
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    charts = compute_charts(result)
    kind = config.strategy.kind
    first, last = result.provenance["first_bar"], result.provenance["last_bar"]
    thinned = charts.get("thinned")
    shown = (
        f"The charts show {thinned[0]:,} of {thinned[1]:,} bars, the extremes among them; every "
        "figure uses all bars."
        if thinned
        else "The charts show every bar."
    )
    return Template(text("page.html")).substitute(
        title=escape(f"{kind} {' / '.join(result.symbols)}, {first} to {last}"),
        kind=escape(kind),
        symbols=escape(" / ".join(result.symbols)),
        subtitle=escape(_subtitle(result)),
        cards=sections.cards(result),
        notes=sections.notes(result),
        shown=shown,
        reading=_READING_PAIRS if "z_score" in result.signals else "",
        round_trips=sections.round_trips(result),
        calendar=sections.calendar(result),
        costs=sections.costs(result),
        metrics=sections.metrics(result),
        conventions=sections.conventions(result),
        provenance=sections.provenance(result),
        style=text("vendor/uPlot.min.css") + text("report.css"),
        # A symbol may hold anything; "<" would let it end the script that carries the data.
        data=json.dumps(charts, separators=(",", ":")).replace("<", "\\u003c"),
        library=text("vendor/uPlot.iife.min.js"),
        script=text("report.js"),
    )


_READING_PAIRS = (
    "<p>A position is left when the z-score has come back. That is not yet a profit: the z-score "
    "measures the spread of a hedge ratio that moves every bar, while the units held were fixed at "
    "entry. Where the ratio moved, the score converges without the position earning; such round "
    "trips are marked <em>converged, but lost</em>. Look at profit and loss beside z.</p>"
)


def _subtitle(result: Result) -> str:
    """Return what was run, in one line."""
    config, given = result.config, result.provenance
    own = given["config"]["strategy"]
    words = [
        f"{name} {own[name]:g}"
        for name in ("lookback", "entry", "exit", "fast", "slow")
        if name in own
    ]
    costs = config.costs
    return ", ".join(
        [
            f"{given['first_bar']} to {given['last_bar']}",
            f"{given['bars']:,} bars of {given['data_name']} ({given['data_basis']})",
            *words,
            f"gross {config.strategy.sizing}",
            f"{config.capital:,.0f} cash",
            f"{costs.fee_bps:g} bps fee and {costs.slippage_bps:g} bps slippage a fill",
        ]
    )
