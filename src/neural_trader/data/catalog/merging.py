"""New bars join those that are there: each close once, and never two opinions silently."""

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import DataError
from neural_trader.data.catalog.files import Columns, time_text

OnConflict = Literal["refuse", "new", "old"]
CONFLICTS: Final[tuple[OnConflict, ...]] = ("refuse", "new", "old")


class Merged(NamedTuple):
    """The joined columns, and how many bars are new, the same as before, and changed."""

    columns: Columns
    added: int
    same: int
    replaced: int


def merge(symbol: str, old: Columns | None, new: Columns, on_conflict: OnConflict) -> Merged:
    """Join two series of one symbol.

    Parameters
    ----------
    symbol : str
        For messages.
    old : Columns or None
        What is there.
    new : Columns
        What comes in.
    on_conflict : {"refuse", "new", "old"}
        What a close holds that both have with other values.

    Raises
    ------
    DataError
        They differ in their fields; or a bar has other values than before, and ``on_conflict`` is
        ``refuse``.

    Timing
    ------
    Closes rise strictly in the result as in both inputs.
    """
    if old is None or not len(old.stamps):
        return Merged(new, len(new.stamps), 0, 0)
    if set(old.fields) != set(new.fields):
        message = (
            f"{symbol} has the fields {', '.join(old.fields)}; the new bars have "
            f"{', '.join(new.fields)}. Expected the same: write to another catalog, or replace the "
            "series"
        )
        raise DataError(message)
    at = np.searchsorted(old.stamps, new.stamps)
    known = (at < len(old.stamps)) & (old.stamps[np.minimum(at, len(old.stamps) - 1)] == new.stamps)
    changed = np.zeros(len(new.stamps), bool)
    for name, values in new.fields.items():
        changed[known] |= old.fields[name][at[known]] != values[known]
    conflicts = np.flatnonzero(changed)
    if len(conflicts) and on_conflict == "refuse":
        raise _conflict(symbol, old, new, conflicts)
    stamps = np.concatenate([old.stamps, new.stamps[~known]])
    order = np.argsort(stamps, kind="stable")
    fields = {}
    for name, values in old.fields.items():
        kept = values
        if len(conflicts) and on_conflict == "new":
            kept = values.copy()
            kept[at[conflicts]] = new.fields[name][conflicts]
        fields[name] = np.concatenate([kept, new.fields[name][~known]])[order]
    replaced = len(conflicts) if on_conflict == "new" else 0
    return Merged(
        Columns(stamps[order], fields),
        int((~known).sum()),
        int(known.sum()) - replaced,
        replaced,
    )


def _conflict(symbol: str, old: Columns, new: Columns, rows: NDArray[np.intp]) -> DataError:
    """Return the error for bars that have other values than before; the first is shown."""
    row = int(rows[0])
    at = int(np.searchsorted(old.stamps, new.stamps[row]))
    name = next(n for n in new.fields if old.fields[n][at] != new.fields[n][row])
    was, now = float(old.fields[name][at]), float(new.fields[name][row])
    more = f" ({len(rows) - 1} more of this kind)" if len(rows) > 1 else ""
    return DataError(
        f"row {row + 1} of the new bars: {symbol} at {time_text(new.stamps[row])} has {name} "
        f"{now!r}, the catalog has {was!r}{more}; expected the same bar. Adjusted prices change "
        "with each split and dividend: replace the whole series; or say which of the two counts"
    )
