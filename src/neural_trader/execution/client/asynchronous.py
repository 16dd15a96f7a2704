"""The asyncio client: ``nt.Client``."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

from neural_trader.core.errors import ConfigError, GatewayError, OrderOutcomeUnknown
from neural_trader.core.orders import TIMES_IN_FORCE, TimeInForce
from neural_trader.execution import messages as m
from neural_trader.execution.client.address import check_is_private, read_address
from neural_trader.execution.client.session import (
    ClientSession,
    LiveFill,
    LivePosition,
    Price,
    SentOrder,
    account_of,
    outcome_unknown,
    refusal_of,
)

_RETRY_FIRST_S: Final = 0.05
_RETRY_MAX_S: Final = 2.0
_SETTLED_S: Final = 1.0
_LOOK_S: Final = 0.02
_PING_S: Final = 10.0
_FILLS_MAX: Final = 1 << 20


class Client:
    """A connection to a gateway that comes back by itself.

    Parameters
    ----------
    address : str
        ``host:port`` of the gateway.
    token : str
        What ``neural-trader token new`` printed.
    next_seq : int
        The first event of the account that has not been seen, to go on where an earlier program
        ended; 0 (the default) begins with what happens from now on.
    client : int, optional
        Who numbers the requests, 1 or more and below 2**62: two programs on one account have two.
        By default a random one.
    reply_timeout_s : float
        How long a request may wait for its answer, through reconnects too.
    tls : ssl.SSLContext, optional
        For gateways beyond this machine.

    Notes
    -----
    A denial is a value: ``submit`` returns an order whose ``status`` is "denied", with ``reason``,
    ``found`` and ``allowed``. An order that the venue did not answer in time is "unknown", and
    moves on when the venue says what became of it.

    Examples
    --------
    ::

        async with nt.Client("127.0.0.1:7701", token=token) as c:
            order = await c.submit("KO", +100, limit="54.20")
            async for fill in c.fills():
                print(fill)
    """

    def __init__(
        self,
        address: str = "127.0.0.1:7701",
        *,
        token: str,
        next_seq: int = 0,
        client: int | None = None,
        reply_timeout_s: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port = read_address(address)
        check_is_private(self._host, tls)
        self._timeout_s = reply_timeout_s
        self._tls = tls
        key = client or 1 + int.from_bytes(os.urandom(7), "big")
        self._session = ClientSession(token, key, on_reply=self._on_reply, on_event=self._on_event)
        self._session.next_seq = next_seq
        self._futures: dict[int, asyncio.Future[Any]] = {}
        self._questions: list[asyncio.Future[Any]] = []
        self._fills: asyncio.Queue[LiveFill | None] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._ready: asyncio.Future[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._error: GatewayError | None = None
        self._is_closing = False
        self._is_quiet = False
        self._is_pinged = False
        self._was_let_in = False

    # ------------------------------------------------------------------------------- connection
    async def __aenter__(self) -> Self:
        """Connect and log in.

        Raises
        ------
        GatewayError
            Nobody listens, or the gateway refuses the token.
        """
        self._ready = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep())
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), self._timeout_s)
        except TimeoutError:
            await self.close()
            message = (
                f"no gateway answered at {self._host}:{self._port} within {self._timeout_s:g} s; "
                "is `neural-trader serve` running there?"
            )
            raise GatewayError(message) from None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection; open orders stay open."""
        await self.close()

    async def close(self) -> None:
        """Close the connection; open orders stay open."""
        self._is_closing = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()
        self._fail(GatewayError("the client was closed"))

    async def _keep(self) -> None:
        """Stay connected: come back after every loss, less and less often."""
        loop = asyncio.get_running_loop()
        wait_s = _RETRY_FIRST_S
        while not self._is_closing:
            self._lost.clear()
            self._was_let_in = False
            begun = loop.time()
            try:
                await loop.create_connection(
                    lambda: _Connection(self), self._host, self._port, ssl=self._tls
                )
            except OSError:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _RETRY_MAX_S)
                continue
            await self._stay()
            # One that is let in and thrown out again at once must not storm the door.
            if self._was_let_in and loop.time() - begun > _SETTLED_S:
                wait_s = _RETRY_FIRST_S
            if self._error is not None:
                self._fail(self._error)
                return
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _RETRY_MAX_S)

    async def _stay(self) -> None:
        """Stay on a connection until it is lost; give it up if a ping has had no answer."""
        while not self._lost.is_set():
            self._is_quiet = True
            try:
                await asyncio.wait_for(self._lost.wait(), _PING_S)
            except TimeoutError:
                if self._is_quiet and self._is_pinged and self._transport is not None:
                    self._transport.abort()
                self._is_pinged = True
                self._session.ping()
                self._flush()

    def _fail(self, error: GatewayError) -> None:
        for future in (*self._futures.values(), *self._questions, self._ready):
            if future is not None and not future.done():
                future.set_exception(error)
                # Nobody may be waiting any more; the error is then nobody's.
                future.exception()
        self._futures.clear()
        self._questions.clear()
        self._fills.put_nowait(None)
        self._changed.set()

    def _connected(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_pinged = False
        self._session.connected()
        self._flush()

    def _received(self, data: bytes) -> None:
        self._is_quiet = False
        session = self._session
        try:
            session.receive(data)
        except GatewayError as error:
            # A gap or a restart is mended by coming back; a refusal is final.
            if error.code:
                self._error = error
            if self._transport is not None:
                self._transport.abort()
            return
        if session.is_ready and not self._was_let_in:
            self._was_let_in = True
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(None)
        while session.answers and self._questions:
            future = self._questions.pop(0)
            answer = session.answers.popleft()
            if not future.done():
                future.set_result(answer)
        if session.outbox:
            self._flush()

    def _disconnected(self) -> None:
        self._transport = None
        self._session.is_ready = False
        for future in self._questions:
            if not future.done():
                future.set_exception(ConnectionResetError())
        self._questions.clear()
        self._lost.set()

    def _flush(self) -> None:
        if self._transport is not None and self._session.outbox:
            self._transport.write(b"".join(self._session.outbox))
            self._session.outbox.clear()

    # ----------------------------------------------------------------------------------- events
    def _on_reply(self, no: int, event: Any) -> None:  # noqa: ANN401 - one of many events
        future = self._futures.pop(no, None)
        if future is None or future.done():
            return
        if isinstance(event, m.Submit | m.Cancel | m.Replace | m.Switch):
            self._futures[event.no] = future
        elif type(event) is m.Refused:
            future.set_exception(refusal_of(no, event))
        else:
            future.set_result(event)

    def _on_event(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        if type(event) is m.Filled:
            if self._fills.qsize() >= _FILLS_MAX:
                self._fills.get_nowait()
            self._fills.put_nowait(self._session.fill_of(event))
        self._changed.set()

    async def _answer(self, no: int) -> Any:  # noqa: ANN401 - one of many events
        future = asyncio.get_running_loop().create_future()
        self._futures[no] = future
        self._flush()
        try:
            return await asyncio.wait_for(future, self._timeout_s)
        except TimeoutError:
            no, is_out = self._give_up(future, no)
            why = f"there was no answer within {self._timeout_s:g} s"
            if is_out:
                raise OrderOutcomeUnknown(outcome_unknown(no, why)) from None
            message = f"request {no} was not sent: {why}"
            raise GatewayError(message) from None
        except asyncio.CancelledError:
            # Nothing may go out later that nobody waits for.
            self._give_up(future, no)
            raise

    def _give_up(self, future: asyncio.Future[Any], no: int) -> tuple[int, bool]:
        """Forget a request; returns its number, which may be another by now, and if it went out."""
        number = next((key for key, one in self._futures.items() if one is future), no)
        self._futures.pop(number, None)
        return number, self._session.give_up(number)

    def _check_open(self) -> None:
        if self._error is not None:
            raise self._error
        if self._is_closing:
            message = "the client is closed"
            raise GatewayError(message)

    # ----------------------------------------------------------------------------------- requests
    async def submit(
        self,
        symbol: str,
        qty: Price,
        *,
        limit: Price | None = None,
        stop: Price | None = None,
        tif: TimeInForce = "GTC",
        reduce_only: bool = False,
    ) -> SentOrder:
        """Send an order.

        Parameters
        ----------
        symbol : str
        qty : int, decimal text or Decimal
            Signed: positive buys.
        limit, stop : decimal text, int or Decimal, optional
            None of them is a market order; with both the stop wakes a limit. Floats are refused.
        tif : {"GTC", "DAY", "IOC", "FOK"}
        reduce_only : bool
            Deny the order unless it can only bring the position nearer to 0.

        Returns
        -------
        SentOrder
            Once the venue has answered, or the gateway has denied it; it goes on changing.

        Raises
        ------
        ConfigError
            Terms that do not make an order, or an instrument that is not listed.
        GatewayError
            The gateway refused the request (a token that only reads).
        OrderOutcomeUnknown
            No answer in time.
        """
        self._check_open()
        listing = self._session.listing(symbol)
        if tif not in TIMES_IN_FORCE:
            message = f"tif is {tif!r}; expected one of {', '.join(TIMES_IN_FORCE)}"
            raise ConfigError(message)
        order = self._session.submit(
            symbol,
            listing.read_qty(qty),
            limit=0 if limit is None else listing.read_price(limit),
            trigger=0 if stop is None else listing.read_price(stop),
            tif=TIMES_IN_FORCE.index(tif),
            reduce_only=reduce_only,
        )
        await self._answer(order.no)
        return order

    async def cancel(self, order: SentOrder | int) -> bool:
        """Cancel an order; returns whether that ended it.

        False where it had ended otherwise: its ``status`` says how; or while another cancel of it
        waits for the venue, whose answer is still to come.
        """
        self._check_open()
        no = self._session.cancel(order if isinstance(order, int) else order.no)
        return type(await self._answer(no)) is m.Canceled

    async def replace(
        self,
        order: SentOrder,
        *,
        qty: Price | None = None,
        limit: Price | None = None,
        stop: Price | None = None,
    ) -> str:
        """Change the total quantity, limit or trigger of an order.

        Returns
        -------
        str
            Empty where the order has its new terms, else the reason code of the denial.
        """
        self._check_open()
        listing = order.listing
        no = self._session.replace(
            order.no,
            lots=0 if qty is None else listing.read_qty(qty),
            limit=0 if limit is None else listing.read_price(limit),
            trigger=0 if stop is None else listing.read_price(stop),
        )
        event = await self._answer(no)
        return "" if type(event) is m.Replaced else str(event.reason)

    async def kill_switch(self, *, on: bool = True) -> None:
        """Turn the account's kill switch.

        On: open orders are canceled, and new ones are denied unless they only reduce a position.
        """
        self._check_open()
        await self._answer(self._session.switch(on=on))

    # ---------------------------------------------------------------------------------- questions
    async def _ask(self, what: str) -> Any:  # noqa: ANN401 - one of two answers
        """Ask, and again after every loss of the connection."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout_s
        while (left := until - loop.time()) > 0:
            self._check_open()
            if not self._session.is_ready:
                await asyncio.sleep(min(_LOOK_S, left))
                continue
            future = loop.create_future()
            self._questions.append(future)
            self._session.ask(what)
            self._flush()
            try:
                return await asyncio.wait_for(future, left)
            except ConnectionResetError:
                continue
            except TimeoutError:
                break
        message = f"the gateway did not answer within {self._timeout_s:g} s"
        raise GatewayError(message)

    async def open_orders(self) -> list[SentOrder]:
        """Return the account's open orders, whoever sent them; they go on following events."""
        orders: list[SentOrder] = (await self._ask("orders")).orders
        return orders

    async def positions(self) -> list[LivePosition]:
        """Return what the account holds, and what it has traded."""
        answer = (await self._ask("positions")).message
        return [self._session.position_of(item) for item in answer.positions]

    async def account(self) -> dict[str, Any]:
        """Return name, cash, equity (None without a price for a position) and the kill switch."""
        return account_of(self._session, (await self._ask("positions")).message)

    # ------------------------------------------------------------------------------------- events
    async def fills(self) -> AsyncIterator[LiveFill]:
        """Yield the account's fills as they happen, from ``next_seq`` on, each once.

        Ends when the client is closed. What waits is bounded to a million fills; the oldest go.
        """
        while (fill := await self._fills.get()) is not None:
            yield fill
        # Whoever else waits, or asks once more, ends too.
        self._fills.put_nowait(None)
        if self._error is not None:
            raise self._error

    async def wait(self, order: SentOrder) -> SentOrder:
        """Wait until an order has ended, and return it.

        Raises
        ------
        GatewayError
            The client is closed, or was refused for good.
        """
        while order.is_open:
            self._check_open()
            self._changed.clear()
            await self._changed.wait()
        return order

    @property
    def next_seq(self) -> int:
        """The next event of the account: what ``next_seq`` takes in the next program."""
        return self._session.next_seq


class _Connection(asyncio.Protocol):
    """Bytes between a socket and a client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.client._connected(transport)  # type: ignore[arg-type]  # noqa: SLF001 - one class in two halves

    def data_received(self, data: bytes) -> None:
        self.client._received(data)  # noqa: SLF001 - one class in two halves

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.client._disconnected()  # noqa: SLF001 - one class in two halves
