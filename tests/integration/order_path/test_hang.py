"""Processes that live and do not answer: nobody takes silence for a yes, a no or an end."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.core import OrderOutcomeUnknown
from neural_trader.execution import Gateway, GatewayServer, Listing, server
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, pack
from neural_trader.execution.journal import MemoryJournal, walk
from neural_trader.execution.venues.paper import PaperVenue, SyntheticMarket
from tests.order_path import TOKENS, Running, free_port, wait_until, write_config
from tests.reliability.stack import Stack, stack

TIMEOUT_MS = 200


def is_unknown(one: Stack, times: int = 1) -> bool:
    """Whether orders have become unknown so often."""
    records = (m.decode_record(payload) for _, payload in walk(one.folder / "journal"))
    return sum(isinstance(record, m.Unknown) for record in records) >= times


def test_orders_at_a_venue_that_hangs_are_unknown_until_it_goes_on(tmp_path: Path) -> None:
    with stack(tmp_path, 5, timeout_ms=TIMEOUT_MS) as one:
        for times in range(1, 4):
            with one.stopped("venue"):
                wait_until(partial(is_unknown, one, times))
            one.wait_for_fills(50)
        audit = one.finish()
    assert audit.faults == []
    counts = audit.counts
    assert counts["Unknown"] >= 3
    # Silence is no rejection, and the venue had lost nothing.
    assert counts["Rejected"] == counts["lost_by_venue"] == 0


def test_a_venue_that_hangs_and_then_dies(tmp_path: Path) -> None:
    with stack(tmp_path, 6, timeout_ms=TIMEOUT_MS) as one:
        with one.stopped("venue"):
            wait_until(partial(is_unknown, one))
            one.running["venue"].process.kill()
        one.kill("venue")
        one.start("venue")
        one.wait_for_fills(50)
        audit = one.finish()
    assert audit.faults == []
    # What had not been answered is over, and the account says why.
    assert audit.counts["never_reached_venue"] + audit.counts["lost_by_venue"] > 0


def test_requests_to_a_gateway_that_hangs_wait_and_are_answered_once(tmp_path: Path) -> None:
    with stack(tmp_path, 7) as one:
        for _ in range(3):
            with one.stopped("gateway"):
                time.sleep(0.3)
            one.wait_for_fills(50)
        audit = one.finish()
    assert audit.faults == []
    assert audit.counts["book: unanswered"] == 0


def test_a_request_that_was_given_up_does_not_go_out_later(tmp_path: Path) -> None:
    venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO,PEP")
    config = write_config(tmp_path, free_port())
    serve = ("serve", "--config", str(config), "--venue", f"127.0.0.1:{venue.port}")
    gateway = Running(tmp_path, *serve)
    address = f"127.0.0.1:{gateway.port}"
    with nt.BlockingClient(address, token=TOKENS["trade"], reply_timeout_s=0.3) as client:
        wait_until(partial(is_filled, client))
        gateway.process.send_signal(signal.SIGSTOP)
        given_up = client._session.next_no
        with pytest.raises(OrderOutcomeUnknown, match="there was no answer within"):
            is_filled(client)
        # Whether it has read what was sent when it dies, nobody can say.
        gateway.process.kill()
        gateway.wait()
        gateway = Running(tmp_path, *serve)
        # Its caller has been told: the client comes back, and does not repeat it on its own.
        wait_until(partial(is_filled, client))
        (position,) = client.positions()
    assert gateway.stop() == 0
    venue.stop()
    records = [m.decode_record(payload) for _, payload in walk(tmp_path / "journal")]
    numbers = [r.no for r in records if isinstance(r, m.Submitted | m.Denied)]
    assert sorted(set(numbers)) == numbers
    assert set(range(1, client._session.next_no)) - set(numbers) <= {given_up}
    assert position.qty == sum(r.qty for r in records if isinstance(r, m.Filled))


def is_filled(client: nt.BlockingClient) -> bool:
    """Send an order and return whether it was filled; a gateway without its venue denies it."""
    return client.submit("KO", 1, limit="56", tif="IOC").status == "filled"


class Deaf:
    """A venue that answers everything but what concerns one order, as long as it is deaf to it."""

    def __init__(self) -> None:
        listings = {"KO": Listing("KO"), "PEP": Listing("PEP")}
        self.venue = PaperVenue(SyntheticMarket(listings, seed=1))
        self.deaf_to = 0
        self.asked: list[int] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        """Serve one gateway until it goes."""
        peer, _ = self.listener.accept()
        reader = FrameReader()
        with peer:
            while data := peer.recv(65_536):
                for payload in reader.feed(data):
                    message = m.decode_to_venue(payload)
                    answers = self.venue.on_message(message, time.time_ns())
                    if getattr(message, "id", 0) == self.deaf_to != 0:
                        self.asked.append(type(message).__struct_config__.tag)
                    else:
                        peer.sendall(b"".join(map(pack, answers)))

    def close(self) -> None:
        """End it, once the gateway is gone."""
        self.thread.join(10)
        self.listener.close()


@pytest.fixture
def deaf() -> Iterator[Deaf]:
    one = Deaf()
    yield one
    one.close()


def test_an_order_that_gets_no_answer_is_unknown_and_hinders_no_other(
    tmp_path: Path, deaf: Deaf
) -> None:
    limits = f"[venue]\ntimeout_ms = {TIMEOUT_MS}\n"
    config = write_config(tmp_path, free_port(), limits=limits)
    venue = f"127.0.0.1:{deaf.port}"
    gateway = Running(tmp_path, "serve", "--config", str(config), "--venue", venue)
    with nt.BlockingClient(f"127.0.0.1:{gateway.port}", token=TOKENS["trade"]) as client:
        wait_until(partial(is_filled, client))
        # The venue has filled it by the time that it falls silent.
        deaf.deaf_to = m.order_id(1, client._session.next_no)
        silent = client.submit("KO", 5)
        assert silent.status == "unknown"
        assert client.submit("KO", 1).status == "filled"
        assert client.submit("PEP", -1).status == "filled"
        # Asked for again and again, sent once.
        wait_until(lambda: len(deaf.asked) >= 3)
        assert (deaf.asked.count(61), set(deaf.asked)) == (1, {61, 64})
        assert [order.status for order in client.open_orders()] == ["unknown"]
        deaf.deaf_to = 0
        assert client.wait(silent, timeout_s=10).status == "filled"
        held = {position.symbol: position.qty for position in client.positions()}
        fills = [fill for fill in client.fills(timeout_s=0.1) if fill.order_no == silent.no]
    assert [fill.qty for fill in fills] == [5]
    assert held["KO"] == 5 + silent.no - 1 + 1 - denied(tmp_path)
    assert gateway.stop() == 0


def denied(folder: Path) -> int:
    """Return how many orders were denied, while the venue was not there yet."""
    records = (m.decode_record(payload) for _, payload in walk(folder / "journal"))
    return sum(isinstance(record, m.Denied) for record in records)


def test_a_venue_that_accepts_and_never_speaks_is_left_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "_VENUE_PING_NS", 50_000_000)
    monkeypatch.setattr(server, "_VENUE_SILENCE_NS", 300_000_000)
    gateway = Gateway(MemoryJournal())
    gateway.start(1, listings=[Listing("KO")], accounts={}, limits={})

    async def run() -> None:
        connected = asyncio.Semaphore(0)
        served: list[asyncio.Task[None] | None] = []

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(asyncio.current_task())
            connected.release()
            await asyncio.gather(reader.read(), return_exceptions=True)
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

        venue = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        address = venue.sockets[0].getsockname()[:2]
        one = GatewayServer(gateway, address)
        running = asyncio.create_task(one.run("127.0.0.1", 0))
        for _ in range(2):
            await asyncio.wait_for(connected.acquire(), 10)
            assert gateway.venue.state != "up"
        one.stop()
        await running
        venue.close()
        await asyncio.gather(*(task for task in served if task is not None))

    asyncio.run(run())
    assert "the venue has been silent for" in caplog.text
