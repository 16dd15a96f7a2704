"""The clients against gateways that misbehave."""

import asyncio

import pytest

import neural_trader as nt
from neural_trader.execution import messages as m
from neural_trader.execution.client import asynchronous
from neural_trader.execution.framing import FrameReader, pack

WELCOME = m.Welcome(m.VERSION, 1, "main", True, 1, 1, 0, (("KO", "0.01", "1", "0.01"),))


async def read_request(reader: asyncio.StreamReader) -> object:
    size = int.from_bytes(await reader.readexactly(4), "big")
    return m.decode_request(await reader.readexactly(size))


def test_a_peer_that_is_half_gone_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asynchronous, "_PING_S", 0.05)
    connections: list[int] = []
    served: list[asyncio.Task[object] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        served.append(asyncio.current_task())
        assert isinstance(await read_request(reader), m.Login)
        writer.write(pack(WELCOME))
        try:
            while True:
                request = await read_request(reader)
                connections[-1] += 1
                # The first connection hears nothing more; the second is answered.
                if isinstance(request, m.Ping) and len(connections) > 1:
                    writer.write(pack(m.Pong()))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, nt.Client(f"127.0.0.1:{port}", token="t" * 64):

            async def is_stable() -> None:
                while len(connections) < 2 or connections[1] < 5:  # noqa: ASYNC110 - two counters
                    await asyncio.sleep(0.01)

            await asyncio.wait_for(is_stable(), 10)
        await asyncio.gather(*(task for task in served if task is not None))
        assert len(connections) == 2
        assert connections[0] == 1

    asyncio.run(run())


def test_the_frames_of_this_page_are_the_gateways() -> None:
    (payload,) = FrameReader().feed(pack(WELCOME))
    assert m.decode_to_client(payload) == WELCOME
