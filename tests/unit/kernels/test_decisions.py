"""The strategy kernels' signals and decisions, on numbers small enough to follow."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from neural_trader._kernels import pairs, sma_cross
from tests.interpreted import load_interpreted, with_memoryviews

NAN = math.nan
Arrays = np.ndarray[Any, np.dtype[Any]]


def kernel_of(name: str, function: str, *, compiled: bool) -> Callable[..., Any]:
    if compiled:
        found: Callable[..., Any] = getattr(
            {"pairs": pairs, "sma_cross": sma_cross}[name], function
        )
        return found
    return with_memoryviews(getattr(load_interpreted(name), function))


both = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "interpreted"])


def pairs_signals(
    y: Sequence[float], x: Sequence[float], lookback: int, *, compiled: bool = True
) -> Arrays:
    out = np.full((3, len(y)), -1.0)
    scratch = np.full((pairs.SCRATCH_ROWS, lookback), -1.0)
    kernel = kernel_of("pairs", "signals", compiled=compiled)
    kernel(np.array([y, x], dtype=float), 0, 1, lookback, scratch, out)
    return out


def pairs_decide(
    z: Sequence[float],
    *,
    ratio: float = 1.0,
    levels: tuple[float, float, float] = (2.0, 0.5, 100.0),
    room: int = 256,
    once: bool = False,
    compiled: bool = True,
) -> tuple[list[tuple[int, int, float]], list[list[int]]]:
    """Decide on z-scores at prices of 10 and 5; return the intents and the state of each call."""
    bars = len(z)
    prices = np.array([[10.0] * bars, [5.0] * bars])
    signals = np.array([[ratio] * bars, [0.0] * bars, z])
    state = np.zeros(4, dtype=np.int64)
    where, targets = np.zeros((2, room), dtype=np.int64), np.zeros(room)
    intents: list[tuple[int, int, float]] = []
    states: list[list[int]] = []
    kernel = kernel_of("pairs", "decide", compiled=compiled)
    while state[0] < bars:
        count = kernel(prices, (0, 1), signals, levels, once, state, where, targets)
        intents += list(zip(*where[:, :count].tolist(), targets[:count].tolist(), strict=True))
        states.append(state.tolist())
    return intents, states


class TestPairsSignals:
    @both
    def test_a_window_by_hand(self, compiled: bool) -> None:
        # Three bars: x 1 2 3, y 2 4 9: means 2 and 5, Sxy 7, Sxx 2: ratio 3.5, spread 9 - 10.5.
        out = pairs_signals([2, 4, 9, 1, 0, 6], [1, 2, 3, 5, 4, 6], 3, compiled=compiled)
        assert out[0, :2].tolist() == pytest.approx([NAN, NAN], nan_ok=True)
        assert out[0, 2] == pytest.approx(3.5, rel=1e-15)
        assert out[1, 2] == pytest.approx(-1.5, rel=1e-15)
        # x 2 3 5, y 4 9 1: Sxy = 8 + 27 + 5 - 10 x 14 / 3, Sxx = 38 - 10 x 10 / 3.
        assert out[0, 3] == pytest.approx((8 + 27 + 5 - 10 * 14 / 3) / (38 - 100 / 3), rel=1e-14)
        assert np.isnan(out[2, :4]).all()
        spread = out[1, 2:5]
        score = (spread[2] - spread.mean()) / spread.std(ddof=1)
        assert out[2, 4] == pytest.approx(score, rel=1e-13)

    @both
    @pytest.mark.parametrize("leg", [0, 1])
    def test_a_flat_window_has_no_ratio_and_spoils_its_own_scores_only(
        self, leg: int, compiled: bool
    ) -> None:
        legs = [[10.0, 11, 9, 12, 8, 13, 7, 12, 9, 11, 10, 13], [20.0, 21, 23, 22, 25] + [0.0] * 7]
        legs[1][5:] = [24.0, 26, 23, 27, 22, 28, 21]
        legs[leg][3:6] = [15.1, 15.1, 15.1]
        out = pairs_signals(legs[0], legs[1], 3, compiled=compiled)
        assert np.flatnonzero(np.isnan(out[0])).tolist() == [0, 1, 5]
        assert np.flatnonzero(np.isnan(out[1])).tolist() == [0, 1, 5]
        assert np.flatnonzero(np.isnan(out[2])).tolist() == [0, 1, 2, 3, 5, 6, 7]

    @both
    def test_a_spread_that_does_not_move_has_no_score(self, compiled: bool) -> None:
        x = [10.0, 11, 9, 12, 8, 13, 7, 12]
        out = pairs_signals([2 * p for p in x], x, 3, compiled=compiled)
        assert out[0, 2:].tolist() == [2.0] * 6
        assert out[1, 2:].tolist() == [0.0] * 6
        assert np.isnan(out[2]).all()

    @both
    @pytest.mark.parametrize("leg", [0, 1])
    def test_a_price_that_is_not_a_number_leaves_no_signal_where_it_counts(
        self, leg: int, compiled: bool
    ) -> None:
        legs = [[10.0, 11, 9, 12, 8, 13, 7, 12, 9, 11, 10, 13] for _ in range(2)]
        legs[1] = [p * p for p in legs[1]]
        legs[leg][4] = NAN
        out = pairs_signals(legs[0], legs[1], 3, compiled=compiled)
        assert np.isnan(out[0, 4:7]).all()
        assert np.isnan(out[2, 4:9]).all()

    @both
    @pytest.mark.parametrize("bars", [1, 2, 3, 4])
    def test_fewer_bars_than_windows_need(self, bars: int, compiled: bool) -> None:
        out = pairs_signals([5.0, 6, 8, 4][:bars], [1.0, 3, 2, 5][:bars], 3, compiled=compiled)
        assert np.isnan(out[0]).tolist() == [bar < 2 for bar in range(bars)]
        assert np.isnan(out[2]).all()

    @pytest.mark.parametrize("scale", [1e-100, 1e-6, 1e100])
    def test_prices_of_any_size_have_the_same_scores(self, scale: float) -> None:
        rng = np.random.default_rng(1)
        y, x = rng.uniform(1, 2, (2, 40)).tolist()
        power = 2.0 ** round(math.log2(scale))
        plain = pairs_signals(y, x, 6)
        scaled = pairs_signals([p * power for p in y], [p * power for p in x], 6)
        np.testing.assert_array_equal(scaled[0], plain[0])
        np.testing.assert_array_equal(scaled[2], plain[2])

    @pytest.mark.parametrize("scale", [1e-200, 1e200])
    def test_prices_whose_squares_are_beyond_a_float_have_no_ratio(self, scale: float) -> None:
        rng = np.random.default_rng(1)
        y, x = (rng.uniform(1, 2, (2, 40)) * scale).tolist()
        out = pairs_signals(y, x, 6)
        assert np.isnan(out[0]).all()
        assert np.isnan(out[2]).all()


class TestPairsDecide:
    @both
    def test_thresholds_are_met_when_they_are_reached(self, compiled: bool) -> None:
        # Units: floor(100 / (10 + 5)) = 6 of y, 6 of x.
        z = [0.0, 1.999, 2.0, 0.6, 0.5, -1.999, -2.0, -0.6, -0.5, 0.0]
        intents, _ = pairs_decide(z, compiled=compiled)
        assert intents == [
            (2, 0, -6.0),
            (2, 1, 6.0),
            (4, 0, 0.0),
            (4, 1, 0.0),
            (6, 0, 6.0),
            (6, 1, -6.0),
            (8, 0, 0.0),
            (8, 1, 0.0),
        ]

    @both
    def test_a_negative_exit_waits_for_the_other_side(self, compiled: bool) -> None:
        z = [3.0, 0.4, 0.0, -0.99, -1.0, 0.0]
        intents, _ = pairs_decide(z, levels=(2.0, -1.0, 100.0), compiled=compiled)
        assert [bar for bar, leg, _ in intents if leg == 0] == [0, 4]

    @both
    def test_the_bar_of_an_exit_is_not_looked_at_for_an_entry(self, compiled: bool) -> None:
        intents, _ = pairs_decide([3.0, -3.0, -3.0, 0.0], compiled=compiled)
        assert [(bar, target) for bar, leg, target in intents if leg == 0] == [
            (0, -6.0),
            (1, 0.0),
            (2, 6.0),
            (3, 0.0),
        ]

    @both
    def test_an_undefined_score_decides_nothing(self, compiled: bool) -> None:
        intents, _ = pairs_decide([NAN, 3.0, NAN, NAN, 0.0, NAN], compiled=compiled)
        assert [bar for bar, leg, _ in intents if leg == 0] == [1, 4]

    @both
    @pytest.mark.parametrize("ratio", [0.0, -0.5, NAN])
    def test_a_ratio_that_is_not_positive_is_skipped_and_counted(
        self, ratio: float, compiled: bool
    ) -> None:
        intents, states = pairs_decide([3.0, -2.5, 1.0, 2.0], ratio=ratio, compiled=compiled)
        assert intents == []
        assert states == [[4, 0, 3, 0]]

    @both
    @pytest.mark.parametrize(
        ("ratio", "money"), [(1.0, 14.99), (0.04, 110.0), (1.0, 0.0), (1.0, -50.0)]
    )
    def test_a_leg_of_no_share_is_skipped_and_counted(
        self, ratio: float, money: float, compiled: bool
    ) -> None:
        # 0.04 x 10 shares of y are 0.4 of x, which round to none.
        levels = (2.0, 0.5, money)
        intents, states = pairs_decide(
            [3.0, 0.0, 3.0], ratio=ratio, levels=levels, compiled=compiled
        )
        assert intents == []
        assert states == [[3, 0, 0, 2]]

    @both
    @pytest.mark.parametrize(("ratio", "units_x"), [(0.24, 2.0), (0.25, 3.0), (0.75, 8.0)])
    def test_units_of_x_are_rounded_half_up(
        self, ratio: float, units_x: float, compiled: bool
    ) -> None:
        # Money for ten shares of y and not eleven: 2.4, 2.5 and 7.5 of x.
        levels = (2.0, 0.5, 10.0 * (10.0 + ratio * 5.0) + 5.0)
        intents, _ = pairs_decide([3.0], ratio=ratio, levels=levels, compiled=compiled)
        assert intents == [(0, 0, -10.0), (0, 1, units_x)]

    @both
    @pytest.mark.parametrize("room", [4, 5, 6, 7])
    @pytest.mark.parametrize("once", [False, True])
    def test_buffers_of_any_size_hold_the_same_intents(
        self, room: int, once: bool, compiled: bool
    ) -> None:
        rng = np.random.default_rng(5)
        z = rng.normal(0, 2, 80).tolist()
        whole, states = pairs_decide(z)
        assert len(whole) > 40
        assert len(states) == 1
        parts, several = pairs_decide(z, room=room, once=once, compiled=compiled)
        assert parts == whole
        assert len(several) > 5
        assert several[-1] == states[-1]

    @both
    def test_once_stops_after_every_exit(self, compiled: bool) -> None:
        z = [0.0, 3.0, 1.0, 0.0, 0.0, -3.0, 0.0, 1.0]
        _, states = pairs_decide(z, once=True, compiled=compiled)
        assert [state[:2] for state in states] == [[4, 0], [7, 0], [8, 0]]

    @both
    def test_a_state_beyond_the_bars_decides_nothing(self, compiled: bool) -> None:
        state = np.array([9, 1, 0, 0])
        where, targets = np.zeros((2, 4), dtype=np.int64), np.zeros(4)
        kernel = kernel_of("pairs", "decide", compiled=compiled)
        signals, prices = np.zeros((3, 5)), np.ones((2, 5))
        levels = (2.0, 0.5, 10.0)
        assert kernel(prices, (0, 1), signals, levels, False, state, where, targets) == 0
        assert state.tolist() == [9, 1, 0, 0]


class TestSmaCross:
    @staticmethod
    def averages(
        prices: Sequence[float], fast: int, slow: int, *, compiled: bool = True
    ) -> list[list[float]]:
        out = np.full((2, len(prices)), -1.0)
        kernel = kernel_of("sma_cross", "signals", compiled=compiled)
        kernel(np.array([prices], dtype=float), 0, (fast, slow), np.full(slow, -1.0), out)
        return [row.tolist() for row in out]

    @staticmethod
    def decide(
        fast: Sequence[float], *, room: int = 64, once: bool = False, compiled: bool = True
    ) -> tuple[list[tuple[int, float]], list[list[int]]]:
        """Decide with a slow average of 5 at a price of 10 and money for three shares."""
        bars = len(fast)
        prices, signals = np.full((1, bars), 10.0), np.array([fast, [5.0] * bars])
        state = np.zeros(4, dtype=np.int64)
        where, targets = np.zeros((2, room), dtype=np.int64), np.zeros(room)
        intents: list[tuple[int, float]] = []
        states = []
        kernel = kernel_of("sma_cross", "decide", compiled=compiled)
        while state[0] < bars:
            count = kernel(prices, 0, signals, 39.9, once, state, where, targets)
            intents += list(zip(where[0, :count].tolist(), targets[:count].tolist(), strict=True))
            states.append(state.tolist())
        return intents, states

    @both
    def test_averages_by_hand(self, compiled: bool) -> None:
        fast, slow = self.averages([1, 2, 6, 3, 9], 1, 3, compiled=compiled)
        assert fast == [1, 2, 6, 3, 9]
        expected = [NAN, NAN, 3.0, 11 / 3, 6.0]
        assert slow == pytest.approx(expected, rel=1e-15, nan_ok=True)

    @both
    def test_averages_of_a_price_that_does_not_move_are_that_price(self, compiled: bool) -> None:
        fast, slow = self.averages([0.1] * 40, 3, 7, compiled=compiled)
        assert fast[2:] == [0.1] * 38
        assert slow[6:] == [0.1] * 34

    @both
    def test_a_price_that_is_not_a_number_spoils_its_windows(self, compiled: bool) -> None:
        prices = [1.0, 2, 3, NAN, 5, 6, 7, 8, 9, 10]
        fast, slow = self.averages(prices, 2, 3, compiled=compiled)
        assert np.isnan(fast[3:5]).all()
        assert np.isnan(slow[3:6]).all()

    @both
    def test_equal_and_undefined_averages_are_not_above(self, compiled: bool) -> None:
        # The slow average is 5: long from the first bar above it, flat from the first not above.
        fast = [NAN, 5.0, 5.1, 6.0, 5.0, 5.0, 7.0, NAN, 4.0]
        intents, _ = self.decide(fast, compiled=compiled)
        assert intents == [(2, 3.0), (4, 0.0), (6, 3.0), (7, 0.0)]

    @both
    @pytest.mark.parametrize("room", [2, 3, 5])
    @pytest.mark.parametrize("once", [False, True])
    def test_buffers_of_any_size_hold_the_same_intents(
        self, room: int, once: bool, compiled: bool
    ) -> None:
        fast = np.random.default_rng(2).normal(5.0, 1.0, 60).tolist()
        whole, states = self.decide(fast)
        assert len(whole) > 20
        parts, several = self.decide(fast, room=room, once=once, compiled=compiled)
        assert parts == whole
        assert len(several) > 3
        assert several[-1] == states[-1]

    @both
    def test_once_stops_after_every_exit(self, compiled: bool) -> None:
        _, states = self.decide([6, 4, 4, 6, 6, 4, 6], once=True, compiled=compiled)
        assert [state[:2] for state in states] == [[2, 0], [6, 0], [7, 1]]
