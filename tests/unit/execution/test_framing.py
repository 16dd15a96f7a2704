"""Frames come out whole, whatever the pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.execution.framing import FrameReader, frame


@given(st.lists(st.binary(max_size=200), max_size=20), st.integers(1, 50))
def test_what_was_framed_comes_out_whatever_the_pieces(payloads: list[bytes], size: int) -> None:
    stream = b"".join(map(frame, payloads))
    reader = FrameReader()
    found = []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert found == payloads
    assert not reader.too_long


def test_a_frame_beyond_the_limit_is_announced_and_nothing_more_is_read() -> None:
    reader = FrameReader(10)
    assert reader.feed(frame(b"a" * 10) + frame(b"b" * 11) + frame(b"c")) == [b"a" * 10]
    assert reader.too_long == 11
    assert reader.feed(frame(b"d")) == []


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64])
def test_garbage_is_a_frame_beyond_the_limit(garbage: bytes) -> None:
    reader = FrameReader()
    assert reader.feed(garbage) == []
    assert reader.too_long > 16 * 1024
