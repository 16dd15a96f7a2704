"""The paper venue as a gateway meets it: a process behind a socket."""

import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from neural_trader.execution import messages as m
from neural_trader.execution.framing import REPLY_BYTES_MAX, FrameReader, pack

T = TypeVar("T")


class Gate:
    """A gateway's end of a connection."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket = raw if tls is None else tls.wrap_socket(raw, server_hostname="localhost")
        self.reader = FrameReader(REPLY_BYTES_MAX)
        self.waiting: list[m.FromVenue] = []

    def close(self) -> None:
        self.socket.close()

    def say(self, *messages: m.ToVenue) -> None:
        self.socket.sendall(b"".join(pack(message) for message in messages))

    def login(self, epoch: int = 1, last_fill_id: int = 0) -> None:
        self.say(m.VenueLogin(m.VERSION, "test", epoch, last_fill_id))

    def hear(self, kind: type[T]) -> T:
        """Return the next message of a kind; those before it are passed over."""
        while True:
            while self.waiting:
                message = self.waiting.pop(0)
                if isinstance(message, kind):
                    return message
            data = self.socket.recv(1 << 16)
            assert data, f"closed before a {kind.__name__}"
            self.waiting += [m.decode_from_venue(one) for one in self.reader.feed(data)]

    def hears_the_end(self) -> bool:
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            return True
        return True


@contextmanager
def venue(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "neural_trader", "venue", "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, int(told(process)["port"])
    finally:
        process.kill()
        process.communicate()


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    event: dict[str, Any] = json.loads(line)
    return event


def order(no: int, qty: int = 5, **more: Any) -> m.NewOrder:
    return m.NewOrder(m.order_id(1, no), more.get("symbol", "KO"), qty, 0, 0, 0, 0)


def test_orders_fill_and_nothing_is_lost_over_a_reconnect() -> None:
    with venue("--speed", "0") as (process, port):
        with closing(Gate(port)) as gate:
            gate.login()
            assert gate.hear(m.VenueWelcome).venue == "paper"
            assert {gate.hear(m.Quote).symbol for _ in range(2)} == {"KO", "PEP"}
            gate.say(*(order(no) for no in range(1, 101)))
            fills = [gate.hear(m.OrderFilled) for _ in range(100)]
            assert [fill.fill_id for fill in fills] == list(range(1, 101))
            gate.say(m.Ping())
            assert gate.hear(m.Pong) == m.Pong()
        with closing(Gate(port)) as gate:
            gate.login(epoch=2, last_fill_id=97)
            assert [gate.hear(m.OrderFilled) for _ in range(3)] == fills[97:]
            gate.say(order(100), m.QueryOrder(m.order_id(1, 100)))
            assert gate.hear(m.OrderStatus).fills == (fills[99],)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        events = [json.loads(line)["event"] for line in out.splitlines()]
        assert events == ["gateway_in", "gateway_out"] * 2


def test_ctrl_c_ends_it() -> None:
    with venue() as (process, _):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err.strip()) == (130, "interrupted")


def test_a_new_gateway_takes_over_and_an_old_one_is_refused() -> None:
    with venue() as (_, port), closing(Gate(port)) as first, closing(Gate(port)) as second:
        first.login(epoch=3)
        first.hear(m.VenueWelcome)
        second.login(epoch=4)
        second.hear(m.VenueWelcome)
        assert first.hear(m.VenueRefused).code == "replaced"
        assert first.hears_the_end()
        with closing(Gate(port)) as third:
            third.login(epoch=3)
            assert third.hear(m.VenueRefused).code == "old_epoch"
            assert third.hears_the_end()
        second.say(order(1))
        assert second.hear(m.OrderFilled).qty == 5


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (pack(order(1)), "no_login"),
        (b"\0\0\0\3abc", "bad_message"),
        (b"\x7f\0\0\0", "too_long"),
    ],
)
def test_what_is_no_gateway_is_refused(sent: bytes, code: str) -> None:
    with venue() as (_, port), closing(Gate(port)) as gate:
        gate.socket.sendall(sent)
        assert gate.hear(m.VenueRefused).code == code
        assert gate.hears_the_end()


def test_bars_are_replayed_from_the_first_login_on() -> None:
    options = ("--market", "bars", "--data", "sp500-closes", "--symbols", "KO", "--speed", "200")
    with (
        venue(*options, "--fee-bps", "5", "--slippage-bps", "5") as (_, port),
        closing(Gate(port)) as gate,
    ):
        gate.login()
        first = gate.hear(m.Quote)
        gate.say(order(1, 100))
        fill = gate.hear(m.OrderFilled)
        assert fill.ts > first.ts
        quote = gate.hear(m.Quote)
        while quote.ts < fill.ts:
            quote = gate.hear(m.Quote)
        # The quote is the close to the nearest tick: half a tick of a hundred shares.
        value = quote.ask * 100 * 1.0005
        assert fill.value == pytest.approx(value, abs=51)
        assert fill.fee == pytest.approx(fill.value * 0.0005, abs=1)


def test_ticks_are_replayed_from_a_file_to_their_end(tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv"
    path.write_text(
        "ts,symbol,bid,ask,bid_size,ask_size\n"
        "2021-01-04T14:30:00Z,KO,50.00,50.02,300,200\n"
        "2021-01-04T14:30:01Z,KO,50.01,50.03,300,200\n"
        "2021-01-04T14:30:02Z,KO,50.02,50.04,300,200\n"
    )
    with (
        venue("--market", "ticks", "--data", str(path), "--speed", "2") as (process, port),
        closing(Gate(port)) as gate,
    ):
        gate.login()
        gate.say(order(1, 250))
        fills = [gate.hear(m.OrderFilled) for _ in range(2)]
        assert [(fill.qty, fill.price) for fill in fills] == [(200, 5002), (50, 5003)]
        assert [told(process)["event"] for _ in range(2)] == ["gateway_in", "market_over"]
        gate.say(order(2))
        assert gate.hear(m.OrderRejected).reason == "market_closed"


def test_a_latency_is_kept() -> None:
    with venue("--latency-us", "50000") as (_, port), closing(Gate(port)) as gate:
        gate.login()
        gate.say(order(1), order(2))
        one, two = gate.hear(m.OrderFilled), gate.hear(m.OrderFilled)
        assert two.ts >= one.ts
        gate.say(m.QueryOrder(m.order_id(1, 1)))
        assert gate.hear(m.OrderStatus).ts >= one.ts + 50_000_000


def test_an_open_address_needs_tls(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "neural_trader", "venue", "--host", "0.0.0.0", "--port", "0"]  # noqa: S104
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "give a certificate" in done.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(cafile=str(cert))
    with (
        venue("--cert", str(cert), "--key", str(key)) as (_, port),
        closing(Gate(port, context)) as gate,
    ):
        gate.login()
        gate.say(order(1))
        assert gate.hear(m.OrderFilled).qty == 5


def test_a_port_that_is_taken_is_named() -> None:
    with venue() as (_, port):
        command = [sys.executable, "-m", "neural_trader", "venue", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert f"port {port}: it is taken" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--market", "bars"),
        ("--data", "sp500-closes"),
        ("--slippage-bps", "5"),
        ("--symbols", "KO,KO"),
        ("--tick-size", "zero"),
        ("--reject-rate", "2"),
        ("--cert", "only.pem"),
    ],
)
def test_options_that_make_no_venue_are_refused(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "neural_trader", "venue", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
