"""The report of a sweep: what all trials came to, heat maps of their parameters, the best."""

import itertools
import json
import math
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

import numpy as np

from neural_trader.backtesting import SweepResult
from neural_trader.core.bars import Floats
from neural_trader.reports.formats import cell, head, number, percent, table

_VALUES_MAX: Final = 24
"""Columns and rows of a heat map at most; more values share one."""
_MAPS_MAX: Final = 10
_RANKED: Final = 20
_BINS: Final = 30
_PERCENT: Final = {"total_return", "max_drawdown"}
_COUNTS: Final = {"trades", "fills"}
_COLUMNS: Final = (
    "sharpe",
    "total_return",
    "final_equity",
    "max_drawdown",
    "trades",
    "peak_leverage",
)


def render_sweep(result: SweepResult) -> str:
    """Return the page of a sweep."""
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    config = result.provenance["config"]
    kind = str(config["strategy"]["kind"])
    return Template(text("sweep.html")).substitute(
        title=escape(f"{kind}: {len(result):,} trials"),
        kind=escape(kind),
        heading=f"{len(result):,} trials",
        subtitle=_subtitle(result),
        cards=_cards(result),
        notes="".join(f"<li>{escape(note)}</li>" for note in _notes(result)),
        figure=escape(words(result.rank_by)),
        histogram=_histogram(result),
        maps="".join(_maps(result)),
        ranking=_ranking(result),
        provenance=_provenance(result),
        version=escape(result.provenance["version"]),
        style=text("report.css"),
    )


def words(name: str) -> str:
    """Return a figure's name as words."""
    return "Sharpe" if name == "sharpe" else name.replace("_", " ")


def written(name: str, value: float | None) -> str:
    """Return a figure for reading; a dash where it is undefined."""
    if value is None or math.isnan(value):
        return "–"
    if name in _COUNTS:
        return f"{value:,.0f}"
    return percent(value) if name in _PERCENT else number(value)


def _subtitle(result: SweepResult) -> str:
    config = result.provenance["config"]
    own = {k: v for k, v in config["strategy"].items() if k not in ("kind", "source")}
    terms = {
        "Data": str(result.provenance["data_name"]),
        "Period": f"{config['start'] or 'first bar'} to {config['end'] or 'last bar'}",
        "Fixed": ", ".join(f"{name} {value}" for name, value in own.items()) or "nothing",
        "Grid": ", ".join(f"{name}: {len(values)}" for name, values in result.grid.items()),
    }
    return "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in terms.items()
    )


def _cards(result: SweepResult) -> str:
    summary, figures = result.summary, result.figures
    ran = np.isfinite(figures["final_equity"])
    profit = figures["total_return"][ran]
    best = result.best
    shown = [
        ("Trials", f"{summary['trials']:,}", f"{summary['not_run']:,} refused by the strategy"),
        ("Mean final equity", number(summary["mean_final_equity"]), "over all trials"),
        (
            "Trials with a gain",
            percent(float((profit > 0.0).mean()), 1) if len(profit) else "–",
            f"median return {percent(float(np.median(profit)))}" if len(profit) else "",
        ),
    ]
    if best is not None:
        name = result.rank_by
        chosen = ", ".join(f"{key} {value}" for key, value in best["parameters"].items())
        shown.append((f"Best {words(name)}", written(name, best[name]), chosen))
        after = result.out_of_sample
        if after is not None:
            shown.append(
                (f"The same from {after['start']}", written(name, after[name]), "out of sample")
            )
    return "".join(
        f'<div class="card"><dt>{escape(name)}</dt><dd class="figure">{value}</dd>'
        f'<dd class="aside">{escape(beside)}</dd></div>'
        for name, value, beside in shown
    )


def _notes(result: SweepResult) -> list[str]:
    summary = result.summary
    notes = [
        f"The best is the highest of {summary['trials']:,} trials on the same bars, by "
        f"{words(result.rank_by)}: some of it is luck, the more trials the more.",
        "Trust a region of a heat map in which neighbours agree rather than a single cell.",
    ]
    if result.out_of_sample is None:
        notes.append(
            "Nothing was held back: choose on one part and judge on another with a split (--split)."
        )
    if summary["ruined"]:
        notes.append(f"{summary['ruined']:,} trials lost everything; they are not ranked.")
    if summary["refused"]:
        notes.append(
            f"{summary['refused']:,} trials went beyond the leverage limit; they are not ranked."
        )
    if result.not_run:
        notes.append(
            f"{len(result.not_run):,} combinations were refused by the strategy, the first: "
            f"{result.not_run[0].reason}"
        )
    return notes + result.notes


# ----------------------------------------------------------------------------------- histogram
def _histogram(result: SweepResult) -> str:
    """Return how the ranked figure is spread over all trials, as a drawing."""
    values = result.figures[result.rank_by]
    values = values[np.isfinite(values)]
    if not len(values):
        return "<p>No trial has this figure.</p>"
    counts, edges = np.histogram(values, bins=min(_BINS, max(len(values), 1)))
    width, height, tall = 960, 200, int(counts.max())
    step = width / len(counts)
    bars = "".join(
        f'<rect x="{k * step:.1f}" y="{height - height * count / tall:.1f}" '
        f'width="{step - 2:.1f}" height="{height * count / tall:.1f}">'
        f"<title>{written(result.rank_by, low)} to {written(result.rank_by, high)}: {count:,} "
        "trials</title></rect>"
        for k, (count, low, high) in enumerate(
            zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        )
    )
    ends = (
        f'<text x="0" y="{height + 22}">{written(result.rank_by, float(edges[0]))}</text>'
        f'<text x="{width}" y="{height + 22}" text-anchor="end">'
        f"{written(result.rank_by, float(edges[-1]))}</text>"
    )
    middle = float(np.median(values))
    at = width * (middle - float(edges[0])) / max(float(edges[-1] - edges[0]), 1e-300)
    mark = (
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}"/>'
        f'<text x="{at:.1f}" y="{height + 22}" text-anchor="middle">median '
        f"{written(result.rank_by, middle)}</text>"
    )
    return (
        f'<svg class="histogram" viewBox="-4 -4 {width + 8} {height + 34}" role="img" '
        f'aria-label="{escape(words(result.rank_by))} of all trials">{bars}{mark}{ends}</svg>'
    )


# ----------------------------------------------------------------------------------- heat maps
def _maps(result: SweepResult) -> list[str]:
    """Return a heat map for every two parameters that take more than one value."""
    names = [name for name, values in result.grid.items() if len(values) > 1]
    cube = result.figures[result.rank_by].reshape([len(v) for v in result.grid.values()])
    if not names:
        return ["<p>No parameter takes more than one value.</p>"]
    if len(names) == 1:
        return [_map(result, cube, (names[0], None))]
    pairs = list(itertools.combinations(names, 2))
    return [_map(result, cube, pair) for pair in pairs[:_MAPS_MAX]]


def _map(result: SweepResult, cube: Floats, pair: tuple[str, str | None]) -> str:
    down, across = pair
    axes = list(result.grid)
    kept = [axes.index(name) for name in pair if name is not None]
    flat = np.moveaxis(cube, kept, range(len(kept)))
    flat = flat.reshape(*flat.shape[: len(kept)], -1)
    if across is None:
        flat = flat[:, None, :]
    rows = _grouped(result.grid[down])
    columns = _grouped(result.grid[across]) if across else [("", slice(0, 1))]
    middle = np.array([[_median(flat[r, c]) for _, c in columns] for _, r in rows])
    low, high = _ends(middle)
    span = high - low
    body = ""
    for (label, _), line in zip(rows, middle.tolist(), strict=True):
        cells = ""
        for value in line:
            heat = 0.5 if span <= 0.0 else (value - low) / span
            style = "" if math.isnan(value) else f' style="--heat:{heat * 62:.0f}%"'
            cells += f"<td{style}>{written(result.rank_by, value)}</td>"
        body += f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'
    others = [name for name in axes if name not in pair]
    over = f", median over {', '.join(others)}" if others else ""
    title = f"{down} down" + (f", {across} across" if across else "")
    top = "".join(f'<th scope="col">{escape(label)}</th>' for label, _ in columns)
    return (
        f'<figure class="panel heat"><figcaption>{escape(words(result.rank_by))}: '
        f"{escape(title + over)}</figcaption><div class='scroll'><table><thead><tr><th></th>{top}"
        f"</tr></thead><tbody>{body}</tbody></table></div></figure>"
    )


def _grouped(values: tuple[Any, ...]) -> list[tuple[str, slice]]:
    """Return labels and places of a parameter's values; many values share a row."""
    size = -(-len(values) // _VALUES_MAX)
    groups = []
    for begin in range(0, len(values), size):
        part = values[begin : begin + size]
        label = str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}"
        groups.append((label, slice(begin, begin + size)))
    return groups


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def _ends(values: Floats) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


# -------------------------------------------------------------------------------------- tables
def _ranking(result: SweepResult) -> str:
    """Return the best trials; beside the first what it did out of sample."""
    names = list(result.grid)
    rows = []
    for rank, place in enumerate(result.ranking[:_RANKED].tolist(), start=1):
        trial = result.trial(place)
        parameters = [cell(str(trial["parameters"][name])) for name in names]
        figures = [cell(written(name, trial[name])) for name in _COLUMNS]
        rows.append(f'<tr><th scope="row">{rank}</th>{"".join(parameters + figures)}</tr>')
    after = result.out_of_sample
    if after is not None:
        blank = "".join(cell("") for _ in names)
        held_back = "".join(cell(written(name, after[name])) for name in _COLUMNS)
        rows.insert(1, f'<tr><th scope="row">1 from {after["start"]}</th>{blank}{held_back}</tr>')
    labels = ["rank", *names, *(words(name) for name in _COLUMNS)]
    return f"<table>{head(labels)}<tbody>{''.join(rows)}</tbody></table>"


def _provenance(result: SweepResult) -> str:
    given = result.provenance
    rows = [(name, str(given[name]), "code") for name in ("version", "data_hash", "config_hash")]
    rows += [
        (name, json.dumps(value), "code")
        for name, value in given["config"].items()
        if value is not None
    ]
    return table("Provenance", rows)
