"""The blocking twin of the client, for scripts and notebooks: ``nt.BlockingClient``."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from neural_trader.core.orders import TimeInForce
from neural_trader.execution.client.asynchronous import Client
from neural_trader.execution.client.session import LiveFill, LivePosition, Price, SentOrder

T = TypeVar("T")


class BlockingClient:
    """``Client`` for code without asyncio: the same methods, which return when they are done.

    The connection is kept by a thread of its own, so that it stays alive while the caller works.
    Arguments and errors are those of ``Client``.

    Examples
    --------
    ::

        with nt.BlockingClient("127.0.0.1:7701", token=token) as c:
            order = c.submit("KO", +100, limit="54.20")
            for fill in c.fills(timeout_s=1.0):
                print(fill)
    """

    def __init__(self, address: str = "127.0.0.1:7701", *, token: str, next_seq: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = self._run(_make(address, token, next_seq))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def __enter__(self) -> Self:
        """Connect and log in."""
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection; open orders stay open."""
        self.close()

    def close(self) -> None:
        """Close the connection; open orders stay open."""
        if self._thread.is_alive():
            self._run(self._client.close())
            self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(
        self,
        symbol: str,
        qty: Price,
        *,
        limit: Price | None = None,
        stop: Price | None = None,
        tif: TimeInForce = "GTC",
        reduce_only: bool = False,
    ) -> SentOrder:
        """See ``Client.submit``."""
        return self._run(
            self._client.submit(
                symbol, qty, limit=limit, stop=stop, tif=tif, reduce_only=reduce_only
            )
        )

    def cancel(self, order: SentOrder | int) -> bool:
        """See ``Client.cancel``."""
        return self._run(self._client.cancel(order))

    def replace(
        self,
        order: SentOrder,
        *,
        qty: Price | None = None,
        limit: Price | None = None,
        stop: Price | None = None,
    ) -> str:
        """See ``Client.replace``."""
        return self._run(self._client.replace(order, qty=qty, limit=limit, stop=stop))

    def kill_switch(self, *, on: bool = True) -> None:
        """See ``Client.kill_switch``."""
        self._run(self._client.kill_switch(on=on))

    def open_orders(self) -> list[SentOrder]:
        """See ``Client.open_orders``."""
        return self._run(self._client.open_orders())

    def positions(self) -> list[LivePosition]:
        """See ``Client.positions``."""
        return self._run(self._client.positions())

    def account(self) -> dict[str, Any]:
        """See ``Client.account``."""
        return self._run(self._client.account())

    def wait(self, order: SentOrder, timeout_s: float | None = None) -> SentOrder:
        """Wait until an order has ended, or for so long; return it."""
        return self._run(_wait(self._client, order, timeout_s))

    def fills(self, timeout_s: float | None = None) -> Iterator[LiveFill]:
        """Yield the account's fills as they happen; end when none came for ``timeout_s``."""
        fills = self._client.fills()
        while True:
            try:
                yield self._run(_next(fills, timeout_s))
            except (StopAsyncIteration, TimeoutError):
                return

    @property
    def next_seq(self) -> int:
        """See ``Client.next_seq``."""
        return self._client.next_seq


async def _make(address: str, token: str, next_seq: int) -> Client:
    return Client(address, token=token, next_seq=next_seq)


async def _wait(client: Client, order: SentOrder, timeout_s: float | None) -> SentOrder:
    try:
        return await asyncio.wait_for(client.wait(order), timeout_s)
    except TimeoutError:
        return order


async def _next(fills: Any, timeout_s: float | None) -> LiveFill:  # noqa: ANN401 - a generator
    fill: LiveFill = await asyncio.wait_for(anext(fills), timeout_s)
    return fill
