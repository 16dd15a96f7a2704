"""Frames on a byte stream: four bytes of length, most significant first, then a message.

Nothing here touches a socket: bytes go in, whole frames come out, whatever the pieces in which a
network delivers them.
"""

from typing import Final

from neural_trader.execution.messages import Message, encode

FRAME_BYTES_MAX: Final = 16 * 1024
"""The longest frame that a gateway takes from a client, and a venue from a gateway."""
REPLY_BYTES_MAX: Final = 16 * 1024 * 1024
"""The longest frame that a client takes from its gateway, and a gateway from its venue."""
UNREAD: Final = -1
"""What ``head_of`` gives for an account whose number is not a single byte."""


def frame(payload: bytes) -> bytes:
    """Return a payload with its length before it."""
    return len(payload).to_bytes(4, "big") + payload


def pack(message: Message) -> bytes:
    """Return a message as a frame."""
    payload = encode(message)
    return len(payload).to_bytes(4, "big") + payload


class FrameReader:
    """Cuts a stream of bytes into payloads; holds at most one unfinished frame.

    Parameters
    ----------
    limit : int
        The longest payload in bytes. A longer one is announced by a peer that does not speak this
        protocol: ``too_long`` holds its length from then on, and nothing more is read.
    rest : bytes
        The beginning of an unfinished frame, to go on with.
    """

    __slots__ = ("_limit", "rest", "too_long")

    def __init__(self, limit: int = FRAME_BYTES_MAX, rest: bytes = b"") -> None:
        self._limit = limit
        self.rest = rest
        self.too_long = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payload of every frame that is complete now, in order."""
        if self.rest:
            data = self.rest + data
        found = []
        at, end = 0, len(data)
        while end - at >= 4 and not self.too_long:
            stop = at + 4 + int.from_bytes(data[at : at + 4], "big")
            if stop - at - 4 > self._limit:
                self.too_long = stop - at - 4
            elif stop > end:
                break
            else:
                found.append(data[at + 4 : stop])
                at = stop
        self.rest = b"" if self.too_long else data[at:]
        return found


def head_of(payload: bytes) -> tuple[int, int]:
    """Return tag and account of a record without decoding it: arrays that begin with both."""
    at = 1 if payload[0] < 0xA0 else 3
    number = payload[at + 1]
    return payload[at], number if number < 0x80 else UNREAD
