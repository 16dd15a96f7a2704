"""Drawings of data: which months have their bars, and prices with what was found in them."""

from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.sessions import month_numbers, session_date
from neural_trader.reports.thinning import compute_shown_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neural_trader.core.bars import SymbolBars
    from neural_trader.data.quality import Finding, Quality

_WIDTH: Final = 1040
_NAMES: Final = 110
_ROW: Final = 16
_ROWS_MAX: Final = 80
_LABELS_MAX: Final = 9
_YEAR: Final = 36
_HEIGHT: Final = 190
_POINTS_MAX: Final = 1_400
_RETURNS: Final = 96
# What lies farther away is drawn here.
_TIMES_MAX: Final = 25.0
# No bar; fewer than half of those of the fullest symbol; fewer; all.
_LEVELS: Final = ("none", "few", "most", "full")
_TOLD: Final = ("no bar", "less than half of the bars", "some bars missing", "all bars")


def draw_coverage(found: "Quality") -> str:
    """Return a row a symbol and a column a month: how many of the month's bars are there."""
    series = [part[symbol] for part in found.bars for symbol in part.symbols][:_ROWS_MAX]
    if not series:
        return "<p>No bars could be loaded.</p>"
    months = [month_numbers(one.ts_close_ns) for one in series]
    first = min(int(own[0]) for own in months)
    count = max(int(own[-1]) for own in months) - first + 1
    counts = np.stack([np.bincount(own - first, minlength=count) for own in months])
    fullest = counts.max(axis=0)
    if len(series) == 1:
        # Nobody to compare with: a usual month of its own, at its ends what there is.
        usual = int(np.median(counts[counts > 0]) * 0.8)
        fullest = np.maximum(fullest, usual)
    levels = np.where(counts == 0, 0, np.where(2 * counts < fullest, 1, 2))
    levels = np.where((counts >= fullest) & (counts > 0), 3, levels)
    wide = (_WIDTH - _NAMES) / count
    parts = [_years(first, count, wide)]
    for row, one in enumerate(series):
        y = 22 + row * _ROW
        parts.append(f'<text class="name" x="0" y="{y + 12}">{escape(one.symbol)}</text>')
        parts += _cells(levels[row], first, wide, y)
    height = 22 + len(series) * _ROW
    more = sum(len(part.symbols) for part in found.bars) - len(series)
    rest = f"<p>{more:,} more symbols are not drawn.</p>" if more > 0 else ""
    return _svg("Bars by symbol and month", height, "".join(parts)) + rest


def _cells(levels: NDArray[np.int64], first: int, wide: float, y: int) -> list[str]:
    """Return one rectangle for each run of months of one level."""
    edges = np.flatnonzero(np.diff(levels)) + 1
    parts = []
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(levels)], strict=True):
        level = int(levels[begin])
        told = f"{_month(first + begin)} to {_month(first + end - 1)}: {_TOLD[level]}"
        parts.append(
            f'<rect class="held-{_LEVELS[level]}" x="{_NAMES + begin * wide:.1f}" y="{y + 2}" '
            f'width="{max((end - begin) * wide, 1.0):.1f}" height="{_ROW - 4}">'
            f"<title>{told}</title></rect>"
        )
    return parts


def _years(first: int, count: int, wide: float) -> str:
    years = [month for month in range(count) if (first + month) % 12 == 0] or [0]
    every = -(-len(years) // _LABELS_MAX)
    return "".join(
        f'<text x="{_NAMES + month * wide:.1f}" y="12">{_month(first + month)[:4]}</text>'
        for month in years[::every]
        # A year that ends soon has no room for its name.
        if month * wide < _WIDTH - _NAMES - _YEAR
    )


def _month(number: int) -> str:
    return str(np.datetime64(number, "M"))


def draw_marked_prices(bars: "SymbolBars", findings: "Sequence[Finding]") -> str:
    """Return the closes of a symbol on a logarithmic scale, with a mark at every finding.

    Parameters
    ----------
    bars : SymbolBars
    findings : sequence of Finding
        Of this symbol; those without a time are left out.
    """
    logs = np.log(bars.close)
    low, high = float(logs.min()), float(logs.max())
    span = max(high - low, 1e-9)
    count = len(logs)

    def x(place: int) -> float:
        return (place + 0.5) / count * _WIDTH

    def y(place: int) -> float:
        return 8.0 + (high - float(logs[place])) / span * (_HEIGHT - 16.0)

    shown = compute_shown_bars([logs], points_max=_POINTS_MAX).tolist()
    line = "M" + "L".join(f"{x(place):.1f} {y(place):.1f}" for place in shown)
    marks = []
    # The worst come first: they are drawn last, over the others.
    for one in reversed(findings):
        if not one.first_ns:
            continue
        begin, end = np.searchsorted(bars.ts_close_ns, [one.first_ns, one.last_ns]).tolist()
        begin, end = min(begin, count - 1), min(end, count - 1)
        told = escape(f"{one.first}: {one.kind.replace('_', ' ')}: {one.message}")
        if end > begin + 2:
            marks.append(
                f'<rect class="band {one.severity}" x="{x(begin):.1f}" y="0" '
                f'width="{max(x(end) - x(begin), 1.5):.1f}" height="{_HEIGHT}">'
                f"<title>{told}</title></rect>"
            )
        else:
            marks.append(
                f'<circle class="mark {one.severity}" cx="{x(begin):.1f}" cy="{y(begin):.1f}" '
                f'r="4"><title>{told}</title></circle>'
            )
    first, last = (session_date(int(bars.ts_close_ns[at])) for at in (0, -1))
    words = (
        f'<text x="0" y="{_HEIGHT + 16}">{first}, {bars.close[0]:g}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 16}" text-anchor="end">{last}, {bars.close[-1]:g}</text>'
    )
    # Bands lie behind the line and points before it.
    bands = "".join(mark for mark in marks if mark.startswith("<rect"))
    points = "".join(mark for mark in marks if mark.startswith("<circle"))
    body = f'{bands}<path class="price" d="{line}"/>{points}{words}'
    return _svg(f"Closes of {bars.symbol} and what was found", _HEIGHT + 22, body)


def draw_returns(bars: "SymbolBars") -> str:
    """Return each return in usual moves, with lines where a move is far; farther ones are red.

    Parameters
    ----------
    bars : SymbolBars
    """
    from neural_trader.data.quality import FAR, usual_moves

    returns = np.diff(np.log(bars.close))
    if not len(returns):
        return ""
    times = np.clip(returns / usual_moves(returns), -_TIMES_MAX, _TIMES_MAX)
    zero, unit = _RETURNS / 2, _RETURNS / 2 / _TIMES_MAX
    shown = compute_shown_bars([times], points_max=_POINTS_MAX)
    sticks = {"usual": shown[np.abs(times[shown]) <= FAR], "far": np.flatnonzero(abs(times) > FAR)}
    sticks["far"] = sticks["far"][: _POINTS_MAX // 2]
    parts = []
    for kind, places in sticks.items():
        path = "".join(
            f"M{(place + 1.5) / len(bars.close) * _WIDTH:.1f} {zero:.1f}"
            f"V{zero - float(times[place]) * unit:.1f}"
            for place in places.tolist()
        )
        parts.append(f'<path class="{kind}" d="{path}"/>' if path else "")
    parts += [_limit(level, zero - level * unit) for level in (FAR, -FAR)]
    return _svg(f"Returns of {bars.symbol} in usual moves", _RETURNS, "".join(parts))


def _limit(level: float, y: float) -> str:
    words = f"{level:+g} usual moves".replace("-", "−")
    return (
        f'<line class="limit" x1="0" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_WIDTH}" y="{y + (-4.0 if level > 0 else 13.0):.1f}" text-anchor="end">'
        f"{words}</text>"
    )


def _svg(title: str, height: float, body: str) -> str:
    return (
        f'<svg class="picture quality" viewBox="-4 -4 {_WIDTH + 8} {height + 8:.0f}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )
