"""Lines of charts as plain data: times and values as base64 of little-endian arrays."""

import base64
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.sessions import DAY_NS

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

_SECOND_NS: Final = 1_000_000_000
# Beyond this, a float32 no longer holds a value to a hundredth.
_FLOAT32_MAX: Final = 65_536.0


def encode(values: NDArray[Any], kind: str) -> str:
    """Return an array as base64 of its bytes."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def is_daily(ts_close_ns: Stamps) -> bool:
    """Return whether a date names a bar."""
    return bool((np.diff(ts_close_ns // DAY_NS) > 0).all())


def times(ts_close_ns: Stamps, *, daily: bool) -> str:
    """Return where bars stand on the axis: at their date, or at their close in whole seconds."""
    # Rounded down, since the last nanosecond of a day would else be drawn on the next one.
    unit = DAY_NS if daily else _SECOND_NS
    return encode(ts_close_ns // unit * (unit // _SECOND_NS), "<f8")


def line(label: str, values: Floats, color: str, digits: int = 2) -> dict[str, Any]:
    """Return a line; its values are exact to the digits that the legend prints."""
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max(initial=0.0))
    wide = largest * 10.0 ** (digits - 2) > _FLOAT32_MAX
    return {
        "label": label,
        "values": encode(values, "<f8" if wide else "<f4"),
        "wide": wide,
        "color": color,
        "digits": digits,
        "scale": "y",
    }
