"""Prices that move too far: bad prints, real jumps, and splits that nobody wrote down.

The usual size of a move is robust: 1.4826 times the median absolute log return, which is a normal's
standard deviation and does not see the outliers that it is to judge (Rousseeuw and Croux 1993). It
is taken over blocks of 250 bars, and over the 31 around a move, whichever is larger: a crisis has
other sizes. Returns of 0 tell nothing about the size of a move, and do not count.

A bad print comes back at once; a real move stays. A split moves the price by the ratio of two small
numbers from one close to the next open, and the volume about as much the other way; news that halve
a price come with many times the volume, and rarely hit the ratio. Without opens and volumes to tell
them apart, only ratios of two and more are suspected.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.bars import Floats, SymbolBars
from neural_trader.data.quality.findings import Finding

FAR: Final = 10.0
"""Usual moves from which on a move is far."""
RETURN_SHARE: Final = 0.25
"""A price has come back when no more than this share of the move is left."""
RETURN_BARS: Final = 3
_BLOCK: Final = 250
_AROUND: Final = 15
# A block of prices that hardly move would make everything far: half a basis point at least.
_SCALE_MIN: Final = 5e-5
_MOVE_MIN: Final = 0.02
_SPLIT_MIN: Final = 0.18
_SPLIT_NEAR: Final = 0.03
_SPLIT_FAR: Final = 5.0
_VOLUME_NEAR: Final = 5.0
_VOLUME_BARS: Final = 20
_RATIOS: Final = tuple(
    sorted(
        {
            (new, old)
            for new, old in (
                *((n, 1) for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 50, 100)),
                *((3, 2), (4, 3), (5, 4), (5, 2), (7, 5)),
            )
        }
    )
)
"""New shares for old ones, as companies split them; reverse splits are the same turned round."""


def usual_moves(returns: Floats) -> Floats:
    """Return the robust size of a usual move at each bar, shape of ``returns``.

    Parameters
    ----------
    returns : float64 array, shape (n,)
        Log returns.
    """
    scale = np.empty_like(returns)
    for begin in range(0, len(returns), _BLOCK):
        end = begin + _BLOCK
        # A short last block is judged together with the one before.
        scale[begin:end] = _usual(returns[begin:end] if end <= len(returns) else returns[-_BLOCK:])
    for place in _far(returns, scale).tolist():
        around = returns[max(place - _AROUND, 0) : place + _AROUND + 1]
        scale[place] = max(scale[place], _usual(around))
    return scale


def _far(returns: Floats, scale: Floats) -> NDArray[np.intp]:
    size = np.abs(returns)
    return np.flatnonzero((size > FAR * scale) & (size > _MOVE_MIN))


def _usual(returns: Floats) -> float:
    moved = np.abs(returns[returns != 0.0])
    return max(1.4826 * float(np.median(moved)), _SCALE_MIN) if len(moved) else _SCALE_MIN


def find_moves(bars: SymbolBars, known: frozenset[int]) -> Iterator[Finding]:
    """Yield the moves of one symbol that are too far.

    Parameters
    ----------
    bars : SymbolBars
    known : frozenset of int
        Places of the first bars after known splits: what these explain is no finding.
    """
    logs = np.log(bars.close)
    returns = np.diff(logs)
    if len(returns) < RETURN_BARS:
        return
    scale = usual_moves(returns)
    far = _far(returns, scale) + 1
    prints = _bad_prints(logs, [place for place in far.tolist() if place not in known])
    inside = {bar for place, back in prints.items() for bar in range(place, back + 1)}
    split_at = {
        place: ratio
        for place, ratio in _splits(bars, returns, scale)
        if place not in known and place not in inside
    }
    for place, back in prints.items():
        yield _spike(bars, place, back, float(returns[place - 1] / scale[place - 1]))
    for place, (new, old) in split_at.items():
        yield _split(bars, place, new, old)
    for place in far.tolist():
        if place not in known and place not in split_at and place not in inside:
            yield _jump(bars, place, float(scale[place - 1]))
    yield from _wicks(bars, np.concatenate([scale[:1], scale]))


def _bad_prints(logs: Floats, far: list[int]) -> dict[int, int]:
    """Return where prices leave and the bars at which they are back."""
    found: dict[int, int] = {}
    after = 0
    for place in far:
        # A second bad value in the same stretch is no print of its own, nor is the way back.
        back = _comes_back(logs, place) if place > after else 0
        if back:
            found[place] = after = back
    return found


def _comes_back(logs: Floats, place: int) -> int:
    """Return the bar at which the price of before a move is back; 0 where it stays away."""
    moved = logs[place] - logs[place - 1]
    for later in range(place + 1, min(place + 1 + RETURN_BARS, len(logs))):
        if abs(logs[later] - logs[place - 1]) < RETURN_SHARE * abs(moved):
            return later
    return 0


def _splits(bars: SymbolBars, returns: Floats, scale: Floats) -> list[tuple[int, tuple[int, int]]]:
    """Return places at which the price jumps by the ratio of a split, and the ratios."""
    first = bars.close if bars.open is None else bars.open
    jump = np.log(bars.close[:-1] / first[1:])
    sure = bars.open is not None and bars.volume is not None
    least = _SPLIT_MIN if sure else math.log(2.0) - _SPLIT_NEAR
    near = np.flatnonzero((np.abs(jump) > least) & (np.abs(returns) > _SPLIT_FAR * scale))
    found = []
    for at in near.tolist():
        for new, old in _RATIOS:
            for ratio in ((new, old), (old, new)):
                wanted = math.log(ratio[0] / ratio[1])
                if abs(jump[at] - wanted) < _SPLIT_NEAR and _volume_agrees(bars, at + 1, wanted):
                    if not _comes_back(np.log(bars.close), at + 1):
                        found.append((at + 1, ratio))
                    break
            else:
                continue
            break
    return found


def _volume_agrees(bars: SymbolBars, place: int, wanted: float) -> bool:
    """Return whether the volume moved about as a split moves it, or nobody knows."""
    if bars.volume is None:
        return True
    before = bars.volume[max(place - _VOLUME_BARS, 0) : place]
    usual, now = float(np.median(before)), float(bars.volume[place])
    if usual <= 0.0 or now <= 0.0:
        return True
    return abs(math.log(now / usual) - wanted) < math.log(_VOLUME_NEAR)


def _split(bars: SymbolBars, place: int, new: int, old: int) -> Finding:
    stamp = int(bars.ts_close_ns[place])
    first = bars.close if bars.open is None else bars.open
    before, after = float(bars.close[place - 1]), float(first[place])
    return Finding(
        bars.symbol,
        "split_suspect",
        "warning",
        stamp,
        stamp,
        1,
        new / old,
        "a split in the table, or a move that is none of its ratio",
        f"the price goes from {before:g} to {after:g}, as a {new}-for-{old} split would have it",
        "If it was one, give the table of splits, or load adjusted prices",
    )


def _spike(bars: SymbolBars, place: int, back: int, times: float) -> Finding:
    before, there, after = (float(bars.close[at]) for at in (place - 1, place, back))
    return Finding(
        bars.symbol,
        "outlier",
        "warning",
        int(bars.ts_close_ns[place]),
        int(bars.ts_close_ns[back - 1]),
        back - place,
        there / before - 1.0,
        f"a close between {min(before, after):g} and {max(before, after):g}",
        f"close {there:g} after {before:g}, and {after:g} after that: {abs(times):.0f} usual moves "
        "away, and back",
        "Compare with another source; drop or mend the bar if it is a bad print",
    )


def _jump(bars: SymbolBars, place: int, scale: float) -> Finding:
    stamp = int(bars.ts_close_ns[place])
    before, there = float(bars.close[place - 1]), float(bars.close[place])
    times, limit = abs(math.log(there / before)) / scale, max(FAR * scale, _MOVE_MIN)
    told = f"close {there:g} after {before:g}, {there / before - 1.0:+.1%}: {times:.0f} usual moves"
    is_last = place == len(bars.close) - 1
    return Finding(
        bars.symbol,
        "large_move",
        # Where no bar follows, nobody can tell a bad print from a move that stays.
        "warning" if is_last else "note",
        stamp,
        stamp,
        1,
        there / before - 1.0,
        f"a move of up to {math.expm1(math.copysign(limit, there - before)):+.1%}",
        told + (", and no bar after it" if is_last else ", and it stays there"),
        "Wait for the next bar, or look at another source"
        if is_last
        else "A real move is no error: leave it. Look for news, or for an action that no table has",
    )


def _wicks(bars: SymbolBars, scale: NDArray[np.float64]) -> Iterator[Finding]:
    """Yield highs and lows that no open or close of the bar comes near to."""
    if bars.open is None or bars.high is None or bars.low is None:
        return
    up = np.log(bars.high / np.maximum(bars.open, bars.close))
    down = np.log(np.minimum(bars.open, bars.close) / bars.low)
    for name, reach, values in (("high", up, bars.high), ("low", down, bars.low)):
        far = np.flatnonzero((reach > FAR * scale) & (reach > _MOVE_MIN))
        for place in far.tolist():
            stamp = int(bars.ts_close_ns[place])
            limit = max(FAR * float(scale[place]), _MOVE_MIN)
            away = math.expm1(limit) if name == "high" else -math.expm1(-limit)
            yield Finding(
                bars.symbol,
                "outlier",
                "warning",
                stamp,
                stamp,
                1,
                float(reach[place]),
                f"a {name} of up to {away:.1%} beyond open and close",
                f"{name} {float(values[place]):g} beside open {float(bars.open[place]):g} and "
                f"close {float(bars.close[place]):g}: {reach[place] / scale[place]:.0f} usual "
                "moves away",
                "Compare with another source: stops and limits fill at such prices",
            )
