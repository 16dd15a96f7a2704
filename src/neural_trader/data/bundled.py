"""The bundled samples: real prices that every example, test and demo can count on.

Each sample is a Parquet file in ``samples/``; ``samples.json`` beside them, written by
``scripts/build_samples.py``, says what they hold, so that listing them reads no prices.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from neural_trader.core import Basis, Block, DataError, Split
from neural_trader.core.sessions import first_ns, session_day

_FOLDER: Final = Path(__file__).with_name("samples")


class Sample(NamedTuple):
    """What a bundled sample holds.

    ``start`` and ``end`` are its first and last session dates; ``bars`` counts distinct bar times,
    ``bytes`` the file; ``splits`` are those that its prices are not adjusted for.
    """

    name: str
    title: str
    symbols: tuple[str, ...]
    bars: int
    start: str
    end: str
    fields: tuple[str, ...]
    basis: Basis
    labels: tuple[str, ...]
    splits: tuple[Split, ...]
    license: str
    source: str
    bytes: int

    @property
    def path(self) -> Path:
        """The Parquet file."""
        return _FOLDER / f"{self.name}.parquet"


def samples() -> tuple[Sample, ...]:
    """Return the bundled samples.

    Returns
    -------
    tuple of Sample
        Sorted by name. No prices are read, and Polars is not imported.
    """
    try:
        text = (_FOLDER / "samples.json").read_text(encoding="utf-8")
    except OSError as error:
        message = f"the bundled samples are missing ({error}). Reinstall neural-trader"
        raise DataError(message) from None
    return tuple(
        Sample(
            name=name,
            title=entry["title"],
            symbols=tuple(entry["symbols"]),
            bars=entry["bars"],
            start=entry["start"],
            end=entry["end"],
            fields=tuple(entry["fields"]),
            basis=entry["basis"],
            labels=tuple(entry["labels"]),
            splits=_read_splits(name),
            license=entry["license"],
            source=entry["source"],
            bytes=entry["bytes"],
        )
        for name, entry in sorted(json.loads(text).items())
    )


def find_sample(name: str) -> Sample | None:
    """Return the sample of this name, or None."""
    try:
        bundled = bool(name) and (_FOLDER / f"{name}.parquet").is_file()
    except OSError:
        # The name of no sample is too long for a file.
        return None
    if not bundled:
        return None
    return next((sample for sample in samples() if sample.name == name), None)


def _read_splits(name: str) -> tuple[Split, ...]:
    """Read the table of splits beside a sample: symbol, day, ratio."""
    path = _FOLDER / f"{name}-splits.csv"
    if not path.is_file():
        return ()
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return tuple(
        Split(symbol, session_day(day, option="day"), float(ratio)) for symbol, day, ratio in rows
    )


def adjusted(block: Block, splits: tuple[Split, ...]) -> Block:
    """Return a block with prices and volumes in shares of after its last split.

    Prices before a split are divided by its ratio, volumes multiplied by it.

    Timing
    ------
    Every known split counts, whatever range is loaded later, so that a bar has the same values in
    every range. The level of an early price therefore knows of later splits; its returns do not.
    """
    fields = {name: values.copy() for name, values in block.fields.items()}
    for split in splits:
        row = block.row_of.get(split.symbol)
        if row is None:
            continue
        before = int(np.searchsorted(block.ts_close_ns, first_ns(split.day), "left"))
        for name, values in fields.items():
            if name == "volume":
                values[row, :before] *= split.ratio
            else:
                values[row, :before] /= split.ratio
    for values in fields.values():
        values.flags.writeable = False
    return Block(block.symbols, block.ts_close_ns, fields)
