"""Bad lines between client, gateway and venue: nothing is lost, nothing happens twice."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.order_path import wait_until
from tests.reliability.network import EVERY, LINES, hurt_again_and_again
from tests.reliability.proxy import FAULTS, Proxy


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["process-safe", "power-safe"])
def test_bad_lines_lose_nothing(tmp_path: Path, durability: str) -> None:
    counts, faults = hurt_again_and_again(
        tmp_path, seed=3, faults=len(EVERY), durability=durability
    )
    assert faults == []
    assert all(counts[f"{line}: bytes"] > 10_000 for line in LINES)
    assert {what: counts[f"{what[0]}: {what[1]}"] for what in EVERY} == dict.fromkeys(EVERY, 1)


@pytest.fixture
def echo() -> Iterator[int]:
    """Return the port of somebody who says everything back."""

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            with one:
                try:
                    while data := one.recv(1 << 16):
                        one.sendall(data)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def read(one: socket.socket) -> bytes:
    """Return what comes until the end, or as much as came before a reset."""
    found = b""
    try:
        while data := one.recv(1 << 16):
            found += data
    except ConnectionResetError:
        found += b" reset"
    return found


def test_a_line_does_what_it_is_told(echo: int) -> None:
    line = Proxy(echo, seed=1)
    try:
        with socket.create_connection(("127.0.0.1", line.port), timeout=5) as one:
            one.sendall(b"good")
            assert one.recv(100) == b"good"
            line.hurt("trickle")
            one.sendall(b"in little pieces")
            wait_until(lambda: line.happened["bytes"] >= 40)
            assert one.recv(100, socket.MSG_WAITALL | socket.MSG_PEEK)[:2] == b"in"
            line.hurt("reset")
            assert read(one).endswith(b"reset")
        wait_until(lambda: line.is_free)
        with socket.create_connection(("127.0.0.1", line.port), timeout=5) as one:
            one.sendall(b"x")
            assert one.recv(1) == b"x"
            line.hurt("half frame")
            one.sendall(b"0123456789" * 10)
            assert len(read(one).removesuffix(b" reset")) < 100
        with socket.create_connection(("127.0.0.1", line.port), timeout=5) as one:
            one.sendall(b"x")
            assert one.recv(1) == b"x"
            line.hurt("closed")
            assert read(one) == b""
    finally:
        line.close()
    assert {fault: line.happened[fault] for fault in FAULTS if line.happened[fault]} == {
        "reset": 1,
        "half frame": 1,
        "trickle": 1,
        "closed": 1,
    }


@pytest.mark.parametrize("fault", ["stall", "stall there", "stall back", "delay"])
def test_a_line_that_waits_brings_everything_in_the_end(echo: int, fault: str) -> None:
    line = Proxy(echo, seed=2)
    try:
        assert line.hurt(fault) is False
        with socket.create_connection(("127.0.0.1", line.port), timeout=5) as one:
            one.sendall(b"x")
            assert one.recv(1) == b"x"
            assert line.hurt(fault) is True
            assert not line.is_free
            one.sendall(b"0123456789")
            one.settimeout(0.001)
            with pytest.raises(TimeoutError):
                one.recv(1)
            # What has gone the one way waits on the other.
            passed = {"stall back": 11}.get(fault, 1)
            assert fault == "delay" or line.happened["bytes"] - 1 <= passed
            one.settimeout(5)
            assert one.recv(10, socket.MSG_WAITALL) == b"0123456789"
        wait_until(lambda: line.is_free)
    finally:
        line.close()
    assert line.happened[fault] == 1
