"""Z-scores, averages and the decisions they lead to, against two passes in sixty digits.

What is left out, and no more: windows whose spread moves by less than a millionth of the prices it
is the difference of. There the spread itself has lost its digits to rounding, whoever computes it.
"""

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal, localcontext

import hypothesis.strategies as st
import numpy as np
from hypothesis import assume, given, settings

import neural_trader as nt
from neural_trader.core.bars import Floats
from tests.made_bars import make_bars
from tests.property.strategies import pairs, sma_crosses, walks

BAND = 1e-9
SIXTY_DIGITS = Context(prec=60)
Number = Decimal | None


def windows(values: Sequence[Number], length: int) -> Iterator[list[Decimal] | None]:
    """Yield the window that ends at each bar, None where it is short or holds an undefined one."""
    for stop in range(1, len(values) + 1):
        window = [value for value in values[max(stop - length, 0) : stop] if value is not None]
        yield window if len(window) == length else None


def deviations(window: Sequence[Decimal]) -> list[Decimal]:
    mean = sum(window, Decimal(0)) / len(window)
    return [value - mean for value in window]


def square(values: Sequence[Decimal]) -> Decimal:
    return sum((value * value for value in values), Decimal(0))


def two_pass(closes: Floats, lookback: int) -> tuple[list[Number], list[Number], list[bool]]:
    """Return hedge ratio, z-score and whether the score is well conditioned, at every bar."""
    y, x = ([Decimal(price) for price in row] for row in closes.tolist())
    ratios: list[Number] = []
    spreads: list[Number] = []
    sizes: list[Number] = []
    for t, (ys, xs) in enumerate(zip(windows(y, lookback), windows(x, lookback), strict=True)):
        ratio = size = None
        if ys is not None and xs is not None:
            dy, dx = deviations(ys), deviations(xs)
            if any(dy) and any(dx):
                ratio = sum((p * q for p, q in zip(dy, dx, strict=True)), Decimal(0)) / square(dx)
                size = y[t] + x[t] * (square(dy) / square(dx)).sqrt()
        ratios.append(ratio)
        spreads.append(None if ratio is None else y[t] - ratio * x[t])
        sizes.append(size)
    scores: list[Number] = []
    sound: list[bool] = []
    for window, around in zip(windows(spreads, lookback), windows(sizes, lookback), strict=True):
        score, well = None, True
        if window is not None and around is not None:
            off = deviations(window)
            spread = (square(off) / (lookback - 1)).sqrt()
            well = spread > Decimal("1e-6") * max(around)
            score = off[-1] / spread if well else None
        scores.append(score)
        sound.append(well)
    return ratios, scores, sound


def decided(
    scores: Sequence[Number], ratios: Sequence[Number], strategy: nt.Pairs
) -> list[tuple[int, int]]:
    """Return bar and new side of every change of mind, sizes left out."""
    entry, leave = Decimal(strategy.entry), Decimal(strategy.exit)
    side, found = 0, []
    for bar, (score, ratio) in enumerate(zip(scores, ratios, strict=True)):
        if score is None or ratio is None:
            continue
        if side == 0 and abs(score) >= entry and ratio > 0:
            side = -1 if score > 0 else 1
            found.append((bar, side))
        elif side != 0 and side * score >= -leave:
            side = 0
            found.append((bar, side))
    return found


@settings(max_examples=250)
@given(closes=walks(bars=st.integers(8, 60)), strategy=pairs(lookback_max=12))
def test_scores_are_those_of_two_passes(closes: Floats, strategy: nt.Pairs) -> None:
    bars = make_bars({"A": closes[0].tolist(), "B": closes[1].tolist()})
    signals = nt.backtest(strategy, bars, capital=1e12, max_leverage=1e12).signals
    with localcontext(SIXTY_DIGITS):
        ratios, scores, sound = two_pass(closes, strategy.lookback)
    for bar, ratio in enumerate(ratios):
        mine = signals["hedge_ratio"][bar]
        assert np.isnan(mine) == (ratio is None), bar
        if ratio is not None:
            inside = closes[:, bar - strategy.lookback + 1 : bar + 1]
            scale = np.ptp(inside[0]) / np.ptp(inside[1])
            assert abs(mine - float(ratio)) <= BAND * max(scale, abs(float(ratio))), bar
    for bar, score in enumerate(scores):
        mine = signals["z_score"][bar]
        if sound[bar]:
            assert np.isnan(mine) == (score is None), bar
        if score is not None:
            assert abs(mine - float(score)) <= BAND * max(1.0, abs(float(score))), bar


@settings(max_examples=250)
@given(closes=walks(bars=st.integers(20, 60)), strategy=pairs(lookback_max=6))
def test_decisions_are_those_of_two_passes(closes: Floats, strategy: nt.Pairs) -> None:
    with localcontext(SIXTY_DIGITS):
        ratios, scores, sound = two_pass(closes, strategy.lookback)
        true = decided(scores, ratios, strategy)
    assume(all(sound))
    known = [float(score) for score in scores if score is not None]
    levels = [strategy.entry, -strategy.entry, strategy.exit, -strategy.exit]
    near = [abs(z - level) <= BAND * max(1.0, abs(z)) for z in known for level in levels]
    assume(not any(near))
    # So much money that no leg comes to zero shares, whatever the level of the prices.
    rich = nt.Pairs(
        "A", "B", lookback=strategy.lookback, entry=strategy.entry, exit=strategy.exit, gross=1e15
    )
    bars = make_bars({"A": closes[0].tolist(), "B": closes[1].tolist()})
    run = nt.backtest(rich, bars, capital=1e20, max_leverage=1e12)
    assume(run.skipped["leg_of_zero_shares"] == 0)
    last = closes.shape[1] - 1
    assert (np.unique(run.outcome.where[0]) - 1).tolist() == [b for b, _ in true if b < last]
    sides = [side for bar, side in true if side != 0 and bar < last]
    assert [trip.side for trip in run.trips] == sides
    assert run.skipped["decided_on_the_last_bar"] == 2 * any(bar == last for bar, _ in true)


@given(closes=walks(bars=st.integers(2, 60)), strategy=sma_crosses())
def test_averages_are_those_of_two_passes(closes: Floats, strategy: nt.SmaCross) -> None:
    bars = make_bars({"A": closes[0].tolist()})
    signals = nt.backtest(strategy, bars, capital=1e12).signals
    with localcontext(SIXTY_DIGITS):
        prices = [Decimal(price) for price in closes[0].tolist()]
        for name, length in (("fast", strategy.fast), ("slow", strategy.slow)):
            for bar, window in enumerate(windows(prices, length)):
                mine = signals[name][bar]
                assert np.isnan(mine) == (window is None)
                if window is not None:
                    mean = float(sum(window, Decimal(0)) / length)
                    assert abs(mine - mean) <= 1e-14 * mean
