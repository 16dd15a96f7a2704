"""What a replay plays: bars slice by slice, or ticks one by one, with their times.

A *moment* is a time and the events that are sent together at it.
"""

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, cast

import numpy as np

from neural_trader.core import Bars, ConfigError, DataError, unknown_symbol
from neural_trader.core.bars import FIELDS
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.actions import Adjust
from neural_trader.data.bundled import find_sample
from neural_trader.data.feeds.events import (
    BarEvent,
    Event,
    Heartbeat,
    MarketEvent,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)
from neural_trader.data.feeds.protocol import About
from neural_trader.data.feeds.ticks import are_ticks, may_be_ticks, read_ticks
from neural_trader.data.loading import load
from neural_trader.data.paths import find_path

Kind = Literal["bars", "ticks"]

SERIES_ENDED_NS: Final = 7 * DAY_NS
"""A symbol whose last bar lies so long before the last of all has ended; less is a holiday."""


class Selection(NamedTuple):
    """Which part of a source is played: symbols and inclusive session dates; None is all."""

    symbols: Sequence[str] | None = None
    start: str | dt.date | None = None
    end: str | dt.date | None = None
    adjust: Adjust = "splits"
    kind: Kind | None = None


class Moment(NamedTuple):
    """A time, and what is sent then."""

    ts_ns: int
    events: tuple[Event, ...]


class Recording(NamedTuple):
    """What a source holds, and its moments in the order in which they are played."""

    about: About
    moments: Iterable[Moment]


def open_source(source: object, selection: Selection) -> Recording:
    """Read a source.

    Raises
    ------
    ConfigError
        The source is of no known kind, or a selection that it cannot serve.
    DataError
        It is not there, is not what it must be, or has no such symbol.
    """
    if selection.kind not in (None, "bars", "ticks"):
        message = f"kind is {selection.kind!r}; expected 'bars' or 'ticks'"
        raise ConfigError(message)
    if isinstance(source, Bars):
        if selection.start is not None or selection.end is not None:
            message = "start and end are for names and paths; load the bars with them"
            raise ConfigError(message)
        return _of_bars(_chosen(source, selection.symbols))
    if isinstance(source, (str, os.PathLike)):
        return _of_path(source, selection)
    if isinstance(source, (list, tuple, Iterator)):
        return _of_events(list(source), selection)
    return _of_bars(
        load(source, symbols=selection.symbols, start=selection.start, end=selection.end)
    )


def _of_path(source: str | os.PathLike[str], selection: Selection) -> Recording:
    is_sample = isinstance(source, str) and find_sample(source) is not None
    kind = selection.kind
    if kind is None:
        kind = "bars" if is_sample or not are_ticks(find_path(source)) else "ticks"
    if kind == "bars":
        try:
            bars = load(
                source,
                symbols=selection.symbols,
                start=selection.start,
                end=selection.end,
                adjust=selection.adjust,
            )
        except DataError as error:
            if selection.kind is None and not is_sample and may_be_ticks(find_path(source)):
                message = f"{error}. If the rows are trades, say so: kind='ticks' (--kind ticks)"
                raise DataError(message) from None
            raise
        return _of_bars(bars)
    if is_sample:
        message = f"the sample {source} holds bars; kind='ticks' is for files of trades or quotes"
        raise ConfigError(message)
    if selection.start is not None or selection.end is not None:
        message = "start and end are for bars; a file of ticks is replayed whole"
        raise ConfigError(message)
    path = find_path(source)
    return _of_events(read_ticks(path), selection, name=path.name)


def _chosen(bars: Bars, symbols: Sequence[str] | None) -> Bars:
    """Return bars that are in memory, with their hash as long as none is left out."""
    if symbols is None:
        return bars
    wanted = (symbols,) if isinstance(symbols, str) else tuple(symbols)
    blocks = []
    for symbol in wanted:
        bars.home(symbol)
    for block in bars.blocks:
        rows = [row for symbol, row in block.row_of.items() if symbol in wanted]
        if rows:
            blocks.append(block.cut(rows, 0, len(block.ts_close_ns)))
    return Bars(
        tuple(blocks), name=bars.name, basis=bars.basis, labels=bars.labels, splits=bars.splits
    )


def _of_bars(bars: Bars) -> Recording:
    fields = {
        symbol: tuple(name for name in FIELDS if name in block.fields)
        for block in bars.blocks
        for symbol in block.symbols
    }
    about = About(bars.name, fields, bars.basis, bars.labels, bars.splits)
    return Recording(about, _Slices(bars))


def _bar(symbol: str, stamp: int, values: dict[str, float]) -> BarEvent:
    get = values.get
    return BarEvent(
        symbol=symbol,
        ts_close_ns=stamp,
        close=values["close"],
        open=get("open"),
        high=get("high"),
        low=get("low"),
        volume=get("volume"),
    )


class _Slices:
    """The time slices of bars; made when they are asked for: memory stays that of the bars."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def __iter__(self) -> Iterator[Moment]:
        blocks = self._bars.blocks
        stamps = np.unique(np.concatenate([block.ts_close_ns for block in blocks]))
        last = int(stamps[-1])
        places = [0] * len(blocks)
        for stamp in stamps.tolist():
            events: list[Event] = []
            ended: list[Event] = []
            for number, block in enumerate(blocks):
                at = places[number]
                times = block.ts_close_ns
                if at == len(times) or times[at] != stamp:
                    continue
                places[number] = at + 1
                for symbol, row in block.row_of.items():
                    values = {name: float(each[row, at]) for name, each in block.fields.items()}
                    events.append(_bar(symbol, stamp, values))
                    if at + 1 == len(times) and last - stamp > SERIES_ENDED_NS:
                        ended.append(
                            StatusEvent(
                                ts_event_ns=stamp,
                                condition="ended",
                                symbol=symbol,
                                detail="its series ends here",
                            )
                        )
            yield Moment(stamp, (*events, Heartbeat(ts_event_ns=stamp), *ended))


def _of_events(events: list[object], selection: Selection, name: str = "events") -> Recording:
    """Return events as they stand in a list: their order is the order of their arrival."""
    market = (BarEvent, TradeEvent, QuoteEvent)
    for place, event in enumerate(events):
        if not isinstance(event, (*market, Heartbeat, StatusEvent)):
            message = f"item {place} is {event!r}; expected a bar, a trade, a quote or a heartbeat"
            raise ConfigError(message)
    if not events:
        message = f"{name} holds no event; expected one or more"
        raise DataError(message)
    fields: dict[str, set[str]] = {}
    for event in events:
        if isinstance(event, market):
            have = {each for each in FIELDS if getattr(event, each, None) is not None}
            known = fields.setdefault(event.symbol, have)
            known &= have
    wanted = selection.symbols
    if wanted is not None:
        wanted = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        for symbol in wanted:
            if symbol not in fields:
                raise DataError(unknown_symbol(symbol, fields, where=name))
        fields = {symbol: fields[symbol] for symbol in wanted}
    about = About(
        name, {s: tuple(each for each in FIELDS if each in have) for s, have in fields.items()}
    )
    kept = [
        cast("Event", event)
        for event in events
        if getattr(event, "symbol", None) is None or cast("MarketEvent", event).symbol in fields
    ]
    return Recording(about, [Moment(event.ts_event_ns, (event,)) for event in kept])
