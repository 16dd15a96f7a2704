"""The clients against gateways that misbehave."""

import asyncio
import socket
import threading

import pytest

import neural_trader as nt
from neural_trader.core import GatewayError
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


def test_a_blocking_client_gives_up_on_a_gateway_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        # The system takes the connection, and nobody answers.
        client = nt.BlockingClient(
            f"127.0.0.1:{hanging.getsockname()[1]}", token="t" * 64, reply_timeout_s=0.2
        )
        with pytest.raises(GatewayError, match="did not let the client in"):
            client.__enter__()


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_blocking_client_asks_again_on_a_new_connection(is_silent: bool) -> None:
    """The connection ends between two calls: without a word, or since nothing was heard."""

    def answer(peer: socket.socket, questions: int) -> None:
        reader = FrameReader()
        while data := peer.recv(65_536):
            for request in map(m.decode_request, reader.feed(data)):
                if isinstance(request, m.Login):
                    peer.sendall(pack(WELCOME))
                else:
                    peer.sendall(pack(m.Positions(1, 100, False, ())))
                    questions -= 1
            if not questions:
                break
        if is_silent:
            peer.sendall(pack(m.Refused("silent", "nothing was heard for 30 seconds")))
        peer.close()

    def serve() -> None:
        for questions in (1, 2):
            answer(listener.accept()[0], questions)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve)
        serving.start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with nt.BlockingClient(address, token="t" * 64, reply_timeout_s=5.0) as client:
            assert [client.account()["cash"] for _ in range(3)] == [1, 1, 1]
        serving.join()


def test_the_frames_of_this_page_are_the_gateways() -> None:
    (payload,) = FrameReader().feed(pack(WELCOME))
    assert m.decode_to_client(payload) == WELCOME
