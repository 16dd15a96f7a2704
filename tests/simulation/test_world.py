"""Whatever breaks: nothing lost, nothing twice; and whatever was lost would be noticed."""

from collections import Counter
from itertools import count

import pytest

from neural_trader.execution import Gateway
from neural_trader.execution import messages as m
from neural_trader.execution.checkpoint import take_image
from neural_trader.execution.journal import disk
from neural_trader.execution.venue_link import VenueLink
from tests.simulation.faults import FAULTS
from tests.simulation.history import STEPS, Failure, failure_of, names_of, play, shrink
from tests.simulation.simulate import main
from tests.simulation.watch import Broken

CHUNK = 25
EARLY = {
    "an order is written down first",
    "nobody is told what is not written down",
    "cash is the sum of the fills",
}
HAPPENED: Counter[str] = Counter()


@pytest.mark.parametrize("begin", range(0, 400, CHUNK))
def test_every_promise_is_kept(begin: int) -> None:
    for seed in range(begin, begin + CHUNK):
        failure, happened = failure_of(seed)
        assert failure is None, f"{failure}; shorter: make simulate SEED={seed}"
        HAPPENED.update(happened)


def test_every_fault_happens() -> None:
    # Those that are rare have to be looked for.
    for seed in range(400, 1_200):
        if all(HAPPENED[name] for name in FAULTS):
            break
        HAPPENED.update(failure_of(seed)[1])
    assert [name for name in FAULTS if not HAPPENED[name]] == []


def test_a_seed_is_one_history() -> None:
    one, two = play(11), play(11)
    assert one.happened == two.happened
    assert one.watch.records == two.watch.records
    assert one.watch.stream == two.watch.stream
    last = one.running.journal.next_seq
    assert take_image(one.running.core, last) == take_image(two.running.core, last)


def test_steps_that_are_left_out_leave_the_others_what_they_were() -> None:
    names: list[str] = []
    play(5, range(100), names)
    assert names_of(5, range(50, 100)) == names[50:]


# ------------------------------------------------------------------------ the simulator is tested
def found(promises: set[str], seeds: int = 400) -> Failure:
    """Return the first history that fails, which has to break one of some promises."""
    for seed in range(seeds):
        failure, _ = failure_of(seed)
        if failure is not None:
            assert failure.what in promises, failure
            return failure
    pytest.fail(f"nothing was noticed in {seeds} histories")


def commit_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every turn's records be written in the turn after it."""
    original = Gateway.commit

    def lazy(self: Gateway) -> None:
        # Of each gateway by itself: a history must not depend on those played before.
        if next(self.__dict__.setdefault("turns", count())) % 2:
            original(self)

    monkeypatch.setattr(Gateway, "commit", lazy)


def test_a_fill_that_is_booked_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = VenueLink._on_filled

    def book_again(self: VenueLink, fill: m.OrderFilled, ts: int) -> None:
        known = self._find(fill.id)
        if known is not None:
            known[1].fill_ids = ()
        original(self, fill, ts)

    monkeypatch.setattr(VenueLink, "_on_filled", book_again)
    found({"a fill is booked once", "no fill is an orphan"})


def test_an_order_that_leaves_before_it_is_written_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit_late(monkeypatch)
    found(EARLY)


def test_a_write_that_is_not_flushed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    write = disk.write

    def only_write(fd: int, data: bytes, at: int, *, is_flushed: bool) -> None:
        assert is_flushed in (True, False)
        write(fd, data, at, is_flushed=False)

    monkeypatch.setattr(disk, "write", only_write)
    found({"what was committed is in the journal", "a journal that was written can be opened"})


def test_a_name_that_is_not_flushed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "flush_folder", lambda _: None)
    found({"what was committed is in the journal", "a journal that was written can be opened"})


def test_a_history_that_fails_is_made_short(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_late(monkeypatch)
    failure = found(EARLY)
    steps = shrink(failure)
    assert len(steps) < STEPS // 10
    with pytest.raises(Broken, match=failure.what):
        play(failure.seed, steps)
    assert main(["--seed", str(failure.seed)]) == 1
    told = capsys.readouterr().out
    assert f"make simulate SEED={failure.seed}" in told
    assert f"{len(steps)} of {STEPS} steps are enough" in told
