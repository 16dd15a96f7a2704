"""The blocking twin of the client, for scripts and notebooks: ``nt.BlockingClient``."""

import os
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
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

# From 128 KB on a buffer may be a mapping of its own, made and given back at every read.
_RECEIVE_BYTES: Final = 1 << 16
_RETRY_S: Final = 0.05
_FILLS_MAX: Final = 1 << 20


class BlockingClient:
    """``Client`` for code without asyncio: the same methods, which return when they are done.

    It has no thread: the connection is read while a method waits. One that the gateway has closed
    in the meantime (after half a minute without a word) is opened again by the next call, which
    goes on where the last one ended. Arguments and errors are those of ``Client``.

    Examples
    --------
    ::

        with nt.BlockingClient("127.0.0.1:7701", token=token) as c:
            order = c.submit("KO", +100, limit="54.20")
            for fill in c.fills(timeout_s=1.0):
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
        self._socket: socket.socket | None = None
        self._replies: dict[int, Any] = {}
        self._fills: deque[LiveFill] = deque(maxlen=_FILLS_MAX)

    # ------------------------------------------------------------------------------- connection
    def __enter__(self) -> Self:
        """Connect and log in."""
        try:
            self._connect(time.monotonic() + self._timeout_s)
        except BaseException:
            self.close()
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
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._session.is_ready = False

    def _connect(self, until: float) -> None:
        """Connect and log in, again and again until a time."""
        session = self._session
        self.close()
        while True:
            try:
                connection = socket.create_connection((self._host, self._port), self._timeout_s)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_hostname=self._host)
            except OSError as error:
                if time.monotonic() > until:
                    message = (
                        f"no gateway answered at {self._host}:{self._port} within "
                        f"{self._timeout_s:g} s ({error}); is `neural-trader serve` running there?"
                    )
                    raise GatewayError(message) from None
                time.sleep(_RETRY_S)
                continue
            self._socket = connection
            session.connected()
            try:
                while not session.is_ready:
                    if not self._exchange(until):
                        raise TimeoutError
            except OSError:
                self.close()
                if time.monotonic() > until:
                    message = f"the gateway at {self._host}:{self._port} did not let the client in"
                    raise GatewayError(message) from None
                time.sleep(_RETRY_S)
                continue
            return

    def _exchange(self, until: float) -> bool:
        """Send what waits, then read once; return False when nothing came until a time.

        Raises
        ------
        OSError
            The connection is lost.
        """
        connection = self._socket
        if connection is None:
            raise ConnectionResetError
        self._send(connection)
        left = until - time.monotonic()
        pending = isinstance(connection, ssl.SSLSocket) and connection.pending()
        if not pending and not _is_readable(connection, max(left, 0.0)):
            return False
        data = connection.recv(_RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError
        try:
            self._session.receive(data)
        except GatewayError as error:
            self.close()
            if error.code:
                raise
            # A gap or a restart is mended by coming back.
            raise ConnectionResetError(str(error)) from error
        self._send(connection)
        return True

    def _send(self, connection: socket.socket) -> None:
        outbox = self._session.outbox
        if outbox:
            data = b"".join(outbox)
            outbox.clear()
            connection.sendall(data)

    def _until(self, is_done: Callable[[], bool], timeout_s: float) -> bool:
        """Read until a condition holds; reconnect where needed; return False after a time."""
        until = time.monotonic() + timeout_s
        while not is_done():
            try:
                if self._socket is None:
                    self._connect(until)
                if not self._exchange(until):
                    return is_done()
            except OSError:
                self.close()
        return True

    # ----------------------------------------------------------------------------------- events
    def _on_reply(self, no: int, event: Any) -> None:  # noqa: ANN401 - one of many events
        self._replies[no] = event

    def _on_event(self, event: Any) -> None:  # noqa: ANN401 - one of many events
        if type(event) is m.Filled:
            self._fills.append(self._session.fill_of(event))

    def _answer(self, no: int) -> Any:  # noqa: ANN401 - one of many events
        """Return the event that answers a request."""
        replies = self._replies
        while True:
            try:
                is_answered = self._until(partial(replies.__contains__, no), self._timeout_s)
            except GatewayError as error:
                if self._session.give_up(no):
                    raise OrderOutcomeUnknown(outcome_unknown(no, str(error))) from error
                message = f"request {no} was not sent: {error}"
                raise GatewayError(message, error.code) from error
            except BaseException:
                # Ctrl-C: nothing may go out later that nobody waits for.
                self._session.give_up(no)
                raise
            if not is_answered:
                why = f"there was no answer within {self._timeout_s:g} s"
                if self._session.give_up(no):
                    raise OrderOutcomeUnknown(outcome_unknown(no, why))
                message = f"request {no} was not sent: {why}"
                raise GatewayError(message)
            event = replies.pop(no)
            if isinstance(event, m.Submit | m.Cancel | m.Replace | m.Switch):
                # Another program took the number: the request has gone out under a new one.
                no = event.no
                continue
            if type(event) is m.Refused:
                raise refusal_of(no, event)
            return event

    # ---------------------------------------------------------------------------------- requests
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
        session = self._session
        listing = session.listing(symbol)
        if tif not in TIMES_IN_FORCE:
            message = f"tif is {tif!r}; expected one of {', '.join(TIMES_IN_FORCE)}"
            raise ConfigError(message)
        order = session.submit(
            symbol,
            listing.read_qty(qty),
            limit=0 if limit is None else listing.read_price(limit),
            trigger=0 if stop is None else listing.read_price(stop),
            tif=TIMES_IN_FORCE.index(tif),
            reduce_only=reduce_only,
        )
        self._answer(order.no)
        return order

    def cancel(self, order: SentOrder | int) -> bool:
        """See ``Client.cancel``."""
        no = self._session.cancel(order if isinstance(order, int) else order.no)
        return type(self._answer(no)) is m.Canceled

    def replace(
        self,
        order: SentOrder,
        *,
        qty: Price | None = None,
        limit: Price | None = None,
        stop: Price | None = None,
    ) -> str:
        """See ``Client.replace``."""
        listing = order.listing
        no = self._session.replace(
            order.no,
            lots=0 if qty is None else listing.read_qty(qty),
            limit=0 if limit is None else listing.read_price(limit),
            trigger=0 if stop is None else listing.read_price(stop),
        )
        event = self._answer(no)
        return "" if type(event) is m.Replaced else str(event.reason)

    def kill_switch(self, *, on: bool = True) -> None:
        """See ``Client.kill_switch``."""
        self._answer(self._session.switch(on=on))

    # --------------------------------------------------------------------------------- questions
    def _ask(self, what: str) -> Any:  # noqa: ANN401 - one of two answers
        answers = self._session.answers
        until = time.monotonic() + self._timeout_s
        asked: socket.socket | None = None
        answers.clear()
        while not answers:
            try:
                if self._socket is None:
                    self._connect(until)
                if asked is not self._socket:
                    # A question is gone with the connection on which it was asked.
                    self._session.ask(what)
                    asked = self._socket
                is_answered = self._exchange(until)
            except OSError:
                self.close()
                continue
            if not is_answered:
                # What comes late must not answer the next question.
                self.close()
                message = f"the gateway did not answer within {self._timeout_s:g} s"
                raise GatewayError(message)
        return answers.popleft()

    def open_orders(self) -> list[SentOrder]:
        """See ``Client.open_orders``."""
        orders: list[SentOrder] = self._ask("orders").orders
        return orders

    def positions(self) -> list[LivePosition]:
        """See ``Client.positions``."""
        return [
            self._session.position_of(item) for item in self._ask("positions").message.positions
        ]

    def account(self) -> dict[str, Any]:
        """See ``Client.account``."""
        return account_of(self._session, self._ask("positions").message)

    # ------------------------------------------------------------------------------------ events
    def wait(self, order: SentOrder, timeout_s: float = 3600.0) -> SentOrder:
        """Wait until an order has ended, or for so long; return it."""
        self._until(lambda: not order.is_open, timeout_s)
        return order

    def fills(self, timeout_s: float = 3600.0) -> Iterator[LiveFill]:
        """Yield the account's fills as they happen, each once; end when none came for so long."""
        while self._until(lambda: bool(self._fills), timeout_s):
            yield self._fills.popleft()

    @property
    def next_seq(self) -> int:
        """See ``Client.next_seq``."""
        return self._session.next_seq


def _is_readable(connection: socket.socket, timeout_s: float) -> bool:
    """Wait for something to read. ``select`` fails in programs with more than a thousand files."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(1e3 * timeout_s))
