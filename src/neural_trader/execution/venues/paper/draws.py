"""Whole numbers that look random and are the same for the same seed, on every machine."""

from typing import Final

_MASK: Final = (1 << 64) - 1


class Draws:
    """A splitmix64 generator: a counter in steps of the golden ratio, and a mix of its bits.

    Parameters
    ----------
    seed : int
        Any integer; its lowest 64 bits count.

    References
    ----------
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014, figure 16.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def next(self) -> int:
        """Return the next number, from 0 up to 2**64 - 1."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        return state ^ (state >> 31)
