"""What indicators read and write: windows, and columns of one length."""

import numpy as np

from neural_trader.core import ConfigError
from neural_trader.core.bars import Floats
from neural_trader.strategies.parameters import read_whole


def read_columns(indicator: object, inputs: tuple[str, ...], *columns: object) -> list[Floats]:
    """Return columns as the kernels read them, or raise ConfigError."""
    ready = []
    for name, column in zip(inputs, columns, strict=True):
        values = np.ascontiguousarray(column, dtype=np.float64)
        if values.ndim != 1:
            message = f"{name} has shape {values.shape}; {indicator!r} takes one value a bar"
            raise ConfigError(message)
        ready.append(values)
    if len({len(values) for values in ready}) > 1:
        told = ", ".join(f"{n} has {len(v)}" for n, v in zip(inputs, ready, strict=True))
        message = f"{indicator!r} takes columns of one length; {told}"
        raise ConfigError(message)
    return ready


def read_window(value: object, at_least: int = 1) -> int:
    """Return a window's length, or raise ConfigError."""
    return read_whole("window", value, at_least=at_least)


def empty_columns(rows: int, bars: int) -> Floats:
    """Return room for outputs, shape (rows, bars)."""
    return np.empty((rows, bars))
