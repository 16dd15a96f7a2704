"""The records of a journal as words and plain values, for people and for tables."""

import types
from typing import Any, Final, get_args, get_origin

import msgspec

from neural_trader.core.errors import JournalError
from neural_trader.execution import messages
from neural_trader.execution.messages import Record


def _word(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


_WORDS: Final = {kind: _word(kind.__name__) for kind in get_args(Record)}


def word_of(record: Record) -> str:
    """Return the kind of a record as a word: an ``OrphanFilled`` is ``orphan_filled``."""
    return _WORDS[type(record)]


def values_of(record: Record) -> dict[str, Any]:
    """Return the fields of a record by name.

    The number that an event has in its account's stream is called ``account_seq``, since ``seq`` is
    the number of a record.
    """
    values = msgspec.structs.asdict(record)
    if "seq" in values:
        values = {("account_seq" if name == "seq" else name): v for name, v in values.items()}
    return values


def describe(seq: int, payload: bytes) -> dict[str, Any]:
    """Return a record by name: ``seq``, ``type``, then its own fields.

    Raises
    ------
    JournalError
        The payload is no record that this version knows.
    """
    record = decode(seq, payload)
    return {"seq": seq, "type": word_of(record), **values_of(record)}


def decode(seq: int, payload: bytes) -> Record:
    """Return the record that stands at a number.

    Raises
    ------
    JournalError
        The payload is no record that this version knows.
    """
    try:
        record: Record = messages.decode_record(payload)
    except msgspec.DecodeError as error:
        message = (
            f"record {seq} is whole, but cannot be understood: {error}; another version of "
            "neural-trader wrote it, so read it with that one"
        )
        raise JournalError(message) from error
    return record


def columns() -> dict[str, type]:
    """Return the union of all records' fields with what they hold: ``int``, ``str`` or ``bool``.

    What holds more than one value is text, as JSON.
    """
    found: dict[str, type] = {"seq": int, "type": str, "account": int, "ts": int}
    for kind in get_args(Record):
        for field in msgspec.structs.fields(kind):
            name = "account_seq" if field.name == "seq" else field.name
            is_plain = get_origin(field.type) is None and not isinstance(
                field.type, types.UnionType
            )
            found.setdefault(name, field.type if is_plain else str)
    return found
