"""The front door of the data room: one call from any source to validated bars."""

import datetime as dt
import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from neural_trader.core import BASES, Bars, Basis, Block, ConfigError, DataError, Split
from neural_trader.core.sessions import session_date, first_ns, session_day
from neural_trader.data.content import Content, Span, read_content, read_span, select
from neural_trader.data.readers import data_files, read_tables
from neural_trader.data.samples import Sample, adjusted, find_sample, samples

Adjust = Literal["splits", "none"]
_ADJUST: Final = ("splits", "none")


def load(  # noqa: PLR0913 - the one front door: each option is a word of the field
    source: Any,
    *,
    symbols: str | Sequence[str] | None = None,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    timestamps: Any = None,
    basis: Basis | None = None,
    adjust: Adjust = "splits",
    cache: bool = True,
) -> Bars:
    """Load."""
    wanted = read_symbols(symbols)
    span = read_span(
        None if start is None else session_day(start, option="start"),
        None if end is None else session_day(end, option="end"),
    )
    if basis is not None and basis not in BASES:
        message = f"basis is {basis!r}; expected one of {', '.join(BASES)}"
        raise ConfigError(message)
    if adjust not in _ADJUST:
        message = f"adjust is {adjust!r}; expected one of {', '.join(_ADJUST)}"
        raise ConfigError(message)
    sample = find_sample(source) if isinstance(source, str) else None
    path = sample.path if sample else Path(source)
    content = _from_path(path)
    if sample:
        return _sample_bars(sample, content, wanted, span, adjust)
    blocks = select(path.name, content, wanted, span)
    return Bars(blocks, name=path.name, basis=basis or content.basis)


def read_symbols(symbols: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if symbols is None:
        return None
    return (symbols,) if isinstance(symbols, str) else tuple(symbols)


def _sample_bars(sample, content, wanted, span, adjust) -> Bars:
    splits = sample.splits
    basis = sample.basis
    if splits and adjust == "splits":
        content = content._replace(blocks=tuple(adjusted(b, splits) for b in content.blocks))
        splits, basis = (), "split-adjusted"
    blocks = select(sample.name, content, wanted, span)
    return Bars(
        blocks, name=sample.name, basis=basis, labels=sample.labels, splits=_inside(splits, blocks)
    )


def _inside(splits: tuple[Split, ...], blocks: tuple[Block, ...]) -> tuple[Split, ...]:
    out = []
    for split in splits:
        for block in blocks:
            if (
                split.symbol in block.row_of
                and block.ts_close_ns[0] < first_ns(split.day) <= block.ts_close_ns[-1]
            ):
                out.append(split)
    return tuple(out)


def _from_path(path: Path) -> Content:
    files = data_files(path)
    return read_content(path.name, read_tables(path, [(f, f.read_bytes()) for f in files]))
