"""A new gateway takes the place of the one that runs: nobody is disconnected, nothing is lost."""

import array
import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import neural_trader as nt
from neural_trader.execution import LiveFill, handover, hash_token
from neural_trader.execution import messages as m
from neural_trader.execution.framing import FrameReader, pack
from neural_trader.execution.journal import walk
from neural_trader.execution.takeover import SOCKET
from tests.order_path import TOKENS, Running, free_port, wait_for_day, write_config
from tests.tidy.tree import ROOT

ROUNDS = 3
NEW = "n" * 64


class Desk:
    """A venue, and a gateway that others may take over."""

    def __init__(self, folder: Path, durability: str = "process-safe") -> None:
        self.folder = folder
        self.venue = Running(folder, "venue", "--port", "0", "--symbols", "KO,PEP")
        self.config = write_config(folder, free_port())
        self.config.write_text(self.config.read_text().replace("process-safe", durability))
        self.gateway = Running(folder, *self.serve)
        wait_for_day(folder / "journal")

    @property
    def serve(self) -> tuple[str, ...]:
        venue = f"127.0.0.1:{self.venue.port}"
        return ("serve", "--config", str(self.config), "--venue", venue)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.gateway.port}"

    def take_over(self) -> None:
        """Start a gateway that takes over; the old one must end well."""
        old = self.gateway
        self.gateway = Running(self.folder, *self.serve, "--takeover")
        assert old.process.wait(10) == 0
        assert old.process.stdout is not None
        said = json.loads(old.process.stdout.read())
        old.process.stdout.close()
        assert said == {"event": "handed_over", "to": self.gateway.process.pid}
        assert self.gateway.port == old.port
        assert self.gateway.said["pause_ms"] > 0

    def records(self) -> list[Any]:
        return [m.decode_record(payload) for _, payload in walk(self.folder / "journal")]

    def stop(self) -> None:
        """End both."""
        assert self.gateway.stop() == 0
        self.venue.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    one = Desk(tmp_path)
    yield one
    one.stop()


@pytest.mark.parametrize("durability", ["process-safe", "power-safe"])
def test_under_load_nobody_is_disconnected_and_nothing_is_lost(
    tmp_path: Path, durability: str
) -> None:
    desk = Desk(tmp_path, durability)
    acked: dict[str, dict[int, str]] = {"trade": {}, "other": {}}
    fills: dict[str, list[LiveFill]] = {"trade": [], "other": []}

    async def trade(holder: str, client: nt.Client, stop: asyncio.Event) -> None:
        side = 1 if holder == "trade" else -1
        while not stop.is_set():
            order = await client.submit(
                "KO", side, limit="56.00" if side > 0 else "52.00", tif="IOC"
            )
            assert order.no not in acked[holder]
            acked[holder][order.no] = order.status

    async def collect(holder: str, client: nt.Client) -> None:
        async for fill in client.fills():
            fills[holder].append(fill)

    async def run() -> None:
        stop = asyncio.Event()
        clients = {
            holder: nt.Client(desk.address, token=TOKENS[holder], next_seq=1) for holder in acked
        }
        for client in clients.values():
            await client.__aenter__()
        before = [client._transport for client in clients.values()]
        work = [
            asyncio.create_task(one)
            for holder, client in clients.items()
            for one in (collect(holder, client), *(trade(holder, client, stop) for _ in range(4)))
        ]
        for _ in range(ROUNDS):
            await asyncio.sleep(0.2)
            await asyncio.to_thread(desk.take_over)
        await asyncio.sleep(0.2)
        stop.set()
        await asyncio.gather(*(one for at, one in enumerate(work) if at % 5))
        # The last fills come with the answers to these.
        await asyncio.gather(*(client.open_orders() for client in clients.values()))
        assert [client._transport for client in clients.values()] == before
        for client in clients.values():
            await client.close()
        await asyncio.gather(*work)

    try:
        asyncio.run(asyncio.wait_for(run(), 60))
    finally:
        desk.stop()
    records = desk.records()
    assert sum(isinstance(record, m.Started) for record in records) == ROUNDS + 1
    for number, holder in ((1, "trade"), (2, "other")):
        orders = {r.no for r in records if isinstance(r, m.Submitted) and r.account == number}
        assert orders == {no for no, status in acked[holder].items() if status != "denied"}
        assert set(acked[holder].values()) == {"filled"}
        booked = [r.fill_id for r in records if isinstance(r, m.Filled) and r.account == number]
        assert [fill.fill_id for fill in fills[holder]] == booked
        assert len(set(booked)) == len(booked) == len(orders)
    assert not [record for record in records if isinstance(record, m.Unknown | m.OrphanFilled)]


def login(desk: Desk, next_seq: int = 0) -> socket.socket:
    """Return a connection that has sent its login, and read nothing."""
    one = socket.create_connection(("127.0.0.1", desk.gateway.port))
    one.sendall(pack(m.Login(m.VERSION, TOKENS["trade"], 77, next_seq)))
    return one


def read(one: socket.socket, reader: FrameReader, count: int) -> list[Any]:
    """Read until so many messages have come."""
    found: list[Any] = []
    one.settimeout(10)
    while len(found) < count:
        data = one.recv(1 << 16)
        assert data, "the connection was closed"
        found += [m.decode_to_client(payload) for payload in reader.feed(data)]
    return found


def test_a_frame_of_which_half_had_come_is_taken_whole(desk: Desk) -> None:
    reader = FrameReader()
    with login(desk) as one:
        assert isinstance(read(one, reader, 1)[0], m.Welcome)
        order = pack(m.Submit(1, "KO", 1, 1, 2, 5_600, 0, False))
        for cut in range(1, 4):
            one.sendall(order[:cut])
            desk.take_over()
            one.sendall(order[cut:])
            order = pack(m.Submit(1 + cut, "KO", 1, 1, 2, 5_600, 0, False))
            told = read(one, reader, 2)
            assert [type(event) for event in told] == [m.Accepted, m.Filled]
            assert told[0].no == cut


async def flood(desk: Desk, orders: int) -> None:
    """Send many orders, a hundred at a time."""
    async with nt.Client(desk.address, token=TOKENS["trade"]) as client:
        for _ in range(orders // 100):
            await asyncio.gather(
                *(client.submit("KO", 1, limit="56.00", tif="IOC") for _ in range(100))
            )


def test_one_who_does_not_read_gets_every_byte_once(desk: Desk) -> None:
    orders = 40_000
    asyncio.run(flood(desk, orders))
    reader = FrameReader()
    slow = socket.socket()
    # A buffer that is small: what this system's kernel does not take waits in the gateway.
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with slow, nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
        slow.connect(("127.0.0.1", desk.gateway.port))
        slow.sendall(pack(m.Login(m.VERSION, TOKENS["trade"], 77, 1)))
        events = []
        for some in (1_000, 5_000, 1_000):
            # It reads a little, in pieces that end in the midst of frames.
            events += read(slow, reader, some)
            desk.take_over()
            still_trades(desk, client)
        events += read(slow, reader, 1 + 2 * (orders + 3) - len(events))
    assert [event.seq for event in events[1:]] == list(range(1, 2 * (orders + 3) + 1))
    unsent = re.findall(r"with (\d+) unsent bytes", (desk.folder / "serve.log").read_text())
    assert len(unsent) == 3
    assert int(unsent[0]) > 0


def test_a_login_may_still_be_to_come(desk: Desk) -> None:
    with socket.create_connection(("127.0.0.1", desk.gateway.port)) as one:
        desk.take_over()
        one.sendall(pack(m.Login(m.VERSION, TOKENS["trade"], 78, 0)))
        assert isinstance(read(one, FrameReader(), 1)[0], m.Welcome)


def test_limits_and_accounts_of_the_new_configuration_hold(desk: Desk) -> None:
    with nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
        assert client.submit("KO", 50, tif="IOC").status == "filled"
        text = desk.config.read_text().replace("[limits]", "[limits]\norder_qty_max = 10")
        digest = hash_token("n" * 64)
        desk.config.write_text(
            text + '[[accounts]]\nname = "new"\n'
            f'[[tokens]]\naccount = "new"\nscope = "trade"\nsha256 = "{digest}"\n'
        )
        desk.take_over()
        assert client.submit("KO", 50, tif="IOC").reason == "order_qty"
        assert [str(position.qty) for position in client.positions()] == ["50"]
    with nt.BlockingClient(desk.address, token="n" * 64) as client:
        assert client.submit("KO", 5, tif="IOC").status == "filled"


@pytest.mark.parametrize("version", ["v1"])
def test_a_journal_of_every_version_is_taken_over(tmp_path: Path, version: str) -> None:
    shutil.copytree(ROOT / "tests" / "golden" / f"journal-{version}", tmp_path / "journal")
    # As in that journal, where PEP has a tick of its own.
    one, two = 'symbol = "PEP"\ntick_size = "0.01"', 'symbol = "PEP"\ntick_size = "0.001"'
    desk = Desk.__new__(Desk)
    desk.folder = tmp_path
    desk.venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO")
    desk.config = write_config(tmp_path, free_port())
    desk.config.write_text(desk.config.read_text().replace(one, two))
    desk.gateway = Running(tmp_path, *desk.serve)
    assert desk.gateway.said["records"] == 92
    try:
        for _ in range(2):
            with nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
                before = {one.symbol: one.qty for one in client.positions()}
                assert before["PEP"] == -30
                desk.take_over()
                assert {one.symbol: one.qty for one in client.positions()} == before
    finally:
        desk.stop()


def test_a_token_that_is_gone_ends_its_sessions(desk: Desk) -> None:
    with (
        nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client,
        nt.BlockingClient(desk.address, token=TOKENS["other"]) as other,
    ):
        still_trades(desk, client)
        still_trades(desk, other)
        text = desk.config.read_text()
        desk.config.write_text(text.replace(hash_token(TOKENS["other"]), hash_token(NEW)))
        desk.take_over()
        still_trades(desk, client)
        with pytest.raises(nt.GatewayError):
            other.submit("KO", 1, limit="56.00", tif="IOC")
    with nt.BlockingClient(desk.address, token=NEW) as other:
        still_trades(desk, other)


def run_serve(desk: Desk) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", *desk.serve, "--takeover"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def still_trades(desk: Desk, client: nt.BlockingClient) -> None:
    assert desk.gateway.process.poll() is None
    assert client.submit("KO", 1, limit="56.00", tif="IOC").status == "filled"


def test_a_new_gateway_that_cannot_start_changes_nothing(desk: Desk) -> None:
    text = desk.config.read_text()
    with nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
        for old, new, code, words in (
            ('tick_size = "0.01"', 'tick_size = "0.05"', 2, "units cannot change"),
            ("[limits]", "[limits", 2, "gateway.toml"),
            ("[gateway]", '[gateway]\njournal = "elsewhere"', 10, "without --takeover"),
        ):
            desk.config.write_text(text.replace(old, new, 1))
            done = run_serve(desk)
            assert (done.returncode, words in done.stderr) == (code, True), done.stderr
            assert done.stderr.count("\n") == 1
            still_trades(desk, client)
        desk.config.write_text(text)
        desk.take_over()
        still_trades(desk, client)


class Impostor:
    """A new gateway that goes as far as it is told, and no further."""

    def __init__(self, desk: Desk) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(str(desk.folder / "journal" / SOCKET))
        # A process that may be ended, as one that says nothing will be.
        self.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    def say(self, *words: Any) -> None:
        payload = msgspec.msgpack.encode(words)
        self.socket.sendall(len(payload).to_bytes(4, "big") + payload)

    def hear(self) -> list[Any]:
        size = int.from_bytes(self.socket.recv(4, socket.MSG_WAITALL), "big")
        words: list[Any] = msgspec.msgpack.decode(self.socket.recv(size, socket.MSG_WAITALL))
        return words

    def go(self, steps: int) -> None:
        """Say so many of the words that a new gateway says."""
        self.say("hello", handover.VERSION, m.VERSION, self.process.pid)
        assert self.hear() == ["welcome"]
        if steps > 1:
            self.say("ready")
            word, _, count, _ = self.hear()
            assert (word, count > 1) == ("state", True)
            room = socket.CMSG_SPACE(200 * array.array("i").itemsize)
            _, ancillary, _, _ = self.socket.recvmsg(1, room)
            self.fds = array.array("i", ancillary[0][2])
            for fd in self.fds:
                os.close(fd)
        if steps > 2:
            self.say("prepared")
            assert self.hear() == ["go"]

    def die(self) -> None:
        self.socket.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_new_gateway_that_dies_on_the_way_changes_nothing(desk: Desk, steps: int) -> None:
    with nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
        still_trades(desk, client)
        for _ in range(2):
            new = Impostor(desk)
            new.go(steps)
            new.die()
            still_trades(desk, client)
        desk.take_over()
        still_trades(desk, client)


@pytest.mark.parametrize("steps", [2, 3])
def test_a_new_gateway_that_says_nothing_more_is_given_up(desk: Desk, steps: int) -> None:
    with nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
        new = Impostor(desk)
        new.go(steps)
        # The answer comes only once the old one has given up waiting.
        if steps == 2:
            still_trades(desk, client)
            new.die()
        else:
            assert new.process.wait(10) == -9
            new.socket.close()
            assert new.process.stdin is not None
            new.process.stdin.close()
        still_trades(desk, client)


def test_a_new_gateway_that_wrote_and_died_halts_the_old_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    new = Impostor(desk)
    new.go(3)
    last = desk.records()[-1]
    from neural_trader.execution.journal import FileJournal

    journal = FileJournal.follow(tmp_path / "journal", durability="process-safe")
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    journal.take_over(lock, journal.next_seq, "process-safe")
    journal.append(m.encode(last))
    journal.commit()
    new.die()
    assert desk.gateway.process.wait(10) == 9
    assert "wrote to it and died" in (tmp_path / "serve.log").read_text()
    assert desk.gateway.process.stdout is not None
    desk.gateway.process.stdout.close()
    journal.close()
    desk.venue.stop()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("hello", 99, m.VERSION, 1), "versions"),
        (("goodbye",), ""),
        (("hello", handover.VERSION, m.VERSION, 1, 1), "versions"),
    ],
)
def test_another_version_is_refused(desk: Desk, words: tuple[Any, ...], answer: str) -> None:
    with nt.BlockingClient(desk.address, token=TOKENS["trade"]) as client:
        new = Impostor(desk)
        new.say(*words)
        if answer:
            said = new.hear()
            assert (said[0], answer in said[1]) == ("no", True)
        assert new.socket.recv(1) == b""
        new.die()
        still_trades(desk, client)
        desk.take_over()


def test_without_a_gateway_there_is_nothing_to_take_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.stop()
    done = run_serve(desk)
    assert done.returncode == 10
    assert "start without --takeover where none runs" in done.stderr
