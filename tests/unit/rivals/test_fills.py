"""The strategies that are compared with other engines, against plain loops over the bars."""

import numpy as np
import pytest

import neural_trader as nt
from benchmarks.rivals.fills import compare, ours

BARS = nt.load("us-ohlcv")
Fill = tuple[int, int, float, float]


def stops_by_hand(leg: int, symbol: str) -> list[Fill]:
    """Market in at the next open; out at the stop or the target, whichever the bar reaches."""
    bars = BARS[symbol]
    assert bars.open is not None
    assert bars.high is not None
    assert bars.low is not None
    opens, highs, lows, closes = (
        field.tolist() for field in (bars.open, bars.high, bars.low, bars.close)
    )
    fills: list[Fill] = []
    paid, due = 0.0, False
    for t in range(len(closes)):
        if due:
            paid, due = opens[t], False
            fills.append((t, leg, 100.0, paid))
        elif paid:
            stop, target = 0.95 * paid, 1.1 * paid
            price = 0.0
            if opens[t] <= stop or opens[t] >= target:
                price = opens[t]
            elif lows[t] <= stop:
                price = stop
            elif highs[t] >= target:
                price = target
            if price:
                fills.append((t, leg, -100.0, price))
                paid = 0.0
        if not paid and not due and t >= 49:
            due = closes[t] > np.mean(closes[t - 49 : t + 1])
    return [fill for fill in fills if fill[0] < len(closes)]


def dips_by_hand(leg: int, symbol: str) -> list[Fill]:
    """A bid 2 % below the last close for one bar; out at the open after five closes."""
    bars = BARS[symbol]
    assert bars.open is not None
    assert bars.low is not None
    opens, lows, closes = bars.open.tolist(), bars.low.tolist(), bars.close.tolist()
    fills: list[Fill] = []
    bid, held = 0.0, -1
    for t in range(len(closes)):
        if held == 5:
            fills.append((t, leg, -100.0, opens[t]))
            held = -1
        elif held < 0 and bid and lows[t] <= bid:
            fills.append((t, leg, 100.0, min(bid, opens[t])))
            held = 0
        if held >= 0:
            held += 1
        bid = 0.98 * closes[t]
    return fills


@pytest.mark.parametrize(("name", "by_hand"), [("stops", stops_by_hand), ("dips", dips_by_hand)])
def test_a_strategy_fills_as_its_words_say(name: str, by_hand: object) -> None:
    assert callable(by_hand)
    mine = ours.run(name, BARS, touch=True, idle=0)
    expected = sorted(f for leg, symbol in enumerate(BARS.symbols) for f in by_hand(leg, symbol))
    assert len(mine) > 500
    assert compare.first_difference(mine, expected) == ""


def test_the_first_difference_is_found() -> None:
    mine = [(1, 0, 5.0, 10.0), (2, 0, -5.0, 11.0)]
    assert compare.first_difference(mine, list(mine)) == ""
    assert "fill 1" in compare.first_difference(mine, [mine[0], (2, 0, -5.0, 11.0001)])
    assert "fill 0" in compare.first_difference(mine, [(1, 1, 5.0, 10.0), mine[1]])
    assert "2 fills" in compare.first_difference(mine, mine[:1])
