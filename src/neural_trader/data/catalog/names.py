"""Symbols become file names and back, on every file system.

``BRK.B`` stands as it is, ``BTC/USD`` becomes ``BTC%2FUSD``. Lower case is escaped as well: a file
system that ignores case would otherwise take ``brk`` and ``BRK`` for one file.
"""

import re
from typing import Final

from neural_trader.core import ConfigError, DataError

SUFFIX: Final = ".parquet"
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-=^")
# Names that Windows keeps for devices, whatever the extension.
_DEVICES: Final = re.compile(r"(?:CON|PRN|AUX|NUL|COM\d|LPT\d)(?:\.|$)")
_BYTES_MAX: Final = 180


def file_name(symbol: str) -> str:
    """Return the name of the file that holds a symbol.

    Raises
    ------
    ConfigError
        The symbol is empty, has spaces around it or a control character in it, or is too long.
    """
    if not symbol or symbol != symbol.strip() or not symbol.isprintable():
        message = (
            f"{symbol!r} is no symbol: expected text without spaces around it and without control "
            "characters, such as BRK.B or BTC/USD"
        )
        raise ConfigError(message)
    try:
        stem = "".join(each if each in _PLAIN else _escaped(each) for each in symbol)
    except UnicodeEncodeError:
        message = f"{symbol!r} is no symbol: it holds half of a surrogate pair"
        raise ConfigError(message) from None
    # A leading dot would hide the file, and make a folder of "..".
    if stem[0] == "." or _DEVICES.match(stem):
        stem = _escaped(stem[0]) + stem[1:]
    if len(stem) > _BYTES_MAX:
        message = f"symbol {symbol[:20]!r}... is too long to name a file; expected a shorter one"
        raise ConfigError(message)
    return stem + SUFFIX


def symbol_of(name: str) -> str:
    """Return the symbol that a file's name stands for.

    Raises
    ------
    DataError
        No symbol has a file of this name.
    """
    stem = name.removesuffix(SUFFIX)
    try:
        raw = re.sub(rb"%([0-9A-F]{2})", lambda hit: bytes([int(hit[1], 16)]), stem.encode("ascii"))
        symbol = raw.decode("utf-8")
        if name == file_name(symbol):
            return symbol
    except (UnicodeError, ConfigError):
        pass
    message = f"{name} is the file of no symbol; expected names such as AAPL.parquet"
    raise DataError(message)


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8"))
