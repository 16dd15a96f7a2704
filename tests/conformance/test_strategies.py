"""What the engine relies on, asked of every strategy that the command line knows."""

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.strategies import STATE_SIZE, STRATEGIES, CompiledStrategy, IntentBuffer, Legs

BARS = nt.load("sp500-closes")


def made(kind: str, **more: object) -> CompiledStrategy:
    if kind == "pairs":
        return nt.Pairs("KO", "PEP", lookback=12, entry=1.0, exit=0.0, **more)  # type: ignore[arg-type]
    return nt.SmaCross("KO", fast=5, slow=15, **more)  # type: ignore[arg-type]


def decide_all(strategy: CompiledStrategy, room: int) -> tuple[list[tuple[float, ...]], list[int]]:
    """Return every intent, decided into buffers of some size, and the strategy's last state."""
    block, rows = BARS.common(strategy.symbols)
    legs = Legs(block.fields["close"], rows)
    signals = strategy.signals(legs)
    state = np.zeros(STATE_SIZE, dtype=np.int64)
    buffer = IntentBuffer(state, np.empty((2, room), dtype=np.int64), np.empty(room))
    intents: list[tuple[float, ...]] = []
    while state[0] < legs.close.shape[1]:
        count = strategy.decide(legs, signals, 20_000.0, buffer)
        columns = zip(*buffer.where[:, :count].tolist(), buffer.targets[:count], strict=True)
        intents += [tuple(map(float, column)) for column in columns]
    return intents, state.tolist()


@pytest.mark.parametrize("kind", STRATEGIES)
class TestEveryStrategy:
    def test_it_says_what_it_is(self, kind: str) -> None:
        strategy = made(kind)
        assert strategy.kind == kind
        assert len(strategy.signal_names) == len(strategy.signals(self.legs(strategy)))

    @staticmethod
    def legs(strategy: CompiledStrategy) -> Legs:
        block, rows = BARS.common(strategy.symbols)
        return Legs(block.fields["close"], rows)

    def test_nothing_is_decided_before_the_warm_up_is_over(self, kind: str) -> None:
        strategy = made(kind)
        signals = strategy.signals(self.legs(strategy))
        assert np.isnan(signals[-1, : strategy.warmup_bars]).all()
        assert not np.isnan(signals[-1, strategy.warmup_bars])
        intents, _ = decide_all(strategy, 4096)
        assert intents[0][0] >= strategy.warmup_bars

    def test_intents_come_in_the_order_of_time(self, kind: str) -> None:
        intents, _ = decide_all(made(kind), 4096)
        bars = [bar for bar, _, _ in intents]
        assert len(bars) > 100
        assert bars == sorted(bars)

    @pytest.mark.parametrize("room", [4, 5, 7, 64])
    def test_small_buffers_change_nothing(self, kind: str, room: int) -> None:
        assert decide_all(made(kind), room) == decide_all(made(kind), 100_000)

    def test_a_share_of_equity_is_decided_one_round_trip_at_a_time(self, kind: str) -> None:
        money, _ = decide_all(made(kind), 4096)
        share, _ = decide_all(made(kind, gross=0.5), 4096)
        assert share == money

    def test_it_can_be_hashed_compared_and_kept(self, kind: str) -> None:
        assert made(kind) == made(kind)
        assert hash(made(kind)) == hash(made(kind))
        with pytest.raises(AttributeError):
            made(kind).kind = "other"  # type: ignore[misc]
