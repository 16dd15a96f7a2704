"""Scenarios of one's own: moves of prices and volatilities, from a TOML file."""

import os
from pathlib import Path
from typing import Annotated

import msgspec

from neural_trader.core import DataError

_Move = Annotated[float, msgspec.Meta(ge=-1.0, le=100.0)]
_Shift = Annotated[float, msgspec.Meta(ge=-10.0, le=10.0)]


class OwnScenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[scenario]]``: what moves, and by how much.

    Parameters
    ----------
    name : str
    all : float
        Simple return of every symbol that ``symbols`` does not name; -0.2 is a fall of 20 %.
    symbols : dict of str to float
        Simple returns by symbol.
    vol : float
        Added to the volatility of every option whose symbol ``vols`` does not name; 0.1 makes
        0.22 to 0.32. No volatility falls below 0.
    vols : dict of str to float
        The same by symbol.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    all: _Move = 0.0
    symbols: dict[str, _Move] = {}
    vol: _Shift = 0.0
    vols: dict[str, _Shift] = {}


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    scenario: Annotated[tuple[OwnScenario, ...], msgspec.Meta(min_length=1)]


def read_scenarios(
    source: str | os.PathLike[str], symbols: tuple[str, ...]
) -> tuple[OwnScenario, ...]:
    """Read scenarios from a TOML file.

    Parameters
    ----------
    source : str or Path
    symbols : tuple of str
        What is held; a scenario that names another one is refused.

    Raises
    ------
    DataError
        There is no such file, it is no TOML, a field is unknown or out of range, two scenarios have
        one name, or a symbol is not held. The message has the path of what is wrong.
    """
    path = Path(source).expanduser()
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_File).scenario
    except OSError as error:
        message = f"cannot read the scenarios {path}: {error.strerror}; give a TOML file"
        raise DataError(message) from None
    except (msgspec.DecodeError, ValueError) as error:
        message = f"{path}: {error}. docs/risk.md shows the file"
        raise DataError(message) from None
    names: set[str] = set()
    for place, scenario in enumerate(found):
        where = f"{path}: $.scenario[{place}]"
        if scenario.name in names:
            message = f"{where}.name is {scenario.name!r} again; expected names that differ"
            raise DataError(message)
        names.add(scenario.name)
        for field, given in (("symbols", scenario.symbols), ("vols", scenario.vols)):
            strange = next((name for name in given if name not in symbols), None)
            if strange is not None:
                message = (
                    f"{where}.{field} names {strange!r}, which is not held; held are "
                    f"{', '.join(symbols)}"
                )
                raise DataError(message)
    return found
