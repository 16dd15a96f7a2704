"""Peers that do not belong here are refused and logged, and others notice nothing."""

import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.core import GatewayError
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, pack
from tests.order_path import TOKENS, Running, free_port, write_config


class Stack:
    """A venue and a gateway."""

    def __init__(self, folder: Path) -> None:
        self.venue = Running(folder, "venue", "--port", "0", "--symbols", "KO,PEP")
        config = write_config(folder, free_port())
        self.gateway = Running(
            folder, "serve", "--config", str(config), "--venue", f"127.0.0.1:{self.venue.port}"
        )
        self.address = f"127.0.0.1:{self.gateway.port}"
        with self.client("trade") as client:
            until = time.monotonic() + 10.0
            while client.submit("KO", 1).status != "filled":
                assert time.monotonic() < until
                time.sleep(0.05)

    def client(self, token: str) -> nt.BlockingClient:
        return nt.BlockingClient(self.address, token=TOKENS[token])

    def connect(self) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.gateway.port))
        one.settimeout(10.0)
        return one

    def log(self) -> str:
        return self.gateway.log.read_text()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    one = Stack(tmp_path_factory.mktemp("stack"))
    yield one
    assert one.gateway.stop() == 0
    one.venue.stop()


def answers_to(stack: Stack, data: bytes) -> list[object]:
    """Send bytes and return all that comes back until the gateway hangs up."""
    reader, found = FrameReader(1 << 24), []
    with stack.connect() as one:
        one.sendall(data)
        while data := one.recv(65_536):
            found += [m.decode_to_client(payload) for payload in reader.feed(data)]
    return found


def test_a_wrong_token(stack: Stack) -> None:
    with (
        pytest.raises(GatewayError, match="bad_token"),
        nt.BlockingClient(
            stack.address,
            token="wrong",  # noqa: S106 - that it is none is the point
        ),
    ):
        pass
    assert "bad_token" in stack.log()


def test_a_token_that_only_reads(stack: Stack) -> None:
    with stack.client("read") as client:
        assert client.account()["name"] == "main"
        with pytest.raises(GatewayError, match="read_only"):
            client.submit("KO", 1)
        # The connection lives on.
        assert client.open_orders() == []
    assert "read_only" in stack.log()


def test_another_account_s_order(stack: Stack) -> None:
    with stack.client("trade") as owner, stack.client("other") as stranger:
        order = owner.submit("PEP", 1, limit="52.00")
        assert order.status == "accepted"
        assert stranger.cancel(order.no) is False
        assert stranger.open_orders() == []
        assert [item.no for item in owner.open_orders()] == [order.no]
        assert owner.cancel(order) is True


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x7f\xff\xff\xff" + b"x" * 100, "frame_too_long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "frame_too_long"),
        (b"\x00\x00\x00\x02\xc1\xc1", "bad_frame"),
        (pack(m.Submit(1, "KO", 1)), "no_login"),
    ],
)
def test_garbage(stack: Stack, data: bytes, code: str) -> None:
    (answer,) = answers_to(stack, data)
    assert isinstance(answer, m.Refused)
    assert answer.code == code
    assert code in stack.log()


def test_a_thousand_idle_connections(stack: Stack) -> None:
    with stack.client("trade") as client:
        idle = [stack.connect() for _ in range(1_000)]
        try:
            times = []
            for _ in range(50):
                begun = time.perf_counter()
                assert client.submit("KO", 1, limit="56", tif="IOC").status == "filled"
                times.append(time.perf_counter() - begun)
            assert sorted(times)[25] < 0.05
            # They give way to one another, and to one who logs in.
            assert "gives way to another, it has not logged in" in stack.log()
            with stack.client("other") as other:
                assert other.submit("KO", 1, limit="56", tif="IOC").status == "filled"
        finally:
            for one in idle:
                one.close()


def test_a_full_gateway_says_so(tmp_path: Path) -> None:
    config = write_config(tmp_path, free_port(), gateway="sessions_max = 2")
    gateway = Running(tmp_path, "serve", "--config", str(config), "--venue", "127.0.0.1:1")
    address = f"127.0.0.1:{gateway.port}"
    try:
        with (
            nt.BlockingClient(address, token=TOKENS["trade"]),
            nt.BlockingClient(address, token=TOKENS["other"]),
            socket.create_connection(("127.0.0.1", gateway.port)) as one,
        ):
            one.settimeout(5)
            (payload,) = FrameReader().feed(one.recv(1_000))
            answer = m.decode_to_client(payload)
            assert isinstance(answer, m.Refused)
            assert (answer.code, one.recv(1)) == ("full", b"")
    finally:
        assert gateway.stop() == 0


def descriptors(stack: Stack) -> int:
    return len(os.listdir(f"/proc/{stack.gateway.process.pid}/fd"))  # noqa: PTH208 - a count


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_connections_that_are_reset_at_once_leave_nothing_behind(stack: Stack) -> None:
    with stack.client("trade") as client:
        before = descriptors(stack)
        for _ in range(200):
            with socket.socket() as one:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.connect(("127.0.0.1", stack.gateway.port))
        # What comes after them was accepted after them.
        assert client.submit("KO", 1, limit="56", tif="IOC").status == "filled"
        with stack.client("other"):
            pass
        until = time.monotonic() + 10.0
        while descriptors(stack) > before:
            assert time.monotonic() < until
            time.sleep(0.05)
    assert "Traceback" not in stack.log()


def memory_mb(stack: Stack) -> float:
    status = Path(f"/proc/{stack.gateway.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_questions_without_end_fill_no_memory(stack: Stack) -> None:
    with stack.client("trade") as client:
        for _ in range(100):
            client.submit("PEP", 1, limit="52.00")
        before = memory_mb(stack)
        askers = []
        for number in range(8):
            asker = stack.connect()
            asker.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            login = pack(m.Login(m.VERSION, TOKENS["read"], 1_000 + number, 0))
            asker.sendall(login + 8_000 * pack(m.Ask("orders")))
            askers.append(asker)
        for _ in range(200):
            assert client.submit("KO", 1, limit="56", tif="IOC").status == "filled"
        assert memory_mb(stack) < before + 30
        # Whoever reads gets every answer.
        reader = FrameReader(1 << 20)
        askers[0].settimeout(20)
        answers = 0
        while answers < 8_001:
            answers += len(reader.feed(askers[0].recv(1 << 18)))
        for asker in askers:
            asker.close()
        client.kill_switch(on=True)
        client.kill_switch(on=False)


def test_a_half_open_peer_is_cut_off(stack: Stack) -> None:
    begun = time.monotonic()
    (answer,) = answers_to(stack, b"\x00\x00")
    assert isinstance(answer, m.Refused)
    assert answer.code == "no_login"
    assert 4.0 < time.monotonic() - begun < 8.0


BOMBS = {
    "a length of two gigabytes": b"\x7f\xff\xff\xff",
    "an array of four thousand million": b"\x00\x00\x40\x00\xdd\xff\xff\xff\xff",
    "a text of two gigabytes": b"\x00\x00\x40\x00\x91\xdb\x7f\xff\xff\xff",
    "a nest of sixteen thousand": b"\x00\x00\x40\x00" + 16_384 * b"\x91",
    "frames of nothing": bytes(4) * 4_096,
}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_frame_bombs_fill_no_memory_and_hinder_nobody(stack: Stack) -> None:
    more = bytes(1 << 20)
    with stack.client("trade") as client:
        before = memory_mb(stack)
        for _ in range(20):
            bombs = [stack.connect() for _ in BOMBS]
            for one, bomb in zip(bombs, BOMBS.values(), strict=True):
                with suppress(OSError):
                    # Sixteen megabytes, or as much as is taken before the gateway hangs up.
                    one.sendall(bomb)
                    for _ in range(16):
                        one.sendall(more)
            assert client.submit("KO", 1, limit="56", tif="IOC").status == "filled"
            for one in bombs:
                with suppress(OSError):
                    while one.recv(65_536):
                        pass
                one.close()
        assert memory_mb(stack) < before + 30
    assert "Traceback" not in stack.log()


@pytest.mark.slow
def test_peers_that_send_a_byte_at_a_time_are_cut_off_and_hinder_nobody(stack: Stack) -> None:
    login = pack(m.Login(m.VERSION, "x" * 400, 1, 0))
    with stack.client("trade") as client:
        drips = [stack.connect() for _ in range(100)]
        for one in drips:
            one.setblocking(False)
        begun = time.monotonic()
        at = 0
        cut = 0
        slowest = 0.0
        while cut < len(drips) and time.monotonic() < begun + 20.0:
            for one in drips:
                with suppress(OSError):
                    one.send(login[at : at + 1])
            at += 1
            asked = time.perf_counter()
            assert client.submit("KO", 1, limit="56", tif="IOC").status == "filled"
            slowest = max(slowest, time.perf_counter() - asked)
            time.sleep(0.05)
            # Their answer has come: the refusal, which they have not asked for byte by byte.
            cut = sum(is_over(one) for one in drips)
        assert cut == len(drips)
        assert at < len(login)
        assert time.monotonic() - begun > 4.0
        assert slowest < 1.0
    for one in drips:
        one.close()
    assert stack.log().count("no login within 5 seconds") >= len(drips)


def is_over(one: socket.socket) -> bool:
    """Whether the gateway has said its last word."""
    try:
        return bool(one.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_peers_that_never_read_are_cut_off_and_others_go_on(stack: Stack) -> None:
    before = stack.log().count("it has read nothing for 10 seconds")
    with stack.client("trade") as client:
        memory = memory_mb(stack)
        # The one asks, and leaves the answers; the others are told of every order and fill.
        slow = [reader_that_reads_nothing(stack, number) for number in range(4)]
        slow[0].settimeout(0.2)
        with suppress(OSError):
            for _ in range(200_000):
                slow[0].sendall(pack(m.Ask("positions")) * 50)
        until = time.monotonic() + 60.0
        while stack.log().count("it has read nothing for 10 seconds") < before + len(slow):
            assert time.monotonic() < until
            for _ in range(100):
                assert client.submit("KO", -1, limit="52", tif="IOC").status == "filled"
        assert memory_mb(stack) < memory + 30
    for one in slow:
        one.close()


def reader_that_reads_nothing(stack: Stack, number: int) -> socket.socket:
    """Log in to the whole stream of the account, with as little room for it as there is."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    one.connect(("127.0.0.1", stack.gateway.port))
    one.sendall(pack(m.Login(m.VERSION, TOKENS["trade"], 99 + number, 1)))
    return one
