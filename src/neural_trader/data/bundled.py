"""The bundled samples: real prices that every example, test and demo can count on.

Each sample is a Parquet file in ``samples/``; ``samples.json`` beside them, written by
``scripts/build_samples.py``, says what they hold, so that listing them reads no prices.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

from neural_trader.core import Basis, DataError, Split
from neural_trader.core.sessions import session_day

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
