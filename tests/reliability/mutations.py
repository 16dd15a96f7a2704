"""Frames that no honest peer would send: mutations of honest ones that keep most of their sense."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import msgspec

from neural_trader.execution import messages as m
from neural_trader.execution.framing import frame

EDGES: Final = (
    *(0, 1, -1, 2, 127, 128, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 31, 1 << 32),
    *(m.NO_MAX - 1, m.NO_MAX, m.NO_MAX + 1, m.PRICE_MAX, m.PRICE_MAX + 1, -m.QTY_MAX),
    *(-m.QTY_MAX - 1, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, -(1 << 63)),
)
WRONG: Final[tuple[Any, ...]] = (
    *(None, True, False, 0.0, -0.5, 1e300, float("inf"), float("nan"), "", "KO", "x" * 70),
    *("\0", "é" * 40, "\u2028", b"", b"KO", b"\xff" * 9, [], [1], [[[]]], {}, {"a": 1}, {1: [2]}),
    *("orders", "positions", msgspec.msgpack.Ext(1, b"x"), msgspec.msgpack.Ext(-1, b"\0" * 12)),
)
# Lengths that are announced and never come, numbers and texts that end early, codes of nothing.
LIES: Final = (
    *(b"\xdd\xff\xff\xff\xff", b"\xdc\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\x7f\xff\xff\xff"),
    *(b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\xcf\xff", b"\xd9\xff", b"\xc1"),
    *(b"\x9f", b"\x8f", b"\xbf", b"\xa4\xff\xfe\xfd\xfc", b"\xa3\xed\xa0\x80"),
)
_NEST_MAX: Final = 5_000
_BOMB_BYTES: Final = 20_000
MILD: Final = ("honest", "honest", "number at an edge", "wrong type")
"""What may pass: half of all streams have little else, and so get beyond their first frame."""


class Mutator:
    """An endless source of bad frames.

    Parameters
    ----------
    rng : Random
    samples : sequence of bytes
        Good payloads.
    limit : int
        The longest frame that the other side takes.

    Attributes
    ----------
    kinds : Counter
        How many of each kind were made.
    sent : int
        How many frames.
    is_mild : bool
        Whether most of what comes next is of the kinds that may pass.
    """

    def __init__(self, rng: Random, samples: Sequence[bytes], limit: int) -> None:
        self.rng = rng
        self.samples = samples
        self.limit = limit
        self.kinds: Counter[str] = Counter()
        self.sent = 0
        self.is_mild = False
        self._ways: dict[str, Callable[[bytes], bytes]] = {
            "honest": bytes,
            "bits flipped": self._flip,
            "cut short": lambda good: good[: self.rng.randrange(len(good))],
            "two spliced": self._splice,
            "bytes put in": self._insert,
            "wrong type": self._wrong_type,
            "number at an edge": self._edge,
            "fields left out": lambda good: _remade(
                good, lambda f: f[: self.rng.randrange(len(f))]
            ),
            "fields added": lambda good: _remade(
                good, lambda f: [*f, *f[: self.rng.randint(1, 9)]]
            ),
            "another tag": self._tag,
            "nested deeply": self._nest,
            "lengths that lie": self._lie,
            "noise": lambda _: self.rng.randbytes(self.rng.randint(0, 300)),
        }
        self._names = tuple(self._ways)

    def payload(self) -> bytes:
        """Return a payload of some kind."""
        is_mild = self.is_mild and self.rng.random() < 0.9
        name = self.rng.choice(MILD if is_mild else self._names)
        self.kinds[name] += 1
        return self._ways[name](self.rng.choice(self.samples))

    def frame(self) -> bytes:
        """Return a frame; one in forty (of mild ones in 300) announces a length that it has not."""
        self.sent += 1
        payload = self.payload()
        if self.rng.random() > (0.003 if self.is_mild else 0.025):
            return frame(payload)
        self.kinds["wrong length"] += 1
        lengths = (0, 1, len(payload) + 3, self.limit, self.limit + 1, 1 << 31, (1 << 32) - 1)
        length = self.rng.choice(lengths)
        # Whoever waits for the whole of it has something to keep.
        more = bytes(_BOMB_BYTES) if length > self.limit else b""
        return length.to_bytes(4, "big") + payload + more

    def pieces(self, data: bytes) -> list[bytes]:
        """Return bytes in the pieces in which a network might deliver them."""
        found = []
        while data:
            size = self.rng.choice((1, 2, 3, 17, 256, 65_536))
            found.append(data[:size])
            data = data[size:]
        return found

    def _flip(self, good: bytes) -> bytes:
        bad = bytearray(good)
        for _ in range(self.rng.randint(1, 4)):
            bad[self.rng.randrange(len(bad))] ^= 1 << self.rng.randrange(8)
        return bytes(bad)

    def _splice(self, good: bytes) -> bytes:
        other = self.rng.choice(self.samples)
        return good[: self.rng.randrange(len(good))] + other[self.rng.randrange(len(other)) :]

    def _insert(self, good: bytes) -> bytes:
        at = self.rng.randrange(len(good) + 1)
        return good[:at] + self.rng.randbytes(self.rng.randint(1, 20)) + good[at:]

    def _wrong_type(self, good: bytes) -> bytes:
        return _remade(good, lambda fields: self._with(fields, self.rng.choice(WRONG)))

    def _edge(self, good: bytes) -> bytes:
        return _remade(good, lambda fields: self._with(fields, self.rng.choice(EDGES)))

    def _tag(self, good: bytes) -> bytes:
        return _remade(good, lambda fields: [self.rng.randint(-2, 130), *fields[1:]])

    def _with(self, fields: list[Any], value: Any) -> list[Any]:
        at = self.rng.randrange(1, len(fields)) if len(fields) > 1 else 0
        inner = fields[at]
        if isinstance(inner, list) and inner and self.rng.random() < 0.7:
            value = self._with([None, *inner], value)[1:]
        return [*fields[:at], value, *fields[at + 1 :]]

    def _nest(self, good: bytes) -> bytes:
        depth = self.rng.randint(2, _NEST_MAX)
        shell, end = self.rng.choice(((b"\x91", b""), (b"\x81\xa1a", b"\xc0"), (b"\x92\x01", b"")))
        nest = shell * (depth // len(shell)) + good + end
        return nest if self.rng.random() < 0.5 else good[:-1] + nest

    def _lie(self, good: bytes) -> bytes:
        at = self.rng.randrange(len(good))
        return good[:at] + self.rng.choice(LIES) + good[at + self.rng.randint(0, 1) :]


def _remade(good: bytes, change: Callable[[list[Any]], list[Any]]) -> bytes:
    """Return a payload whose fields were changed."""
    return msgspec.msgpack.encode(change(msgspec.msgpack.decode(good)))
