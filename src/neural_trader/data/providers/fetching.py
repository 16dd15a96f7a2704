"""Many symbols from one provider into a catalog: concurrent, bounded, and resumed where it stopped.

A few workers take one symbol after the other, so that the memory is that of a few symbols however
many are wanted. What has come is in the catalog at once, with the range of days that it covers: a
later run asks for the rest alone. One symbol's failure is told and does not stop the others.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Final, Literal, NamedTuple

from neural_trader.core import Bars, ConfigError, DataError
from neural_trader.core.sessions import DAY_NS, first_ns, session_date, session_day
from neural_trader.data.catalog import (
    Catalog,
    OnConflict,
    Provenance,
    check_origin,
    file_name,
    uncovered,
)
from neural_trader.data.frequencies import Frequency, read_frequency
from neural_trader.data.providers.protocol import Ask, Provider

Status = Literal["fetched", "up to date", "empty", "failed"]
Days = tuple[dt.date, dt.date]
_ONE: Final = dt.timedelta(days=1)
WORKERS: Final = 16


class Outcome(NamedTuple):
    """What became of one symbol.

    ``added``, ``same`` and ``replaced`` count bars; ``unfinished`` those that had not closed yet,
    which are left out. ``missing`` are the days for which the provider gave no answer.
    """

    symbol: str
    status: Status
    added: int
    same: int
    replaced: int
    unfinished: int
    missing: tuple[Days, ...]
    error: str


class Plan(NamedTuple):
    """What is to be fetched.

    Parameters
    ----------
    symbols : tuple of str
        Each once.
    frequency : Frequency
        The length of a bar.
    start, end : datetime.date
        First and last session date, both inclusive.
    now_ns : int
        Nanoseconds UTC: bars that close later are left out, and days that end later stay open.
    refresh : bool
        Whether days that were fetched before are fetched again.
    on_conflict : {"refuse", "new", "old"}
        What a bar counts that is there already with other values.
    workers : int
        Symbols at once.
    """

    symbols: tuple[str, ...]
    frequency: Frequency
    start: dt.date
    end: dt.date
    now_ns: int
    refresh: bool = False
    on_conflict: OnConflict = "refuse"
    workers: int = WORKERS


def plan(  # noqa: PLR0913 - the words of a fetch
    symbols: Sequence[str],
    *,
    frequency: str,
    start: str | dt.date,
    end: str | dt.date | None,
    now_ns: int,
    refresh: bool = False,
    on_conflict: OnConflict = "refuse",
    workers: int = WORKERS,
) -> Plan:
    """Check what is to be fetched.

    Raises
    ------
    ConfigError
        A symbol, date or number cannot be used, or the range ends before it starts or starts in
        the future.
    """
    wanted = tuple(symbols)
    if not wanted:
        message = "no symbol is given; expected one or more, such as AAPL,MSFT"
        raise ConfigError(message)
    twice = next((symbol for symbol in wanted if wanted.count(symbol) > 1), None)
    if twice is not None:
        message = f"symbols has {twice!r} twice; expected each once"
        raise ConfigError(message)
    for symbol in wanted:
        file_name(symbol)
    today = session_date(now_ns)
    first, last = (
        session_date(first_ns(session_day(each, option=name)))
        for name, each in (("start", start), ("end", today if end is None else end))
    )
    if first > last:
        message = f"start {first} lies after end {last}; expected start <= end. Swap them"
        raise ConfigError(message)
    if first > today:
        message = f"start {first} lies in the future; today is {today}"
        raise ConfigError(message)
    if workers < 1:
        message = f"workers is {workers}; expected 1 or more"
        raise ConfigError(message)
    return Plan(
        wanted,
        read_frequency(frequency),
        first,
        min(last, today),
        now_ns,
        refresh,
        on_conflict,
        workers,
    )


async def fetch(
    provider: Provider,
    catalog: Catalog,
    wanted: Plan,
    *,
    on_done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Fetch bars into a catalog.

    Parameters
    ----------
    provider : Provider
        Not yet entered.
    catalog : Catalog
        Where the bars go.
    wanted : Plan
        What is fetched.
    on_done : callable, optional
        Called with each outcome as soon as it is there.

    Returns
    -------
    list of Outcome
        One a symbol, in the order of the plan.

    Raises
    ------
    ConfigError
        The provider answers nobody like this. What had come before is kept.

    Timing
    ------
    A bar is stamped at its close; one that has not closed by ``now_ns`` is left out, since it
    would change.

    Missing
    -------
    A range that the provider answered in full counts as fetched, bars or none; nothing is filled.
    """
    left = iter(enumerate(wanted.symbols))
    outcomes: dict[int, Outcome] = {}

    async def work() -> None:
        for at, symbol in left:
            outcomes[at] = await _fetch_one(provider, catalog, wanted, symbol)
            if on_done is not None:
                on_done(outcomes[at])

    async with provider:
        workers = [
            asyncio.create_task(work()) for _ in range(min(wanted.workers, len(wanted.symbols)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            # After an error, or Ctrl-C: nobody goes on in the background.
            for worker in workers:
                worker.cancel()
            for worker in workers:
                with suppress(asyncio.CancelledError, Exception):
                    await worker
    return [outcomes[at] for at in range(len(wanted.symbols))]


async def _fetch_one(provider: Provider, catalog: Catalog, wanted: Plan, symbol: str) -> Outcome:
    """Fetch what a symbol lacks, range by range."""
    added = same = replaced = unfinished = 0
    ranges: list[Days] = [(wanted.start, wanted.end)]
    since: dt.date | None = None
    try:
        known = await asyncio.to_thread(catalog.provenance, symbol, wanted.frequency.name)
        if known is not None:
            path = catalog.path_of(symbol, wanted.frequency.name)
            check_origin(path, known.origin, provider.origin(symbol))
        ranges, whole = _ranges(known, wanted)
        chunks = [each for one in ranges for each in _chunks(one, provider, wanted, whole=whole)]
        if not chunks:
            return Outcome(symbol, "up to date", 0, 0, 0, 0, (), "")
        async for days, bars in _answers(provider, wanted, symbol, chunks):
            closed, open_bars = _closed(bars, wanted.now_ns)
            unfinished += open_bars
            covered = _covered(days, wanted.now_ns)
            if closed is not None:
                # Days without a bar before the first one had no file to be noted in.
                covered = covered and (since or covered[0], covered[1])
                written = await asyncio.to_thread(
                    _store, (provider, catalog), closed, wanted, covered, whole=whole
                )
                since = None
                added += written[0]
                same += written[1]
                replaced += written[2]
            elif known is None and not added:
                since = since or days[0]
            elif covered is not None:
                await asyncio.to_thread(
                    catalog.note_covered, symbol, wanted.frequency.name, covered
                )
            ranges = [each for one in ranges for each in uncovered(one, (days,))]
    except DataError as error:
        missing = tuple(ranges)
        return Outcome(symbol, "failed", added, same, replaced, unfinished, missing, str(error))
    if known is None and not added and not unfinished:
        asked = (wanted.start, wanted.end)
        message = (
            f"{provider.origin(symbol).provider} has no bars of {symbol} from {asked[0]} to "
            f"{asked[1]}. Check symbol, range and feed"
        )
        return Outcome(symbol, "failed", 0, 0, 0, 0, (asked,), message)
    status: Status = "fetched" if added + same + replaced else "empty"
    return Outcome(symbol, status, added, same, replaced, unfinished, (), "")


async def _answers(
    provider: Provider, wanted: Plan, symbol: str, chunks: Sequence[Days]
) -> AsyncIterator[tuple[Days, Bars | None]]:
    """Ask for one range after the other: a symbol's bars are appended in order."""
    for first, last in chunks:
        yield (first, last), await provider.bars(Ask(symbol, wanted.frequency, first, last))


def _ranges(known: Provenance | None, wanted: Plan) -> tuple[list[Days], bool]:
    """Return the days to ask for, and whether they make the whole series anew.

    Adjusted prices change with every split and dividend: a series that is continued would stand on
    two bases, so it is fetched anew from its beginning.
    """
    asked = (wanted.start, wanted.end)
    if known is None:
        return [asked], False
    lacking = [asked] if wanted.refresh else list(uncovered(asked, known.covered))
    if known.origin.basis == "raw" or not lacking:
        return lacking, False
    days = [day for each in (*known.covered, asked) for day in each]
    return [(min(days), max(days))], True


def _chunks(days: Days, provider: Provider, wanted: Plan, *, whole: bool) -> list[Days]:
    """Cut a long range of bars within the day: a bound on memory, and on what a stop loses."""
    first, last = days
    if wanted.frequency.daily or whole:
        return [days]
    out = []
    while first <= last:
        stop = min(last, first + (provider.days_max - 1) * _ONE)
        out.append((first, stop))
        first = stop + _ONE
    return out


def _closed(bars: Bars | None, now_ns: int) -> tuple[Bars | None, int]:
    """Return the bars that have closed, and how many have not."""
    import numpy as np

    if bars is None:
        return None, 0
    (block,) = bars.blocks
    count = int(np.searchsorted(block.ts_close_ns, now_ns, "right"))
    late = len(block.ts_close_ns) - count
    if not late:
        return bars, 0
    if not count:
        return None, late
    kept = block.cut([0], 0, count)
    return Bars(
        (kept,), name=bars.name, basis=bars.basis, labels=bars.labels, splits=bars.splits
    ), late


def _covered(days: Days, now_ns: int) -> Days | None:
    """Return the days of a range that are over: what they lack will not come."""
    over = session_date(now_ns // DAY_NS * DAY_NS - 1)
    return None if days[0] > over else (days[0], min(days[1], over))


def _store(
    ends: tuple[Provider, Catalog],
    bars: Bars,
    wanted: Plan,
    covered: Days | None,
    *,
    whole: bool,
) -> tuple[int, int, int]:
    """Write bars; called in a thread, since a write waits for the disk."""
    from neural_trader.data.catalog import time_text

    provider, catalog = ends
    (symbol,) = bars.symbols
    (written,) = catalog.write(
        bars,
        provider.origin(symbol),
        at=time_text(wanted.now_ns // 1_000_000_000 * 1_000_000_000),
        frequency=wanted.frequency.name,
        covered=covered,
        on_conflict=wanted.on_conflict,
        replace_all=whole,
    )
    return written.added, written.same, written.replaced
