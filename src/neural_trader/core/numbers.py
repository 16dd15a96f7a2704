"""Plain numbers out of whatever a user passes as one.

A NumPy integer is as good as an int and 20000 as good as 20000.0, but a configuration is hashed and
written as JSON, so each number is kept in its one plain form.
"""

import math
import numbers

import msgspec


def plain_number(value: object) -> float:
    """Return a number as a float, for its caller to hold to a range.

    Parameters
    ----------
    value : object
        An int, a float, a NumPy scalar or another real number.

    Returns
    -------
    float
        NaN, which lies in no range, for what is no number (a text, a bool, None, an array) and for
        an integer too large for a float.
    """
    # The plain type first: asking an abstract one costs as much as a small backtest's decisions.
    if type(value) is float:
        return value
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def settle(struct: msgspec.Struct, **plain: object) -> None:
    """Keep the plain forms in a frozen struct that is being made."""
    for name, value in plain.items():
        if getattr(struct, name) is not value:
            msgspec.structs.force_setattr(struct, name, value)
