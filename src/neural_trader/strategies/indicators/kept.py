"""What a cache keeps: arrays that nobody writes to, and their size."""

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError

_BYTES: Final = 500
"""What an entry takes beside its arrays, and each value in it, about."""
_PLAIN: Final = (bool, int, float, complex, enum.Enum, dt.date, dt.time, dt.timedelta, np.generic)


class Kept(NamedTuple):
    """A result: read-only arrays, what it takes in bytes, and whether its containers are copied."""

    value: Any
    size: int
    is_copied: bool

    def hand_out(self) -> Any:  # noqa: ANN401 - whatever was computed
        """Return it: the same object, or new lists and dicts of the same arrays."""
        return _rebuilt(self.value, lambda array: array) if self.is_copied else self.value


def keep(value: Any, *, is_owned: bool) -> Kept:  # noqa: ANN401 - whatever was computed
    """Return a result as it is kept.

    Parameters
    ----------
    value : object
        An array, a plain value, or tuples, lists and dicts of them.
    is_owned : bool
        Whether nobody else has its arrays; else views that can be written through are copied.

    Raises
    ------
    ConfigError
        It holds something that cannot be made read-only or measured.
    """
    size = _size(value)
    return Kept(_rebuilt(value, _frozen if is_owned else _own), size, _has_containers(value))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _own(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that nobody writes to: a view of memory that somebody may is copied."""
    is_view = array.base is not None
    return _frozen(array.copy() if array.flags.writeable and is_view else array)


def _rebuilt(value: Any, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:  # noqa: ANN401
    """Return an array, or new containers of what they held, with every array changed."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _rebuilt(part, change) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        parts = [_rebuilt(part, change) for part in value]
        # A named tuple is made from its parts one by one.
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def _has_containers(value: object) -> bool:
    """Return whether a list or a dict is in it, which its receiver may change."""
    if isinstance(value, tuple):
        return any(_has_containers(part) for part in value)
    return isinstance(value, (list, Mapping))


def _size(value: object) -> int:
    if type(value) is np.ndarray and value.dtype != object:
        return _BYTES + value.nbytes
    if isinstance(value, (str, bytes)):
        return _BYTES + len(value)
    if isinstance(value, Mapping):
        return _BYTES + sum(_BYTES + _size(part) for part in value.values())
    if isinstance(value, (tuple, list)):
        return _BYTES + sum(_size(part) for part in value)
    if value is None or isinstance(value, _PLAIN):
        return _BYTES
    message = (
        f"a function returned a {type(value).__name__}, which a cache can neither protect nor "
        "measure; return NumPy arrays (series.to_numpy()), numbers, texts, or tuples, lists and "
        "dicts of them"
    )
    raise ConfigError(message)
