"""Tables of corporate actions: from files and frames, checked row by row."""

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from neural_trader.core import DataError, Dividend, Split
from neural_trader.core.sessions import DAY_NS
from neural_trader.data.actions.known import Actions

if TYPE_CHECKING:
    from neural_trader.core.bars import Stamps
    from neural_trader.data.tables import Table

Kind = Literal["split", "dividend", "special-dividend"]
# The first name of a part that a table has counts: an ex-date goes before any other date.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "symbol": ("symbol", "ticker", "asset", "instrument", "sym", "tic"),
    "ex_date": ("exdate", "exday", "exdividenddate", "date", "day", "time", "timestamp"),
    "kind": ("kind", "type", "action"),
    "ratio": ("ratio", "splitratio", "splitfactor"),
    "amount": ("amount", "dividend", "dividends", "cash"),
    "value": ("value",),
    "currency": ("currency",),
}
KINDS: Final[Mapping[str, Kind]] = {
    "split": "split",
    "stocksplit": "split",
    "forwardsplit": "split",
    "reversesplit": "split",
    "stockdividend": "split",
    "dividend": "dividend",
    "cashdividend": "dividend",
    "cash": "dividend",
    "special": "special-dividend",
    "specialdividend": "special-dividend",
    "specialcashdividend": "special-dividend",
}
_MEND: Final = "Mend or drop the row"


def load_actions(source: object) -> Actions:
    """Load a table of splits and dividends.

    Parameters
    ----------
    source : str, Path, Polars or pandas frame, dict of columns, or Actions
        A CSV or Parquet file, a folder of them, or a frame, with the columns ``symbol``,
        ``ex_date``, ``kind``, ``ratio`` (new shares for one old share) or ``amount`` (money a
        share), and optionally ``currency``. Without ``kind`` the column that is filled tells.

    Returns
    -------
    Actions
        By day; each action once.

    Raises
    ------
    ConfigError
        The source is of no known kind.
    DataError
        It is not there or cannot be read, a column is missing, or a row is no action: the message
        names file, row and reason.

    Timing
    ------
    An action counts from its ex-date on: the last close before that day still has the old shares
    and the dividend.

    Missing
    -------
    A table without rows is one without actions. An empty cell that is needed is an error.
    """
    if isinstance(source, Actions):
        return source
    if isinstance(source, (str, os.PathLike)):
        from neural_trader.data.paths import data_files, find_path
        from neural_trader.data.readers import read_tables

        path = find_path(source)
        tables = read_tables(path, [(file, file.read_bytes()) for file in data_files(path)])
    else:
        from neural_trader.data.frames import frame_table

        tables = [frame_table(source, None, None)._replace(name="the table of actions")]
    splits: list[Split] = []
    dividends: list[Dividend] = []
    seen: set[tuple[str, int, Kind]] = set()
    currencies: dict[str, str] = {}
    for table in tables:
        for action in _read(table, seen, currencies):
            if isinstance(action, Split):
                splits.append(action)
            else:
                dividends.append(action)
    return Actions(
        tuple(sorted(splits, key=lambda each: (each.day, each.symbol))),
        tuple(sorted(dividends, key=lambda each: (each.day, each.symbol, each.special))),
    )


def _read(
    table: "Table", seen: set[tuple[str, int, Kind]], currencies: dict[str, str]
) -> list[Split | Dividend]:
    """Read the rows of one table; what was seen in the tables before is no second action."""
    columns = _columns(table)
    if not table.frame.height:
        return []
    days = _days(table, columns["ex_date"])
    cells = {part: table.frame[name].to_list() for part, name in columns.items()}
    found: list[Split | Dividend] = []
    for row in range(table.frame.height):
        given = {part: cells[part][row] for part in cells}
        symbol = "" if given["symbol"] is None else str(given["symbol"]).strip()
        if not symbol:
            raise table.fault(row, "there is no symbol", _MEND)
        day = int(days[row])
        kind = _kind(table, row, given)
        value = _value(table, row, given, kind)
        action: Split | Dividend
        if kind == "split":
            action = Split(symbol, day, value)
        else:
            currency = "" if given.get("currency") is None else str(given["currency"]).strip()
            action = Dividend(symbol, day, value, currency, kind == "special-dividend")
            first = currencies.setdefault(symbol, currency)
            if currency != first:
                text = (
                    f"{symbol}: a dividend in {currency or 'no currency'}, others in "
                    f"{first or 'none'}; expected the currency of its prices"
                )
                raise table.fault(row, text, "Convert it")
        if (symbol, day, kind) in seen:
            text = f"{symbol} has a {kind} on {action.date} twice; expected each action once"
            raise table.fault(row, text, "Drop one of the two")
        seen.add((symbol, day, kind))
        found.append(action)
    return found


def _columns(table: "Table") -> dict[str, str]:
    """Return the column of each part that the table has."""
    from neural_trader.data.layouts import plain

    by_plain: dict[str, str] = {}
    for name in table.frame.columns:
        # A second column of one plain name is none of ours to choose between.
        if by_plain.setdefault(plain(name), name) != name:
            message = f"{table.name} has {by_plain[plain(name)]!r} and {name!r}; expected one"
            raise DataError(message)
    columns = {
        part: next(by_plain[name] for name in names if name in by_plain)
        for part, names in NAMES.items()
        if any(name in by_plain for name in names)
    }
    missing = [part for part in ("symbol", "ex_date") if part not in columns]
    if not columns.keys() & {"ratio", "amount", "value"}:
        missing.append("ratio or amount")
    if missing:
        message = (
            f"{table.name} has no column {', '.join(missing)}; expected symbol, ex_date, kind, "
            f"ratio or amount, found {', '.join(table.frame.columns) or 'none'}"
        )
        raise DataError(message)
    return columns


def _days(table: "Table", column: str) -> "Stamps":
    """Return the ex-dates as days since 1970."""
    from neural_trader.data.times import DATES, read_times

    stamps, clock = read_times(table, column)
    if clock != DATES:
        found = table.frame[column][0]
        text = f"column {column!r} is {str(found)!r}, a time of day; expected a date"
        raise table.fault(0, text, "An action counts from a day on: give YYYY-MM-DD")
    return stamps // DAY_NS


def _kind(table: "Table", row: int, given: Mapping[str, Any]) -> Kind:
    from neural_trader.data.layouts import plain

    if "kind" in given:
        text = "" if given["kind"] is None else str(given["kind"])
        known = KINDS.get(plain(text))
        if known is None:
            found = f"kind is {text!r}; expected split, stock-dividend, dividend or special"
            raise table.fault(row, found, _MEND)
        return known
    filled = [part for part in ("ratio", "amount") if not _empty(given.get(part))]
    if len(filled) != 1:
        found = "ratio and amount are both there" if filled else "neither ratio nor amount is there"
        advice = "Fill one of the two, or add a column kind"
        raise table.fault(row, f"{found}; expected one of them", advice)
    return "split" if filled[0] == "ratio" else "dividend"


def _value(table: "Table", row: int, given: Mapping[str, Any], kind: Kind) -> float:
    """Return the ratio of a split or the amount of a dividend."""
    part = "ratio" if kind == "split" else "amount"
    cell = given.get("value") if _empty(given.get(part)) else given[part]
    if _empty(cell):
        raise table.fault(row, f"a {kind} has no {part}", "Fill the cell or drop the row")
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or value <= 0.0:
        wanted = (
            "new shares for one old share, above 0, such as 2 for 2:1"
            if kind == "split"
            else "money a share, above 0"
        )
        raise table.fault(row, f"{part} is {cell!r}; expected {wanted}", _MEND)
    return value


def _empty(cell: object) -> bool:
    return cell is None or str(cell).strip().casefold() in {"", "nan"}
