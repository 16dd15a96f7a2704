"""What tells functions and parameters apart, for those who keep what was computed."""

import datetime as dt
import enum
import functools
import hashlib
import math
import types
from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import numpy as np

from neural_trader.core import ConfigError

_PLAIN: Final = (str, bytes, enum.Enum, dt.date, dt.timedelta, type)


def function_key(function: Any) -> Hashable:  # noqa: ANN401 - any callable
    """Return what makes a function this one: its code, and all that the code is bound to.

    A function that is defined anew with the same code is the same, an edited one is another. What
    has no code to look at, such as a compiled function, is itself alone.

    Raises
    ------
    ConfigError
        A method of an object whose attributes cannot be told apart.
    """
    if isinstance(function, functools.partial):
        bound = parameter_key((function.args, function.keywords), "arguments of a partial")
        return ("partial", function_key(function.func), bound)
    if isinstance(function, types.MethodType):
        owner = function.__self__
        state = parameter_key(vars(owner), owner) if hasattr(owner, "__dict__") else owner
        return ("method", type(owner), state, function_key(function.__func__))
    if not isinstance(function, types.FunctionType):
        return function if isinstance(function, Hashable) else id(function)
    closed = [cell.cell_contents for cell in function.__closure__ or ()]
    try:
        bound = parameter_key((closed, function.__defaults__, function.__kwdefaults__), "closure")
    except ConfigError:
        # What it is bound to cannot be told apart: then it is the same as itself alone.
        return function
    return (function.__module__, function.__qualname__, function.__code__, bound)


def parameter_key(value: object, where: object) -> Hashable:
    """Return a key that is equal for equal parameters, and for no others.

    Parameters
    ----------
    value : object
        Numbers (20, 20.0 and NumPy's are one), truth values, texts, bytes, None, dates, members of
        enumerations, functions, arrays by their content, and tuples, lists, sets and dicts of them.
    where : object
        What they belong to, for the message.

    Raises
    ------
    ConfigError
        Anything else: equal ones could not be told.
    """
    if value is None or isinstance(value, _PLAIN):
        return (type(value), value)
    if isinstance(value, (bool, np.bool_)):
        return ("bool", bool(value))
    if isinstance(value, (int, float, np.integer, np.floating)):
        return _number(value)
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
        return ("function", function_key(value))
    return _container_key(value, where)


def _container_key(value: object, where: object) -> Hashable:
    if isinstance(value, np.ndarray) and value.dtype != object:
        content = hashlib.blake2b(np.ascontiguousarray(value).tobytes(), digest_size=16).digest()
        return ("array", value.dtype.str, value.shape, content)
    if isinstance(value, Mapping):
        items = [
            (parameter_key(name, where), parameter_key(part, where)) for name, part in value.items()
        ]
        return ("dict", frozenset(items))
    if isinstance(value, (tuple, list)):
        return ("list", tuple([parameter_key(part, where) for part in value]))
    if isinstance(value, AbstractSet):
        return ("set", frozenset(parameter_key(part, where) for part in value))
    owner = where if isinstance(where, str) else repr(where)
    message = (
        f"{owner} has {value!r}, a {type(value).__name__}; a cache tells apart numbers, texts, "
        "dates, arrays, functions, and tuples, lists, sets and dicts of them"
    )
    raise ConfigError(message)


def _number(value: float | np.integer[Any] | np.floating[Any]) -> Hashable:
    """Return a number's key: by value, with one NaN, and two zeros."""
    plain: int | float = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float):
        if math.isnan(plain):
            return ("number", "nan")
        if plain == 0.0 and math.copysign(1.0, plain) < 0.0:
            return ("number", "-0.0")
    # Python compares integers and floats exactly.
    return ("number", plain)
