"""What tells functions and parameters apart, for those who keep what was computed.

Equal keys mean equal results, always; equal results may well have different keys: a key that says
too much costs a computation, one that says too little gives a stale answer.
"""

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

_PLAIN: Final = (str, bytes, enum.Enum, dt.date, dt.time, dt.timedelta, type)
_HEAP_TYPE: Final = 1 << 9
_IMMUTABLE: Final = 1 << 8
"""CPython's flags of classes: one made by a class statement has the first and not the second."""

Open = tuple[types.FunctionType, ...]
"""The functions whose keys are being made, for those that lead back to themselves."""


class _Same:
    """Equal to itself alone; it keeps its object alive, so that no other one takes its place."""

    __slots__ = ("_object",)

    def __init__(self, value: object) -> None:
        self._object = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._object is self._object

    def __hash__(self) -> int:
        return id(self._object)


def function_key(function: object, within: Open = ()) -> Hashable:
    """Return what makes a function this one: its code, and all that the code is bound to.

    That is its defaults, what it closes over, what it is a method of, and the global names that it
    reads: functions of its own module, and values that can be told apart. A function that is
    defined anew with the same code is the same, an edited one is another. What has no code to look
    at, such as a compiled function, is the same as itself alone.

    Raises
    ------
    ConfigError
        A method, or an object that is called, whose attributes cannot be told apart.
    """
    if isinstance(function, functools.partial):
        bound = parameter_key((function.args, function.keywords), "a partial", within)
        return ("partial", function_key(function.func, within), bound)
    if isinstance(function, types.MethodType):
        return ("method", _owner_key(function.__self__), function_key(function.__func__, within))
    if isinstance(function, types.FunctionType):
        return _code_key(function, within)
    if _is_plain_object(function):
        # Its attributes may change between two calls.
        return ("object", _Same(function), parameter_key(vars(function), function, within))
    return _Same(function)


def parameter_key(value: object, where: object, within: Open = ()) -> Hashable:
    """Return a key that is equal for equal parameters, and for no others.

    Parameters
    ----------
    value : object
        Numbers (20, 20.0 and NumPy's are one), truth values, texts, bytes, None, dates, members of
        enumerations, functions, arrays by their content, and tuples, lists, sets and dicts of them.
    where : object
        What they belong to, for the message.
    within : tuple of functions
        Those whose keys are being made.

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
    if isinstance(value, np.generic) and value.dtype != object:
        return ("scalar", value.dtype.str, value.tobytes())
    if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, np.ufunc)):
        return ("function", function_key(value, within))
    return _container_key(value, where, within)


def settings_key(indicator: object) -> Hashable:
    """Return the key of an indicator's attributes, which are its parameters.

    Raises
    ------
    ConfigError
        It has none, or some that cannot be told apart.
    """
    try:
        settings = vars(indicator)
    except TypeError:
        message = (
            f"{indicator!r} keeps its parameters out of sight (__slots__?); a cache tells "
            "indicators apart by their attributes"
        )
        raise ConfigError(message) from None
    # Nearly all have whole numbers alone, and a request is to cost next to nothing.
    return tuple(
        [
            (name, value if type(value) is int else _setting(value, indicator))
            for name, value in settings.items()
        ]
    )


def _setting(value: object, indicator: object) -> Hashable:
    """Return a parameter's key, in the form that whole numbers have."""
    if type(value) is tuple:
        parts = [part if type(part) is int else _setting(part, indicator) for part in value]
        return ("tuple", *parts)
    # All but NaN, which is not equal to itself, and the negative zero, which is equal to another.
    if type(value) is float and value == value and (value or math.copysign(1.0, value) > 0.0):  # noqa: PLR0124
        return value
    key = parameter_key(value, indicator)
    return key[1] if isinstance(key, tuple) and key[0] == "number" else key


def _code_key(function: types.FunctionType, within: Open) -> Hashable:
    if function in within:
        return ("itself", within.index(function))
    within = (*within, function)
    closed = []
    for cell in function.__closure__ or ():
        try:
            closed.append(_bound_key(cell.cell_contents, function, within))
        except ValueError:
            # A name that has no value yet.
            closed.append("empty")
    defaults = (function.__defaults__, function.__kwdefaults__)
    read = [
        (name, _bound_key(function.__globals__[name], function, within))
        for name in _names(function.__code__)
        if name in function.__globals__
    ]
    return (
        function.__module__,
        function.__qualname__,
        function.__code__,
        _bound_key(defaults, function, within),
        tuple(closed),
        tuple(read),
    )


@functools.lru_cache(maxsize=4096)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Return the names that code and the functions within it may read from its module."""
    found = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= dict.fromkeys(_names(constant))
    return tuple(found)


def _bound_key(value: object, function: types.FunctionType, within: Open) -> Hashable:
    """Return the key of what a function is bound to: what cannot be told apart is itself alone."""
    if isinstance(value, types.FunctionType) and value.__module__ != function.__module__:
        # Of a library: it is not edited, and it may lead far.
        return _Same(value)
    try:
        return parameter_key(value, function, within)
    except ConfigError:
        return _Same(value)


def _owner_key(owner: object) -> Hashable:
    """Return the key of what a method belongs to: its class and its attributes."""
    if isinstance(owner, type):
        return owner
    if _is_plain_object(owner):
        return (type(owner), parameter_key(vars(owner), owner))
    return _Same(owner)


def _is_plain_object(value: object) -> bool:
    """Return whether an object is of a class written in Python and holds attributes alone."""
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return False
    return all(
        each.__flags__ & (_HEAP_TYPE | _IMMUTABLE) == _HEAP_TYPE
        and not each.__dict__.get("__slots__")
        for each in type(value).__mro__[:-1]
    )


def _container_key(value: object, where: object, within: Open) -> Hashable:
    if isinstance(value, np.ndarray) and value.dtype != object:
        content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).digest()
        return ("array", value.dtype.str, value.shape, content)
    if isinstance(value, Mapping):
        items = [
            (parameter_key(name, where, within), parameter_key(part, where, within))
            for name, part in value.items()
        ]
        return ("dict", frozenset(items))
    if isinstance(value, (tuple, list)):
        return ("list", tuple([parameter_key(part, where, within) for part in value]))
    if isinstance(value, AbstractSet):
        return ("set", frozenset(parameter_key(part, where, within) for part in value))
    owner = where if isinstance(where, str) else repr(where)
    message = (
        f"{owner} has {value!r:.80}, a {type(value).__name__}; a cache tells apart numbers, texts, "
        "dates, arrays, functions, and tuples, lists, sets and dicts of them"
    )
    raise ConfigError(message)


def _number(value: float | np.integer[Any] | np.floating[Any]) -> Hashable:
    """Return a number's key: by value, with one NaN, and two zeros."""
    plain: int | float = value.item() if isinstance(value, np.generic) else value
    if plain != plain:  # noqa: PLR0124 - a NaN, of any precision
        return ("number", "nan")
    if plain == 0.0 and math.copysign(1.0, plain) < 0.0:
        return ("number", "-0.0")
    # Python compares integers and floats exactly.
    return ("number", plain)
