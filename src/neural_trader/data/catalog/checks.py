"""What the catalog refuses: another frequency, another origin, another place."""

from pathlib import Path
from typing import Final

import numpy as np

from neural_trader.core import DataError
from neural_trader.core.sessions import DAY_NS, session_date
from neural_trader.data.catalog.files import Columns
from neural_trader.data.catalog.provenance import Origin, Provenance
from neural_trader.data.frequencies import Frequency

_UNKNOWN: Final = "unknown"


def check_grid(symbol: str, columns: Columns, frequency: Frequency) -> None:
    """Refuse bars that are closer together than their frequency says, or carry dates alone.

    Raises
    ------
    DataError
        Two daily bars on one day, others closer than their length, or days that were named hours:
        a wrong frequency was named.
    """
    of_day = columns.stamps % DAY_NS
    if not frequency.daily and len(of_day) > 1 and (of_day == DAY_NS - 1).all():
        message = (
            f"{symbol} has dates alone; bars of {frequency.name} have times. Name the frequency "
            "1Day"
        )
        raise DataError(message)
    step = np.diff(columns.stamps)
    if frequency.daily:
        step = np.diff(columns.stamps // DAY_NS) * DAY_NS
    close = np.flatnonzero(step < frequency.length_ns)
    if len(close):
        row = int(close[0]) + 1
        day = session_date(int(columns.stamps[row]))
        message = (
            f"row {row + 1} of {symbol}: it closes less than {frequency.name} after the bar before "
            f"it, on {day} ({len(close) - 1} more of this kind). Name the frequency that the bars "
            "have"
        )
        raise DataError(message)


def check_origin(path: Path, known: Origin, new: Origin) -> None:
    """Refuse bars of another origin than those that a file holds.

    Raises
    ------
    DataError
        Provider, feed, adjustment or basis differ.
    """
    words = [
        f"{name} {getattr(known, name) or _UNKNOWN} there, {getattr(new, name) or _UNKNOWN} new"
        for name in ("provider", "feed", "adjustment", "basis")
        if getattr(known, name) != getattr(new, name)
    ]
    if words:
        message = (
            f"{path.name} holds bars of another origin ({'; '.join(words)}); expected one origin a "
            "file. Write to another catalog, or replace the series (--replace)"
        )
        raise DataError(message)


def check_place(path: Path, provenance: Provenance, symbol: str, frequency: Frequency) -> None:
    """Refuse a file that says it is another series than its place in the catalog says.

    Raises
    ------
    DataError
        It was renamed or moved.
    """
    if (provenance.symbol, provenance.frequency) != (symbol, frequency.name):
        message = (
            f"{path.parent.name}/{path.name} holds {provenance.symbol} of {provenance.frequency}: "
            "it was renamed or moved. Put it back, or fetch or import it again"
        )
        raise DataError(message)
