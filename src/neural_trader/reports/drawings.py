"""Drawings that stand still: yearly returns as bars, and how returns are spread."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.reports.formats import NBSP, percent

Floats = NDArray[np.float64]

_WIDTH: Final = 540
_HEIGHT: Final = 210
_LEFT: Final = 46
_BINS_MAX: Final = 48
_HEAD: Final = 20
_WORDS: Final = 112
# Beyond these quantiles a few returns would squeeze all others together.
_FAR: Final = (0.002, 0.998)
_LABELS_MAX: Final = 9


def year_bars(
    years: Sequence[tuple[int, float]], label: str, other: Mapping[int, float] | None = None
) -> str:
    """Return the returns of years as bars about zero.

    Parameters
    ----------
    years : sequence of (year, return)
        NaN is no bar.
    label : str
        What the drawing is read out as.
    other : mapping of year to return, optional
        Of a benchmark, whose bars stand behind, in gray.
    """
    other = other or {}
    known = [value for _, value in years if not math.isnan(value)]
    known += [other[year] for year, _ in years if not math.isnan(other.get(year, math.nan))]
    if not known:
        return "<p>There is no year with a return.</p>"
    ticks = _ticks(min(0.0, *known), max(0.0, *known))
    low, high = min(ticks[0], *known), max(ticks[-1], *known)
    parts = [_level(tick, low, high) for tick in ticks]
    step = (_WIDTH - _LEFT) / len(years)
    every = -(-len(years) // _LABELS_MAX)
    for place, (year, value) in enumerate(years):
        x = _LEFT + place * step
        behind = other.get(year, math.nan)
        width = step * (0.76 if math.isnan(behind) else 0.5)
        told = f"{year}: {percent(value)}"
        if not math.isnan(behind):
            told += f", benchmark {percent(behind)}"
            parts.append(_bar("other", (x + step * 0.34, step * 0.56), (behind, low, high), told))
        if not math.isnan(value):
            kind = "gain" if value > 0.0 else "loss"
            parts.append(_bar(kind, (x + step * 0.12, width), (value, low, high), told))
        if place % every == 0:
            parts.append(
                f'<text x="{x + step / 2:.1f}" y="{_HEIGHT + 18}" text-anchor="middle">{year}'
                "</text>"
            )
    return _drawing(parts, label)


def histogram(returns: Floats, marks: Sequence[tuple[str, float]], label: str) -> str:
    """Return how often returns fell into each of equal steps, with marks at some of them.

    Parameters
    ----------
    returns : float64 array, shape (n,)
        The few that lie far from all others are counted in the first or last step.
    marks : sequence of (words, return)
        Left out where it is NaN.
    label : str
        What the drawing is read out as.
    """
    if not len(returns):
        return "<p>There is no return.</p>"
    bins = min(max(round(2.0 * len(returns) ** (1 / 3)), 5), _BINS_MAX)
    low, high = (float(end) for end in np.quantile(returns, _FAR, method="nearest"))
    counts, edges = np.histogram(np.clip(returns, low, high), bins=bins, range=_apart(low, high))
    tall, step = int(counts.max()), _WIDTH / bins
    room = _HEIGHT - _HEAD
    ends = [f"{percent(low)} or less", f"{percent(high)} or more"]
    parts = []
    for place, count in enumerate(counts.tolist()):
        told = f"{percent(float(edges[place]))} to {percent(float(edges[place + 1]))}"
        told = ends[0] if place == 0 else ends[1] if place == bins - 1 else told
        height = room * count / tall
        parts.append(
            f'<rect x="{place * step:.1f}" y="{_HEIGHT - height:.1f}" '
            f'width="{max(step - 1.5, 0.5):.1f}" height="{height:.1f}">'
            f"<title>{told}: {count:,}</title></rect>"
        )
    lowest, highest = float(edges[0]), float(edges[-1])
    known = [(words, value) for words, value in marks if not math.isnan(value)]
    for place, (words, value) in enumerate(known):
        x = _WIDTH * (min(max(value, lowest), highest) - lowest) / (highest - lowest)
        # Words stand beside their line where they fit: of losses to the left, away from the bars.
        anchor, gap = ("end", -6) if x > _WORDS and value < 0.0 else ("start", 6)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{4 + _HEAD * place}" y2="{_HEIGHT}"/>'
            f'<text class="halo" x="{x + gap:.1f}" y="{14 + _HEAD * place}" '
            f'text-anchor="{anchor}">{escape(words)} {percent(value)}</text>'
        )
    parts.append(
        f'<text x="0" y="{_HEIGHT + 18}">{ends[0]}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 18}" text-anchor="end">{ends[1]}</text>'
    )
    return _drawing(parts, label)


def _apart(low: float, high: float) -> tuple[float, float]:
    """Return two ends that are not one."""
    air = 0.0 if high > low else max(abs(low) * 0.5, 1e-6)
    return low - air, high + air


def _bar(kind: str, across: tuple[float, float], up: tuple[float, float, float], told: str) -> str:
    """Return a bar from zero: where it begins and how wide it is, its value and the axis' ends."""
    value, low, high = up
    y, zero = _height(value, low, high), _height(0.0, low, high)
    return (
        f'<rect class="{kind}" x="{across[0]:.1f}" y="{min(y, zero):.1f}" '
        f'width="{across[1]:.1f}" height="{max(abs(zero - y), 0.5):.1f}">'
        f"<title>{told}</title></rect>"
    )


def _height(value: float, low: float, high: float) -> float:
    return _HEIGHT * (high - value) / max(high - low, 1e-300)


def _level(tick: float, low: float, high: float) -> str:
    y = _height(tick, low, high)
    kind = "zero" if tick == 0.0 else "level"
    return (
        f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick * 100:.3g}{NBSP}%</text>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return round levels between two values, zero among them."""
    rough = max(high - low, 1e-12) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def _drawing(parts: Sequence[str], label: str) -> str:
    return (
        f'<svg class="drawing" viewBox="-4 -6 {_WIDTH + 22} {_HEIGHT + 30}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
