"""Bars from trades in plain Python: the law that the compiled kernel is held to, to the bit."""

from collections.abc import Sequence
from typing import NamedTuple


class PlainBar(NamedTuple):
    """A bar of trades; ``last`` is the number of the trade that closes it."""

    last: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_complete: bool


def plain_bars(
    kind: str,
    limit: float,
    codes: Sequence[int],
    *,
    prices: Sequence[float],
    sizes: Sequence[float],
) -> list[PlainBar]:
    """Return the bars of trades in the order of the file.

    Parameters
    ----------
    kind : {"time", "tick", "volume", "dollar"}
        What closes a bar: the bin of the next trade, the count of trades, their sizes, or their
        sizes times prices.
    limit : float
        From which count, volume or money on a bar is complete; of no use by time.
    codes : sequence of int
        The bin of each trade, by time alone.
    prices, sizes : sequence of float

    Returns
    -------
    list of PlainBar
        The last one may be incomplete. By time each is complete here: whether the last one's time
        is over is told by the clock, not by the trades.
    """
    bars = []
    held: list[int] = []
    for number in range(len(prices)):
        held.append(number)
        if kind == "time":
            closes = number + 1 == len(prices) or codes[number + 1] != codes[number]
        else:
            closes = _reached(kind, held, prices, sizes) >= limit
        if closes or number + 1 == len(prices):
            inside = [prices[each] for each in held]
            volume = 0.0
            for each in held:
                volume += sizes[each]
            bars.append(
                PlainBar(
                    number, inside[0], max(inside), min(inside), inside[-1], volume, bool(closes)
                )
            )
            held = []
    return bars


def _reached(
    kind: str, held: Sequence[int], prices: Sequence[float], sizes: Sequence[float]
) -> float:
    """Return how far the bar of some trades is, added trade by trade."""
    total = 0.0
    for each in held:
        if kind == "tick":
            total += 1.0
        elif kind == "volume":
            total += sizes[each]
        else:
            total += prices[each] * sizes[each]
    return total
