"""Whether a strategy sees the future: the same run again, with the future changed or missing.

A decision at the close of bar t may depend on bars up to t alone. So a strategy is run once on all
bars and its decisions are noted; then it is run again and again on bars that are the same up to
some bar and different, or missing, after it. A decision up to that bar which is no longer the same
was made with the future.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple

import numpy as np

from neural_trader.backtesting.events import (
    Account,
    EventContext,
    Own,
    doer_of,
    run_strategy,
    symbols_of,
)
from neural_trader.backtesting.intents import Intents, TargetWeights
from neural_trader.backtesting.timeline import Timeline, open_timeline
from neural_trader.backtesting.window import Range
from neural_trader.core import (
    Bars,
    Block,
    ConfigError,
    Costs,
    DataError,
    Matching,
    read_instruments,
)
from neural_trader.core.sessions import session_date

CUTS_MAX: Final = 60
_VARIANTS: Final = ("truncated", "changed up", "changed down")
_EVEN_CUTS: Final = 12
# So many bars of another future are enough to be seen, and a run need not go on for decades.
_LATER_BARS: Final = 500

Maker = Callable[[Callable[[Bars], Bars]], AbstractContextManager[Own]]
"""Makes a strategy afresh, for as long as it runs, in a world whose bars a function changes."""


class Decision(NamedTuple):
    """Something a strategy did at the close of a bar, in words and numbers that can be compared."""

    ts_close_ns: int
    what: tuple[Any, ...]


class Lookahead(NamedTuple):
    """What the check found.

    ``first_bar`` is the session date of the first decision that changed with the future, None if
    none did; ``stamp`` its close in nanoseconds; ``variant`` how the future was made different;
    ``was`` and ``became`` the decision without and with that; ``decisions`` and ``bars`` of the
    plain run; ``cuts`` after how many bars the future was changed.
    """

    first_bar: str | None
    stamp: int | None
    variant: str | None
    was: tuple[Any, ...] | None
    became: tuple[Any, ...] | None
    decisions: int
    bars: int
    cuts: int


class _Noting(EventContext):
    """A context that notes what its strategy does."""

    noted: list[Decision]

    def _note(self, *what: object) -> None:
        self.noted.append(Decision(self.ts_close_ns, what))

    def _submit(self, terms: Any) -> Any:  # noqa: ANN401 - as the base says
        self._note("order", self.symbols[terms.leg], *terms[1:])
        return super()._submit(terms)

    def _cancel(self, order_id: int) -> bool:
        self._note("cancel", order_id)
        return super()._cancel(order_id)

    def _replace(self, order_id: int, qty: float, limit: float | None, stop: float | None) -> None:
        self._note("replace", order_id, qty, limit, stop)
        super()._replace(order_id, qty, limit, stop)


def check_lookahead(
    make: Maker,
    bars: Bars,
    *,
    capital: float = 100_000.0,
    costs: Costs | None = None,
    asked: Range | None = None,
    progress: Callable[[list[int]], Iterable[int]] = iter,
) -> Lookahead:
    """Run a strategy with its future changed, and find the first decision that saw it.

    Parameters
    ----------
    make : callable
        Makes the strategy afresh and returns it as a context manager, which stays open while it
        runs. It is given the function that changes bars, for a strategy that loads its own.
    bars : Bars
        The history to run on.
    capital, costs, asked
        As for a run.
    progress : callable
        Wraps the bars after which the future is changed, to show how far the check is.

    Raises
    ------
    ConfigError
        The strategy decides differently on the same bars, so that nothing can be told apart.

    Notes
    -----
    The future is changed right after bars at which the strategy decided, the first ``CUTS_MAX`` of
    them, and after some bars in between: missing, or rising or falling at random with a fixed seed.
    A check can find a strategy guilty; it cannot prove that another is not.
    """
    account = (capital, costs or Costs(), asked or Range(None, None, "before", None))
    with make(_same) as strategy:
        plain = _decisions(strategy, bars, account)
    with make(_same) as strategy:
        again = _decisions(strategy, bars, account)
    if again != plain:
        message = (
            "the strategy decides differently on the same bars (random numbers, or state kept in "
            "its class or module?); make it repeatable to have it checked"
        )
        raise ConfigError(message)
    stamps = _stamps(bars)
    cuts = _cuts(plain, stamps)
    done = 0
    for cut in progress(cuts):
        for variant in _VARIANTS:
            found = _compare(make, bars, account, (plain, cut, variant))
            if found is not None:
                stamp, was, became = found
                when = str(session_date(stamp))
                return Lookahead(
                    when, stamp, variant, was, became, len(plain), len(stamps), done + 1
                )
        done += 1
    return Lookahead(None, None, None, None, None, len(plain), len(stamps), done)


def _compare(
    make: Maker,
    bars: Bars,
    account: tuple[float, Costs, Range],
    case: tuple[list[Decision], int, str],
) -> tuple[int, tuple[Any, ...] | None, tuple[Any, ...] | None] | None:
    """Run with one changed future; return the first decision up to the cut that is another."""
    plain, cut, variant = case

    def change(given: Bars) -> Bars:
        return _changed(given, cut, variant)

    try:
        with make(change) as strategy:
            altered = _decisions(strategy, change(bars), account)
    except DataError:
        # Too few bars are left for a run at all: this cut says nothing.
        return None
    before = [decision for decision in plain if decision.ts_close_ns <= cut]
    after = [decision for decision in altered if decision.ts_close_ns <= cut]
    for was, became in zip(before, after, strict=False):
        if was != became:
            first = min(was.ts_close_ns, became.ts_close_ns)
            return (
                first,
                was.what if was.ts_close_ns == first else None,
                became.what if became.ts_close_ns == first else None,
            )
    if len(before) > len(after):
        return before[len(after)].ts_close_ns, before[len(after)].what, None
    if len(after) > len(before):
        return after[len(before)].ts_close_ns, None, after[len(before)].what
    return None


def _decisions(strategy: Own, bars: Bars, account: tuple[float, Costs, Range]) -> list[Decision]:
    """Return what a strategy does on these bars."""
    capital, costs, asked = account
    doer = doer_of(strategy, bars)
    symbols = symbols_of(doer, bars)
    timeline = open_timeline(bars, symbols, asked)
    rules = Account(capital, costs, Matching(), read_instruments(None, symbols))
    if isinstance(doer, (Intents, TargetWeights)):
        return _planned(doer, timeline)
    noted: list[Decision] = []

    def context(*parts: Any) -> EventContext:  # noqa: ANN401 - as EventContext has them
        desk = _Noting(*parts)
        desk.noted = noted
        return desk

    run_strategy(doer, timeline, rules, context=context)
    return noted


def _planned(frame: Intents | TargetWeights, timeline: Timeline) -> list[Decision]:
    rows = frame.rows(timeline, read_instruments(None, timeline.symbols))
    terms = [rows.limit.tolist(), rows.stop.tolist(), rows.tif.tolist()]
    return [
        Decision(
            int(timeline.ts_close_ns[at]),
            (
                frame.way,
                timeline.symbols[leg],
                size,
                *(repr(column[k]) for column in terms if column),
            ),
        )
        for k, (at, leg, size) in enumerate(
            zip(rows.slices.tolist(), rows.legs.tolist(), rows.size.tolist(), strict=True)
        )
    ]


def _same(bars: Bars) -> Bars:
    return bars


def _stamps(bars: Bars) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.unique(np.concatenate([block.ts_close_ns for block in bars.blocks]))


def _cuts(plain: list[Decision], stamps: np.ndarray[Any, np.dtype[np.int64]]) -> list[int]:
    """Return the closes after which the future is changed, rising."""
    decided = list(dict.fromkeys(decision.ts_close_ns for decision in plain))[:CUTS_MAX]
    places = np.linspace(0, len(stamps) - 2, _EVEN_CUTS + 2)[1:-1].astype(int)
    even = {int(stamps[place]) for place in places if place >= 0}
    return sorted(even | set(decided))


def _changed(bars: Bars, cut: int, variant: str) -> Bars:
    """Return bars that are the same up to a close, and missing or different after it."""
    blocks = [
        block for given in bars.blocks if (block := _changed_block(given, cut, variant)) is not None
    ]
    if not blocks:
        message = "no bar is left"
        raise DataError(message)
    return Bars(
        tuple(blocks), name=bars.name, basis=bars.basis, labels=bars.labels, splits=bars.splits
    )


def _changed_block(block: Block, cut: int, variant: str) -> Block | None:
    kept = int(np.searchsorted(block.ts_close_ns, cut, side="right"))
    rows = range(len(block.symbols))
    if variant == "truncated":
        return block.cut(rows, 0, kept) if kept else None
    stop = min(kept + _LATER_BARS, len(block.ts_close_ns))
    block = block.cut(rows, 0, stop)
    later = stop - kept
    drift = 0.02 if variant == "changed up" else -0.02
    # A fixed seed: the check says the same whenever it is run.
    draw = np.random.default_rng(kept)
    path = np.exp(np.cumsum(draw.normal(drift, 0.05, (len(block.symbols), later)), axis=1))
    fields = {}
    for name, values in block.fields.items():
        fields[name] = values.copy()
        fields[name][:, kept:] *= path
    return Block(block.symbols, block.ts_close_ns, fields)
