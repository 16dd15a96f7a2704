"""Where the normals of scenarios come from: counters hashed into pseudo-random numbers."""

from functools import cache
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from neural_trader._kernels import scenarios as kernel
from neural_trader.risk.scenarios import reference

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Layers = tuple[Floats, Ints, Floats]

_BUFFER: Final = 24_576


class Source(Protocol):
    """What draws scenarios: each by its number, in any order."""

    def draw(self, ids: Ints, normals: Floats, stretches: Floats) -> None:
        """Write the normals (S, H, N) and the stretches (S, H) of scenarios."""


class Pseudo(NamedTuple):
    """Pseudo-random numbers, a hash of seed, scenario and column."""

    stream: int
    degrees: float

    def draw(self, ids: Ints, normals: Floats, stretches: Floats) -> None:
        """Write the normals and stretches of scenarios; see ``Source``."""
        kernel.draw(self.stream, ids, self.degrees, layers(), normals, stretches)


@cache
def layers() -> Layers:
    """Return the layers of the ziggurat as the kernel takes them."""
    made = reference.layers()
    return np.array(made.widths), np.array(made.cores, np.int64), np.array(made.heights)


def chunk_of(steps: int, columns: int) -> int:
    """Return how many scenarios are drawn at a time, so that they stay in the cache."""
    return max(32, _BUFFER // (steps * columns) // 32 * 32)
