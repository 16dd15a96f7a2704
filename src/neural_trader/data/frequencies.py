"""How often a series has a bar: ``5Min``, ``1Hour``, ``1Day``."""

import re
from typing import Final, NamedTuple

from neural_trader.core import ConfigError
from neural_trader.core.sessions import DAY_NS

_UNITS: Final = {"min": ("Min", 60_000_000_000, 59), "hour": ("Hour", 3_600_000_000_000, 23)}
_WORDS: Final = {"min": "min", "m": "min", "hour": "hour", "h": "hour", "day": "day", "d": "day"}


class Frequency(NamedTuple):
    """The length of a bar.

    ``name`` is canonical (``15Min``), and names folders and requests; ``length_ns`` is the length
    in nanoseconds.
    """

    name: str
    length_ns: int

    @property
    def daily(self) -> bool:
        """Whether a bar is a session: it carries a date, not a time of day."""
        return self.length_ns == DAY_NS


def read_frequency(text: str) -> Frequency:
    """Read a frequency as people write it.

    Parameters
    ----------
    text : str
        1 to 59 ``Min``, 1 to 23 ``Hour``, or ``1Day``; in any case, or as ``5m``, ``1h``, ``1d``.

    Returns
    -------
    Frequency
        With its canonical name.

    Raises
    ------
    ConfigError
        The text is no frequency. Weeks and months are made from days, so that they are the same
        whoever sold the days.

    Examples
    --------
    >>> read_frequency("5m").name
    '5Min'
    """
    found = re.fullmatch(r"(\d{1,2})(min|m|hour|h|day|d)", text.strip().casefold(), re.ASCII)
    count = int(found[1]) if found else 0
    unit = _WORDS[found[2]] if found else ""
    if unit == "day" and count == 1:
        return Frequency("1Day", DAY_NS)
    if unit in _UNITS and 1 <= count <= _UNITS[unit][2]:
        name, length_ns, _ = _UNITS[unit]
        return Frequency(f"{count}{name}", count * length_ns)
    message = (
        f"frequency is {text!r}; expected 1Day, 1Hour to 23Hour or 1Min to 59Min. Weeks and months "
        "are made from days"
    )
    raise ConfigError(message)
