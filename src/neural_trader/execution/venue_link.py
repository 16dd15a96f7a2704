"""The gateway's side of the connection to its venue: what the venue says becomes events.

A venue is believed, and nothing else is: an order that got no answer is unknown until the venue
says what became of it. After every connection each open order is asked for before anything new is
sent.
"""

import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from neural_trader.execution import messages as m
from neural_trader.execution.accounts import Account
from neural_trader.execution.core import Core
from neural_trader.execution.framing import REPLY_BYTES_MAX, FrameReader, pack
from neural_trader.execution.handover import VenueState
from neural_trader.execution.orders import LiveOrder

if TYPE_CHECKING:
    from collections.abc import Callable

_CANCELED_MAX: Final = 1 << 16

log = logging.getLogger("neural_trader.gateway")


class Recorder(Protocol):
    """Whoever writes an event down, applies it and tells the account's clients."""

    def __call__(self, event: m.Record) -> None:
        """Record an event."""
        ...


class VenueLink:
    """What is known of the venue, and what is asked of it.

    Attributes
    ----------
    state : {"down", "logging_in", "recovering", "up"}
        New orders go out only when it is up.
    outbox : list of bytes
        Frames that the next commit lets go.
    duplicates : int
        Fills that came twice and were booked once.
    answers_ns : list of int
        How long the venue took to accept orders; whoever wants to know empties it.
    """

    def __init__(self, core: Core, record: Recorder, *, name: str, timeout_ns: int) -> None:
        self.core = core
        self.name = name
        self.timeout_ns = timeout_ns
        self.state = "down"
        self.refusal = ""
        self.outbox: list[bytes] = []
        self.duplicates = 0
        self.quotes = 0
        self.answers_ns: list[int] = []
        self.last_heard = 0
        self._record = record
        self._reader = FrameReader(REPLY_BYTES_MAX)
        # By order: what had been wished when each question still without an answer was asked.
        self._asked: dict[int, list[int]] = {}
        self._waiting: deque[tuple[int, int, int]] = deque()
        # When the cancel of an order under the kill switch was last sent.
        self._canceled_at: dict[tuple[int, int], int] = {}
        self._handlers: dict[type, Callable[[Any, int], None]] = {
            m.OrderFilled: self._on_filled,
            m.OrderAccepted: self._on_accepted,
            m.Quote: self._on_quote,
            m.OrderRejected: self._on_rejected,
            m.OrderCanceled: self._on_canceled,
            m.OrderExpired: self._on_expired,
            m.OrderReplaced: self._on_replaced,
            m.ChangeRejected: self._on_change_rejected,
            m.OrderStatus: self._on_status,
            m.VenueWelcome: self._on_welcome,
            m.VenueRefused: self._on_refused,
            m.Ping: self._on_ping,
            m.Pong: self._on_pong,
        }

    # ------------------------------------------------------------------------------- connection
    def connected(self, ts: int) -> None:
        """Introduce the gateway on a new connection."""
        core = self.core
        self._reader = FrameReader(REPLY_BYTES_MAX)
        self.state = "logging_in"
        self.refusal = ""
        self.last_heard = ts
        # Two gateways on two journals number their orders alike: a venue must tell them apart.
        name = f"{self.name}-{core.born:x}" if core.born else self.name
        self.outbox = [pack(m.VenueLogin(m.VERSION, name, core.epoch, core.last_fill_id))]

    def disconnected(self) -> None:
        """Forget what was on its way; what it became is asked for on the next connection."""
        self.state = "down"
        self.outbox = []
        self._asked.clear()
        self._canceled_at.clear()

    def state_with(self, unsent: bytes) -> VenueState:
        """Return where the connection stands, for the gateway that takes it over."""
        return VenueState(
            self.state,
            self.last_heard,
            self.quotes,
            self.duplicates,
            self._asked,
            list(self._waiting),
            self._reader.rest,
            unsent,
        )

    def restore(self, state: VenueState, *, is_connected: bool) -> None:
        """Go on where another gateway stood; without its connection as after a loss of it."""
        self._waiting.extend(state.waiting)
        self.duplicates = state.duplicates
        if is_connected:
            self.state = state.state
            self.last_heard = state.last_heard
            self.quotes = state.quotes
            self._asked = state.asked
            self._reader = FrameReader(REPLY_BYTES_MAX, state.rest)

    def receive(self, data: bytes, ts: int) -> str:
        """Take bytes from the venue: ``cut`` and ``take`` in one."""
        return self.take(self.cut(data, ts), ts)

    def cut(self, data: bytes, ts: int) -> list[bytes]:
        """Return the messages that have come whole with some bytes; ``take`` them all, in order."""
        self.last_heard = ts
        return self._reader.feed(data)

    def take(self, payloads: list[bytes], ts: int) -> str:
        """Work messages of the venue.

        Returns
        -------
        str
            Why the connection has to be closed, or an empty text.
        """
        handlers = self._handlers
        for payload in payloads:
            try:
                message = m.decode_from_venue(payload)
            except ValueError as error:
                return f"the venue sent what is no message: {error}"
            handlers[type(message)](message, ts)
        if self._reader.too_long:
            return f"the venue announced a frame of {self._reader.too_long:,} bytes"
        return self.refusal

    # ------------------------------------------------------------------------------- to the venue
    def send_order(self, event: m.Submitted) -> None:
        """Send an order that has been recorded."""
        identity = event.account << 40 | event.no
        self._waiting.append((event.ts, event.account, event.no))
        self.outbox.append(
            pack(
                m.NewOrder(
                    identity,
                    event.symbol,
                    event.qty,
                    event.kind,
                    event.tif,
                    event.limit,
                    event.trigger,
                )
            )
        )

    def send_cancel(self, event: m.CancelRequested) -> None:
        """Send a cancel that has been recorded."""
        if event.no:
            self._waiting.append((event.ts, event.account, event.no))
        identity = m.order_id(event.account, event.order)
        self.outbox.append(pack(m.CancelOrder(identity, event.no)))

    def may_cancel(self, account: int, no: int, ts: int) -> bool:
        """Return whether a cancel that nobody asked for is due; one without an answer is again."""
        sent = self._canceled_at
        last = sent.get((account, no))
        if last is not None and ts - last < self.timeout_ns:
            return False
        if len(sent) > _CANCELED_MAX:
            sent.clear()
        sent[account, no] = ts
        return True

    def send_replace(self, event: m.ReplaceRequested) -> None:
        """Send a change that has been recorded."""
        self._waiting.append((event.ts, event.account, event.no))
        identity = m.order_id(event.account, event.order)
        self.outbox.append(
            pack(m.ReplaceOrder(identity, event.no, event.qty, event.limit, event.trigger))
        )

    def ask(self, account: int, no: int) -> None:
        """Ask what became of an order."""
        if self.state in ("recovering", "up"):
            identity = m.order_id(account, no)
            self._asked.setdefault(identity, []).append(self.core.accounts[account].last_no)
            self.outbox.append(pack(m.QueryOrder(identity)))

    def on_time(self, ts: int) -> None:
        """Call unknown what has waited too long for an answer, and ask for it again."""
        waiting = self._waiting
        later: list[tuple[int, int, int]] = []
        while waiting:
            sent, number, no = waiting[0]
            account = self.core.accounts[number]
            order = account.open.get(no)
            request = account.requests.get(no)
            late = order
            if request is not None:
                late = account.open.get(request.order)
            elif order is None or order.status not in ("submitted", "unknown"):
                late = None
            if late is None:
                waiting.popleft()
                continue
            if ts - sent < self.timeout_ns:
                break
            waiting.popleft()
            if late.status != "unknown":
                self._record(m.Unknown(number, account.seq, ts, late.no, late.client))
            self.ask(number, late.no)
            later.append((ts, number, no))
        waiting.extend(later)

    # ----------------------------------------------------------------------------- from the venue
    def _find(self, identity: int) -> tuple[Account, LiveOrder] | None:
        account = self.core.accounts.get(identity >> 40)
        if account is None:
            return None
        no = identity & m.NO_MAX
        order = account.open.get(no) or account.ended.get(no)
        return None if order is None else (account, order)

    def _on_quote(self, quote: m.Quote, ts: int) -> None:
        if quote.symbol in self.core.listings:
            bid, ask = quote.bid, quote.ask
            if bid > m.PRICE_MAX or ask > m.PRICE_MAX:
                log.error("%s: the venue quotes %d and %d ticks: ignored", quote.symbol, bid, ask)
                return
            price = (bid + ask) // 2 if bid > 0 and ask > 0 else bid or ask
            if price > 0:
                self.quotes += 1
                self.core.mark(quote.symbol, price, ts)

    def _on_accepted(self, message: m.OrderAccepted, ts: int) -> None:
        found = self._find(message.id)
        if found is None:
            return
        account, order = found
        if order.status == "submitted" or (order.status == "unknown" and not order.venue_id):
            self._accept(account, order, message.venue_id or -1, ts)

    def _accept(self, account: Account, order: LiveOrder, venue_id: int, ts: int) -> None:
        self.answers_ns.append(ts - order.ts)
        self._record(
            m.Accepted(
                account.number,
                account.seq,
                ts,
                order.no,
                order.client,
                venue_id,
                order.symbol,
                order.qty,
                order.kind,
                order.tif,
                order.limit,
                order.trigger,
            )
        )

    def _imply(self, account: Account, order: LiveOrder, ts: int) -> None:
        """Take an order as accepted of which the venue says something that only follows that."""
        if not order.venue_id and order.is_open:
            self._accept(account, order, -1, ts)

    def _imply_replaced(self, account: Account, order: LiveOrder, filled: int, ts: int) -> None:
        """Take a wish for more as granted whose answer was lost, where more has been filled."""
        for wish in account.requests.values():
            if wish.order == order.no and abs(wish.qty) >= filled and order.is_open:
                by = wish.no, wish.client, wish.qty, wish.limit, wish.trigger
                self._record(m.Replaced(account.number, account.seq, ts, order.no, *by))
                return

    def _on_filled(self, fill: m.OrderFilled, ts: int) -> None:
        found = self._find(fill.id)
        if found is None:
            self._on_orphan(fill, ts)
            return
        account, order = found
        if fill.fill_id in order.fill_ids:
            self.duplicates += 1
            return
        filled = order.filled + fill.qty
        if not order.venue_id:
            self._imply(account, order, ts)
        if abs(filled) > abs(order.qty):
            self._imply_replaced(account, order, abs(filled), ts)
        if (
            fill.symbol != order.symbol
            or (fill.qty > 0) != (order.qty > 0)
            or abs(filled) > abs(order.qty)
        ):
            self._on_orphan(fill, ts)
            return
        self._record(
            m.Filled(
                account.number,
                account.seq,
                ts,
                order.no,
                fill.fill_id,
                fill.symbol,
                fill.qty,
                fill.price,
                fill.value,
                fill.fee,
                filled,
                fill.ts,
            )
        )
        if not order.is_open and account.requests:
            self._settle_requests(account, order, ts, "filled")

    def _on_orphan(self, fill: m.OrderFilled, ts: int) -> None:
        """Keep a fill that fits no order: recorded, not booked, and its account stopped."""
        number, no = m.owner_of(fill.id)
        account = self.core.accounts.get(number)
        is_forgotten = account is None or not account.order(no)
        if (fill.fill_id <= self.core.last_fill_id and is_forgotten) or (
            fill.fill_id in self.core.orphan_ids
        ):
            # An order long forgotten, a fill long seen.
            self.duplicates += 1
            return
        if account is not None and not account.is_killed:
            # Before the fill: a death in between makes the venue tell it again, and not forget it.
            self._record(m.KillSwitched(number, account.seq, ts, 0, 0, on=True))
        self._record(
            m.OrphanFilled(
                number,
                ts,
                no,
                fill.fill_id,
                fill.symbol,
                fill.qty,
                fill.price,
                fill.value,
                fill.fee,
            )
        )

    def _on_rejected(self, message: m.OrderRejected, ts: int) -> None:
        found = self._find(message.id)
        if found is not None and found[1].is_open and not found[1].venue_id:
            self._reject(*found, message.reason, ts)

    def _reject(self, account: Account, order: LiveOrder, reason: str, ts: int) -> None:
        self._record(m.Rejected(account.number, account.seq, ts, order.no, order.client, reason))
        self._settle_requests(account, order, ts, reason)

    def _on_canceled(self, message: m.OrderCanceled, ts: int) -> None:
        found = self._find(message.id)
        if found is None or not found[1].is_open:
            return
        account, order = found
        self._imply(account, order, ts)
        self._cancel(account, order, message.reason, ts)

    def _cancel(self, account: Account, order: LiveOrder, reason: str, ts: int) -> None:
        """End an order, which answers whoever wished it, and whoever wished anything else of it."""
        wishes = [item for item in account.requests.values() if item.order == order.no]
        cancel = next((item for item in wishes if item.qty == 0), None)
        no, client = (cancel.no, cancel.client) if cancel is not None else (0, 0)
        self._record(m.Canceled(account.number, account.seq, ts, order.no, no, client, reason))
        self._settle_requests(account, order, ts, "canceled")

    def _on_expired(self, message: m.OrderExpired, ts: int) -> None:
        found = self._find(message.id)
        if found is not None and found[1].is_open:
            account, order = found
            self._imply(account, order, ts)
            self._record(m.Expired(account.number, account.seq, ts, order.no))
            self._settle_requests(account, order, ts, "expired")

    def _on_replaced(self, message: m.OrderReplaced, ts: int) -> None:
        found = self._find(message.id)
        if found is None or not found[1].is_open:
            return
        account, order = found
        self._imply(account, order, ts)
        wish = account.requests.get(message.request)
        terms = (_sound_qty(order, message.qty), message.limit, message.trigger)
        by = (wish.no, wish.client) if wish is not None else (0, 0)
        self._record(m.Replaced(account.number, account.seq, ts, order.no, *by, *terms))
        if not order.is_open:
            self._settle_requests(account, order, ts, order.status)

    def _on_change_rejected(self, message: m.ChangeRejected, ts: int) -> None:
        number, no = m.owner_of(message.id)
        account = self.core.accounts.get(number)
        request = None if account is None else account.requests.get(message.request)
        if request is not None and request.order != no:
            return
        if account is not None and request is not None and message.reason == "forgotten":
            # It ended there long ago, and somebody who has looked says that it is over.
            order = account.open.get(request.order)
            if order is not None and request.qty == 0:
                self._cancel(account, order, "forgotten", ts)
                return
        if account is not None and request is not None:
            self._record(
                m.RequestDenied(
                    number, account.seq, ts, request.no, request.client, request.order,
                    message.reason,
                )
            )  # fmt: skip

    def _on_status(self, status: m.OrderStatus, ts: int) -> None:
        """Bring an order to what the venue says it is."""
        asked = self._asked.get(status.id)
        if not asked:
            return
        wished = asked.pop(0)
        if not asked:
            del self._asked[status.id]
        found = self._find(status.id)
        if found is not None:
            account, order = found
            if status.status not in ("not_found", "rejected", "forgotten") and (
                order.status in ("submitted", "unknown") and not order.venue_id
            ):
                self._accept(account, order, status.venue_id or -1, ts)
            self._restate(account, order, status, ts)
            for fill in status.fills:
                if fill.fill_id not in order.fill_ids:
                    self._on_filled(fill, ts)
            if order.is_open:
                self._conclude(account, order, status, ts)
            # A wish that went out after the question may still be answered.
            self._settle_requests(account, order, ts, "no_answer", wished)
        if self.state == "recovering" and not self._asked:
            self.state = "up"

    def _restate(self, account: Account, order: LiveOrder, status: m.OrderStatus, ts: int) -> None:
        """Take over the terms that an order has at the venue, and that it works there."""
        if not order.is_open or status.status in ("not_found", "rejected", "forgotten"):
            return
        terms = (_sound_qty(order, status.qty), status.limit, status.trigger)
        is_working = status.status in ("accepted", "partially_filled")
        if terms == (order.qty, order.limit, order.trigger):
            if is_working and order.status == "unknown":
                self._record(m.Replaced(account.number, account.seq, ts, order.no, 0, 0, *terms))
            return
        wishes = [item for item in account.requests.values() if item.order == order.no]
        granted = [w for w in wishes if (w.qty, w.limit, w.trigger) == terms]
        by = (granted[0].no, granted[0].client) if granted else (0, 0)
        self._record(m.Replaced(account.number, account.seq, ts, order.no, *by, *terms))

    def _conclude(self, account: Account, order: LiveOrder, status: m.OrderStatus, ts: int) -> None:
        word = status.status
        if word == "not_found":
            if order.venue_id:
                self._cancel(account, order, "lost_by_venue", ts)
            else:
                self._reject(account, order, "never_reached_venue", ts)
        elif word == "rejected" and not order.venue_id:
            self._reject(account, order, "rejected", ts)
        elif word == "rejected":
            # It had been accepted: however the venue calls it, it is gone.
            self._cancel(account, order, "rejected", ts)
        elif word == "canceled":
            self._cancel(account, order, "canceled", ts)
        elif word == "expired":
            self._record(m.Expired(account.number, account.seq, ts, order.no))
        elif word == "forgotten" and order.status != "unknown":
            self._record(m.Unknown(account.number, account.seq, ts, order.no, order.client))

    def _settle_requests(
        self, account: Account, order: LiveOrder, ts: int, reason: str, last: int = m.NO_MAX
    ) -> None:
        """Answer the wishes up to a number that wait for this order: the venue will not."""
        wishes = [item for item in account.requests.values() if item.order == order.no]
        for wish in wishes:
            if order.is_open and wish.no > last:
                continue
            why = reason if order.is_open else order.status
            self._record(
                m.RequestDenied(
                    account.number, account.seq, ts, wish.no, wish.client, order.no, why
                )
            )

    def settle_ended(self, ts: int) -> None:
        """Answer the wishes whose order has ended: a death may have parted end and answers."""
        for account in self.core.accounts.values():
            for order in {wish.order for wish in account.requests.values()}:
                ended = account.ended.get(order)
                if ended is not None and not ended.is_open:
                    self._settle_requests(account, ended, ts, ended.status)

    def _on_welcome(self, welcome: m.VenueWelcome, _ts: int) -> None:
        for symbol, *units in welcome.instruments:
            ours = self.core.listings.get(symbol)
            if ours is not None and [*ours.sizes[1:]] != units:
                # Every figure of it would be wrong, and none of them would look so.
                self.refusal = (
                    f"{symbol} has tick, lot and minor unit {', '.join(units)} at the venue and "
                    f"{', '.join(ours.sizes[1:])} here: make them equal; nothing is sent meanwhile"
                )
                return
        self.state = "recovering"
        for order in self.core.open_orders():
            self.ask(order.account, order.no)
        if not self._asked:
            self.state = "up"

    def _on_refused(self, refused: m.VenueRefused, _ts: int) -> None:
        self.refusal = f"the venue refused the gateway ({refused.code}): {refused.message}"

    def _on_ping(self, _ping: m.Ping, _ts: int) -> None:
        self.outbox.append(pack(m.Pong()))

    def _on_pong(self, _pong: m.Pong, _ts: int) -> None:
        """Take it as a sign of life, which every byte is."""


def _sound_qty(order: LiveOrder, qty: int) -> int:
    """Return an order's new quantity, or the one it has where the venue's makes no sense."""
    if qty and (qty > 0) == (order.qty > 0) and abs(qty) >= abs(order.filled):
        return qty
    log.error(
        "order %d/%d: the venue says it is for %d lots, of %d with %d filled; nothing was changed",
        order.account,
        order.no,
        qty,
        order.qty,
        order.filled,
    )
    return order.qty
