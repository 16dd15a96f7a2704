"""How long a bar is to be: seconds to hours, a session, a week or a month."""

import datetime as dt
import re
from typing import Final, Literal, NamedTuple

from neural_trader.core import ConfigError
from neural_trader.data.frequencies import read_frequency

Unit = Literal["clock", "day", "week", "month"]
UNITS: Final[tuple[Unit, ...]] = ("clock", "day", "week", "month")
_WORDS: Final[dict[str, tuple[str, Unit]]] = {
    "day": ("1Day", "day"),
    "daily": ("1Day", "day"),
    "week": ("1Week", "week"),
    "weekly": ("1Week", "week"),
    "1week": ("1Week", "week"),
    "1w": ("1Week", "week"),
    "month": ("1Month", "month"),
    "monthly": ("1Month", "month"),
    "1month": ("1Month", "month"),
    "1mo": ("1Month", "month"),
}
_CLOCK: Final = {"minute": "1Min", "hour": "1Hour", "hourly": "1Hour"}
_SECOND_NS: Final = 1_000_000_000


class Length(NamedTuple):
    """The length of a bar: ``length_ns`` on the clock, or a day, week or month of sessions."""

    name: str
    unit: Unit
    length_ns: int = 0


def read_length(value: object, *, option: str) -> Length:
    """Read a length as people write it.

    Parameters
    ----------
    value : str or datetime.timedelta
        ``10s``, ``5min``, ``1h``, ``day``, ``week``, ``month``; 1 to 59 seconds or minutes, 1 to 23
        hours.
    option : str
        The name under which the user gave it, for the message.

    Raises
    ------
    ConfigError
        The value is no length.
    """
    words = _words(value) if isinstance(value, dt.timedelta) else value
    if isinstance(words, str):
        text = words.strip().casefold()
        if text in _WORDS:
            return Length(*_WORDS[text])
        seconds = re.fullmatch(r"(\d{1,2})(?:s|sec|second)", text, re.ASCII)
        if seconds and 1 <= int(seconds[1]) <= 59:
            return Length(f"{int(seconds[1])}Sec", "clock", int(seconds[1]) * _SECOND_NS)
        try:
            read = read_frequency(_CLOCK.get(text, text))
        except ConfigError:
            pass
        else:
            if read.daily:
                return Length(read.name, "day")
            return Length(read.name, "clock", read.length_ns)
    message = (
        f"{option} is {value!r}; expected the length of a bar: 10s, 5min, 1h (1 to 59 seconds or "
        "minutes, 1 to 23 hours), day, week or month"
    )
    raise ConfigError(message)


def _words(value: dt.timedelta) -> object:
    """Return a duration as text; one that is no length stays as it is."""
    for unit, one in (
        ("d", dt.timedelta(days=1)),
        ("h", dt.timedelta(hours=1)),
        ("min", dt.timedelta(minutes=1)),
        ("s", dt.timedelta(seconds=1)),
    ):
        if value >= one and not value % one:
            return f"{value // one}{unit}"
    return value
