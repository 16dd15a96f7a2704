"""The history of every row as one page: offline, searchable, under 1 MB."""

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from neural_trader.bench.compare import is_more_better
from neural_trader.bench.history import Entry, Point
from neural_trader.core.version import VERSION

CELLS_MAX: Final = 25_000
"""Figures on a page, each some 25 bytes: where there are more, the oldest entries stay away."""

_MACHINE: Final = ("processor", "cores", "memory_gb", "system", "python")
_DIGITS: Final = 4


def render_trend(entries: Sequence[Entry], notes: Sequence[str] = ()) -> str:
    """Return the page of a history.

    Parameters
    ----------
    entries : sequence of Entry
        In the order in which they were added; may be empty.
    notes : sequence of str
        What a reader must know of them, shown above the rows.

    Notes
    -----
    The same history gives the same bytes: the page holds no time of writing. It asks the
    network for nothing (its content policy forbids it).
    """
    shown, notes = _latest(entries), list(notes)
    if len(shown) < len(entries):
        notes.append(f"The page shows the latest {len(shown):,} of {len(entries):,} entries.")
    if not entries:
        notes.append("The history is empty: add a report with bench trend --add REPORT.")
    machines = list(dict.fromkeys(_machine(entry) for entry in shown))
    rows = _rows(shown)
    data = {
        "entries": [
            {
                "commit": entry.commit,
                "at": entry.measured_at,
                "machine": machines.index(_machine(entry)),
            }
            for entry in shown
        ],
        "rows": rows,
    }
    asset = files("neural_trader.reports") / "assets"

    def text(name: str) -> str:
        return (asset / name).read_text(encoding="utf-8")

    return Template(text("trend.html")).substitute(
        style=text("report.css"),
        terms=_terms(shown, len(machines), len(rows)),
        notes=_notes(notes),
        machines=_machine_table(machines),
        version=escape(VERSION),
        # "<" in a name would let it end the script that carries the data.
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        script=text("trend.js"),
    )


def _latest(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the latest entries that a page has room for: one at least."""
    keys: set[str] = set()
    for count, entry in enumerate(reversed(entries), 1):
        keys |= {row.key for row in entry.rows}
        if count > 1 and count * len(keys) > CELLS_MAX:
            return entries[len(entries) - count + 1 :]
    return entries


def _rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return every row with its figures by entry, from the first that has it to the last."""
    found: dict[tuple[str, str], dict[int, Point]] = {}
    for place, entry in enumerate(entries):
        for row in entry.rows:
            # A row whose unit has changed is another row: its figures have no common axis.
            found.setdefault((row.key, row.unit), {})[place] = row
    return [_row(points) for points in found.values()]


def _row(points: dict[int, Point]) -> dict[str, Any]:
    first, last = min(points), max(points)
    newest = points[last]
    places = range(first, last + 1)
    quantity = newest.params.get("quantity")
    own = {k: v for k, v in newest.params.items() if k != "quantity"}
    return {
        "name": f"{newest.case}: {quantity}" if quantity else newest.case,
        "what": ", ".join(f"{k} {_told(v)}" for k, v in own.items()),
        "unit": newest.unit,
        "more": is_more_better(newest.unit),
        "from": first,
        "v": [_short(points[k].value) if k in points else None for k in places],
        "l": [_short(points[k].low) if k in points else None for k in places],
        "h": [_short(points[k].high) if k in points else None for k in places],
    }


def _short(value: float | None) -> float | int | None:
    """Return a figure with four digits, which are more than a chart can show."""
    if value is None:
        return None
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() else short


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _machine(entry: Entry) -> tuple[str, ...]:
    return tuple(str(entry.machine.get(name, "unknown")) for name in _MACHINE)


def _terms(entries: Sequence[Entry], machines: int, rows: int) -> str:
    days = [entry.measured_at[:10] for entry in entries if entry.measured_at]
    commits = {entry.commit for entry in entries if entry.commit}
    terms = {
        "Entries": f"{len(entries):,}",
        "Commits": f"{len(commits):,}",
        "Rows": f"{rows:,}",
        "Machines": f"{machines:,}",
        "Measured": f"{min(days)} to {max(days)}" if days else "unknown",
    }
    return "".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in terms.items())


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<section class="notes"><h2>Notes</h2><ul>{items}</ul></section>'


def _machine_table(machines: Sequence[tuple[str, ...]]) -> str:
    heads = ("machine", "processor", "cores", "memory, GB", "system", "Python")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{number}</th>'
        + "".join(f"<td>{escape(part)}</td>" for part in machine)
        + "</tr>"
        for number, machine in enumerate(machines, 1)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
