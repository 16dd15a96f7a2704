"""Drawings of the performance page: distances on a logarithmic axis, and speed-ups."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

_WIDTH: Final = 460
_LINE: Final = 27
_TOP: Final = 8
_DOT: Final = 5.2
_POWERS: Final = ("\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074", "\u2075", "\u2076", "\u2077")


class Mark(NamedTuple):
    """A value on a line of dots: its class, its value, and what it is read out as."""

    kind: str
    value: float
    told: str


def dots(
    lines: Sequence[tuple[str, Sequence[Mark]]],
    label: str,
    *,
    unit: str,
    rule: float | None = None,
    left: int = 96,
) -> str:
    """Return values as dots on a logarithmic axis, a line for each name.

    Parameters
    ----------
    lines : sequence of (name, marks)
        Values of zero and below have no place on the axis and are left out.
    label : str
        What the drawing is read out as.
    unit : str
        Of the axis: ``ms``, or ``x`` for ratios.
    rule : float, optional
        A value at which a line stands.
    left : int
        Room for the names.
    """
    values = [mark.value for _, marks in lines for mark in marks if mark.value > 0.0]
    if not values:
        return ""
    values += [rule] if rule else []
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    room = _WIDTH - left - 14
    bottom = _TOP + _LINE * len(lines)

    def place(value: float) -> float:
        return left + room * (math.log10(value) - low) / (high - low)

    parts = []
    every = max(1, math.ceil((high - low) / 6))
    for power in range(low, high + 1):
        x = place(10.0**power)
        parts.append(f'<line class="level" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>')
        if (power - low) % every == 0:
            tick, anchor = _tick(power, unit), "end" if power == high else "middle"
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="{anchor}">{tick}</text>'
            )
    if rule:
        x = place(rule)
        parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>')
    for at, (name, marks) in enumerate(lines):
        y = _TOP + _LINE * (at + 0.5)
        shown = [mark for mark in marks if mark.value > 0.0]
        parts.append(f'<text class="name" x="0" y="{y + 4.5:.1f}">{escape(name)}</text>')
        if len(shown) > 1:
            ends = sorted(place(mark.value) for mark in shown)
            parts.append(
                f'<line class="span" x1="{ends[0]:.1f}" x2="{ends[-1]:.1f}" '
                f'y1="{y:.1f}" y2="{y:.1f}"/>'
            )
        parts += [_dot(mark, place(mark.value), y) for mark in shown]
    return _drawing(parts, bottom + 26, label)


def _dot(mark: Mark, x: float, y: float) -> str:
    told = f"<title>{escape(mark.told)}</title>"
    if mark.kind == "limit":
        return f'<path class="limit" d="M{x:.1f} {y - 7:.1f}v14">{told}</path>'
    if mark.kind.startswith("claim"):
        d = _DOT
        return (
            f'<path class="{mark.kind}" d="M{x:.1f} {y - d:.1f}l{d} {d} {-d} {d} {-d} {-d}z">'
            f"{told}</path>"
        )
    return f'<circle class="{mark.kind}" cx="{x:.1f}" cy="{y:.1f}" r="{_DOT}">{told}</circle>'


def _tick(power: int, unit: str) -> str:
    """Return a power of ten for reading: of a ratio as a power, of milliseconds in a time."""
    if unit == "x":
        if power < 0:
            return f"{10.0**power:g} x"
        return f"{10**power} x" if power < 4 else f"10{_POWERS[power]} x"
    if power >= 3:
        return f"{10 ** (power - 3):,} s"
    return f"{10**power:,} ms" if power >= 0 else f"{10.0 ** (power + 3):g} us"


def speed_ups(lines: Mapping[str, Sequence[tuple[int, float]]], label: str, cores: int) -> str:
    """Return how much faster so many workers are than one: a line for each name, both axes doubled.

    Parameters
    ----------
    lines : mapping of class to (workers, speed-up)
        The class of a line is also the class of its marks.
    label : str
        What the drawing is read out as.
    cores : int
        Of the machine: workers beyond them stand on a shaded ground.
    """
    counts = sorted({count for points in lines.values() for count, _ in points})
    if len(counts) < 2:
        return ""
    left, right, top, bottom = 52, _WIDTH - 14, 10, 226
    steps = math.log2(counts[-1])

    def across(count: float) -> float:
        return left + (right - left) * math.log2(count) / steps

    def up(speed: float) -> float:
        share = (math.log2(max(speed, 0.25)) + 1.0) / (steps + 1.0)
        return bottom - (bottom - top) * max(share, 0.0)

    parts = []
    if cores < counts[-1]:
        x = across(cores)
        parts.append(
            f'<rect class="beyond" x="{x:.1f}" y="{top}" width="{right - x:.1f}" '
            f'height="{bottom - top}"/>'
            f'<text x="{x + 6:.1f}" y="{top + 15}">beyond the {cores} cores</text>'
        )
    for speed in (0.5, *(2.0**k for k in range(int(steps) + 1))):
        y = up(speed)
        parts.append(
            f'<line class="level" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{left - 8}" y="{y + 4.5:.1f}" text-anchor="end">{speed:g} x</text>'
        )
    parts += [
        f'<text x="{across(count):.1f}" y="{bottom + 18}" text-anchor="middle">{count}</text>'
        for count in counts
    ]
    parts.append(
        f'<text x="{(left + right) / 2:.0f}" y="{bottom + 36}" text-anchor="middle">workers</text>'
    )
    for kind, points in lines.items():
        path = " ".join(f"{across(count):.1f},{up(speed):.1f}" for count, speed in points)
        parts.append(f'<polyline class="{kind}" points="{path}"/>')
        if kind != "ideal":
            parts += [
                _dot(Mark(kind, speed, f"{count} workers: {speed:.2f} x"), across(count), up(speed))
                for count, speed in points
            ]
    return _drawing(parts, bottom + 44, label)


def _drawing(parts: Sequence[str], height: float, label: str) -> str:
    return (
        f'<svg class="dots" viewBox="-2 -4 {_WIDTH + 4} {height + 6:.0f}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def legend(kinds: Sequence[tuple[str, str]]) -> str:
    """Return what the marks of a drawing mean: their class, and words."""
    items = "".join(
        f'<span><svg class="dots key" viewBox="-8 -8 16 16" aria-hidden="true">'
        f"{_dot(Mark(kind, 1.0, words), 0.0, 0.0)}</svg>{escape(words)}</span>"
        for kind, words in kinds
    )
    return f'<p class="legend">{items}</p>'


def row_marks(row: Mapping[str, Any]) -> list[Mark]:
    """Return the marks of one row of the page: claims, limit, baseline, ours."""
    found = (
        ("claim-python", row["claim_python_value"], f"claim, Python: {row['claim_python']}"),
        ("claim", row["claim_value"], f"claim, Rust: {row['claim']}"),
        ("base", row["baseline_value"], f"baseline: {row['baseline']}"),
        ("limit", row["limit_value"], f"straight C: {row['limit']}"),
        ("ours", row["value"], f"ours: {row['ours']}"),
    )
    return [Mark(kind, value, told) for kind, value, told in found if value is not None]
