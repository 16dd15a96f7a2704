import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from neural_trader.core import ConfigError
from neural_trader.execution import messages as m
from neural_trader.execution.framing import REPLY_BYTES_MAX, FrameReader, pack
from neural_trader.execution.venues.paper import (
    PaperServer,
    PaperVenue,
    ServerConfig,
    SyntheticMarket,
)
from tests.paper_desk import NOW, identity, listings

SECOND = 1_000_000_000


class World:
    """A server with a clock that a test moves."""

    def __init__(self, **config: Any) -> None:
        self.now = NOW
        self.events: list[dict[str, Any]] = []
        self.server = PaperServer(
            PaperVenue(SyntheticMarket(listings("A"))),
            ServerConfig(port=0, speed=0.0, **config),
            clock=lambda: self.now,
            told=self.events.append,
        )

    async def connect(self) -> "Peer":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.events[0]["port"])
        return Peer(reader, writer)


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.frames = FrameReader(REPLY_BYTES_MAX)

    async def hear(self, *, until: type | None = None) -> list[m.FromVenue]:
        """Return what comes, up to a message of a kind or to the end of the connection."""
        told: list[m.FromVenue] = []
        while until is None or not any(isinstance(one, until) for one in told):
            data = await self.reader.read(1 << 16)
            if not data:
                break
            told += [m.decode_from_venue(one) for one in self.frames.feed(data)]
        return told

    async def login(self) -> None:
        self.writer.write(pack(m.VenueLogin(m.VERSION, "test", 1, 0)))
        await self.hear(until=m.Quote)


def play(world: World, scene: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(world.server.run(stop))
        while not world.events:  # noqa: ASYNC110 - there is no event but it
            await asyncio.sleep(0)
        try:
            await asyncio.wait_for(scene(), timeout=20)
        finally:
            stop.set()
            await task
            await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_silent_gateway_is_asked_and_then_cut() -> None:
    world = World()

    async def scene() -> None:
        peer = await world.connect()
        await peer.login()
        world.now += 11 * SECOND
        world.server._watch()
        assert m.Ping() in await peer.hear(until=m.Ping)
        peer.writer.write(pack(m.Pong()))
        peer.writer.write(pack(m.Ping()))
        assert m.Pong() in await peer.hear(until=m.Pong)
        world.now += 31 * SECOND
        world.server._watch()
        (refused,) = await peer.hear()
        assert isinstance(refused, m.VenueRefused)
        assert refused.code == "silent"
        peer.writer.close()

    play(world, scene)
    assert not world.server.venue.is_connected
    assert [event["event"] for event in world.events] == [
        "listening", "gateway_in", "gateway_out",
    ]  # fmt: skip


def test_a_connection_without_a_login_is_cut() -> None:
    world = World()

    async def scene() -> None:
        peer = await world.connect()
        while not world.server.connections:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        world.now += 6 * SECOND
        world.server._watch()
        (refused,) = await peer.hear()
        assert isinstance(refused, m.VenueRefused)
        assert refused.code == "no_login"
        peer.writer.close()

    play(world, scene)


def test_there_is_a_bound_on_connections() -> None:
    world = World()

    async def scene() -> None:
        peers = [await world.connect() for _ in range(9)]
        (refused,) = await peers[-1].hear()
        assert isinstance(refused, m.VenueRefused)
        assert refused.code == "full"
        await peers[0].login()
        for peer in peers:
            peer.writer.close()

    play(world, scene)


def test_a_batch_is_answered_in_one_write() -> None:
    world = World()

    async def scene() -> None:
        peer = await world.connect()
        await peer.login()
        orders = [m.NewOrder(identity(no), "A", 1, 0, 0, 0, 0) for no in range(1, 65)]
        peer.writer.write(b"".join(pack(order) for order in orders))
        told: list[m.FromVenue] = []
        while len(told) < 128:
            told += await peer.hear(until=m.OrderFilled)
        assert [type(one) for one in told] == [m.OrderAccepted, m.OrderFilled] * 64
        peer.writer.close()

    play(world, scene)


@pytest.mark.parametrize("config", [{"port": -1}, {"port": 70_000}, {"speed": -1.0}])
def test_a_place_outside_its_range_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        ServerConfig(**config)


@pytest.mark.parametrize("host", ["0.0.0.0", "example.org"])  # noqa: S104 - it is refused
def test_an_open_address_without_tls_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="which other machines can reach"):
        World(host=host)
