"""The paper venue without sockets: messages of a gateway in, messages to it out.

It answers for what it has booked: an order is known by the gateway's id, for as long as it is
remembered, and never worked twice. Time comes in as an argument and numbers are counted, so that
the same inputs give the same bytes.
"""

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from neural_trader.execution import messages as m
from neural_trader.execution.venues.paper.config import PaperConfig
from neural_trader.execution.venues.paper.draws import Draws
from neural_trader.execution.venues.paper.market import LIMITED, STOPPED, Market, PaperOrder

if TYPE_CHECKING:
    from collections.abc import Callable

_DRAWN: Final = 1 << 64


class PaperVenue:
    """Orders, fills and the one gateway that they belong to.

    Parameters
    ----------
    market : Market
        Where orders fill.
    config : PaperConfig, optional

    Attributes
    ----------
    is_connected : bool
        Whether a gateway is logged in; events of a time without one are told by queries, and fills
        after the next login.
    epoch : int
        The highest epoch that a gateway has logged in with; a lower one is refused.
    """

    def __init__(self, market: Market, config: PaperConfig | None = None) -> None:
        self.market = market
        self.config = config = config or PaperConfig()
        self.is_connected = False
        self.epoch = 0
        self._gateway = ""
        self._latency_ns = config.latency_ns
        self._reject_below = int(config.reject_rate * _DRAWN)
        self._draws = Draws(config.seed)
        self._now = 0
        self._out: list[m.FromVenue] = []
        self._due: deque[tuple[int, m.ToVenue]] = deque()
        self._orders: dict[int, PaperOrder] = {}
        self._ended: deque[int] = deque()
        # Of each account: the highest order number that has been forgotten.
        self._forgotten: dict[int, int] = {}
        self._fills: deque[m.OrderFilled] = deque(maxlen=config.fills_kept)
        self._fill_id = 0
        self._venue_id = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            m.NewOrder: self._on_new,
            m.CancelOrder: self._on_cancel,
            m.ReplaceOrder: self._on_replace,
            m.QueryOrder: self._on_query,
        }

    # ------------------------------------------------------------------------------- connection
    def login(self, login: m.VenueLogin, ts: int) -> list[m.FromVenue]:
        """Let a gateway in, or refuse it.

        Parameters
        ----------
        login : VenueLogin
        ts : int
            The present time, nanoseconds UTC.

        Returns
        -------
        list of messages
            A ``VenueRefused`` alone; or a ``VenueWelcome``, the fills after ``last_fill_id`` that
            are remembered, and the present quotes. Nothing that came on an earlier connection is
            worked on after it.
        """
        refusal = self._refusal(login)
        if refusal is not None:
            return [refusal]
        self.is_connected = True
        self.epoch, self._gateway = login.epoch, login.gateway
        self._due.clear()
        last = login.last_fill_id
        if last > self._fill_id:
            # The gateway remembers a venue before this one: its fills keep their numbers.
            self._fill_id = last
            self._fills.clear()
        self._now = self.market.time or ts
        later = min(self._fill_id - last, len(self._fills))
        return [
            m.VenueWelcome(
                m.VERSION,
                self.config.name,
                tuple(listing.sizes for listing in self.market.listings.values()),
            ),
            *islice(self._fills, len(self._fills) - later, None),
            *self.market.quotes(),
        ]

    def _refusal(self, login: m.VenueLogin) -> m.VenueRefused | None:
        if login.version != m.VERSION:
            text = f"this venue speaks version {m.VERSION}, not {login.version}"
            return m.VenueRefused("version", text)
        if self._gateway and login.gateway != self._gateway:
            text = (
                f"this venue works for the gateway {self._gateway!r}, which has another journal "
                f"than {login.gateway!r}; give this one a venue of its own, or start the venue anew"
            )
            return m.VenueRefused("other_gateway", text)
        if login.epoch < self.epoch:
            text = (
                f"a gateway of epoch {self.epoch} has been here, and this one has {login.epoch}: "
                "an older gateway, or one on an older copy of its journal; stop it"
            )
            return m.VenueRefused("old_epoch", text)
        return None

    def on_disconnect(self) -> None:
        """Go on without a gateway: the market moves, and what it does is kept."""
        self.is_connected = False

    # --------------------------------------------------------------------------- what comes in
    def on_message(self, message: m.ToVenue, ts: int) -> list[m.FromVenue]:
        """Take a message.

        Parameters
        ----------
        message : ToVenue
        ts : int
            The present time, nanoseconds UTC; it never falls.

        Returns
        -------
        list of messages
            What goes to the gateway now; with a latency the answer comes from ``on_time``.
        """
        handler = self._handlers.get(type(message))
        if handler is None:
            return self._on_session(message, ts)
        if not self.is_connected:
            return [m.VenueRefused("no_login", "the first message is a login")]
        if self._latency_ns:
            self._due.append((ts + self._latency_ns, message))
            return []
        self._now = self.market.time or ts
        handler(message)
        out, self._out = self._out, []
        return out

    def _on_session(self, message: m.ToVenue, ts: int) -> list[m.FromVenue]:
        if isinstance(message, m.VenueLogin):
            return self.login(message, ts)
        return [m.Pong()] if isinstance(message, m.Ping) else []

    @property
    def next_due(self) -> int | None:
        """When ``on_time`` has something to do, in nanoseconds UTC; None: nothing waits."""
        return self._due[0][0] if self._due else None

    def on_time(self, ts: int) -> list[m.FromVenue]:
        """Work what has waited for its latency, and return what goes to the gateway."""
        due = self._due
        while due and due[0][0] <= ts:
            when, message = due.popleft()
            self._now = self.market.time or when
            self._handlers[type(message)](message)
        return self._taken()

    def advance(self, ts: int) -> list[m.FromVenue]:
        """Move the market by a step, and return what goes to the gateway."""
        out = self.on_time(ts)
        self._now = ts
        self.market.step(ts, self)
        return out + self._taken()

    def _taken(self) -> list[m.FromVenue]:
        """Return what was said since the last time; without a gateway nobody hears it."""
        out, self._out = self._out, []
        return out if self.is_connected else []

    # ---------------------------------------------------------------- what the market decides
    def fill(self, order: PaperOrder, lots: int, price: int, *, value: int, fee: int) -> None:
        """Book an execution of signed lots at a price in ticks; money is in minor units."""
        self._fill_id += 1
        fill = m.OrderFilled(
            order.id,
            self._fill_id,
            order.symbol,
            lots,
            price,
            value,
            fee,
            self.market.time or self._now,
        )
        order.filled += lots
        order.fills += (fill,)
        self._fills.append(fill)
        self._out.append(fill)
        if order.filled == order.qty:
            self._end(order, "filled")
        else:
            order.status = "partially_filled"

    def cancel(self, order: PaperOrder, reason: str) -> None:
        """End an order that its own terms end."""
        self._end(order, "canceled")
        self._out.append(m.OrderCanceled(order.id, 0, reason, self.market.time or self._now))

    def expire(self, order: PaperOrder) -> None:
        """End an order whose time is over."""
        self._end(order, "expired")
        self._out.append(m.OrderExpired(order.id, self.market.time or self._now))

    def quote(self, quote: m.Quote) -> None:
        """Tell the gateway new prices."""
        self._out.append(quote)

    def _end(self, order: PaperOrder, status: str) -> None:
        """Give an order its final state, and forget the oldest of those that ended."""
        order.status = status
        ended = self._ended
        ended.append(order.id)
        if len(ended) > self.config.orders_kept:
            oldest = ended.popleft()
            del self._orders[oldest]
            account, no = m.owner_of(oldest)
            if no > self._forgotten.get(account, 0):
                self._forgotten[account] = no

    # ------------------------------------------------------------------------------- requests
    def _on_new(self, message: m.NewOrder) -> None:
        identity = message.id
        order = self._orders.get(identity)
        if order is not None or (self._forgotten and self._is_forgotten(identity)):
            self._on_known(order, identity)
            return
        now = self._now
        order = PaperOrder(
            identity,
            message.symbol,
            message.qty,
            message.kind,
            message.tif,
            message.limit,
            message.trigger,
            0,
            now,
        )
        self._orders[identity] = order
        reason = self._fault(message)
        if reason:
            order.reason = reason
            self._end(order, "rejected")
            self._out.append(m.OrderRejected(identity, reason, now))
            return
        self._venue_id = order.venue_id = self._venue_id + 1
        self._out.append(m.OrderAccepted(identity, order.venue_id, now))
        self.market.enter(order, self)

    def _on_known(self, order: PaperOrder | None, identity: int) -> None:
        """Answer an order that was here before as it was answered then."""
        if order is None:
            self._out.append(self._status(identity))
        elif order.status == "rejected":
            self._out.append(m.OrderRejected(identity, order.reason, order.ts))
        else:
            self._out.append(m.OrderAccepted(identity, order.venue_id, order.ts))

    def _fault(self, message: m.NewOrder) -> str:
        """Return why an order is rejected, or an empty text."""
        reason = self.market.refusal(message.symbol)
        if reason:
            return reason
        if not _is_sound(message.kind, message.qty, message.limit, message.trigger):
            return "bad_terms"
        if self._reject_below and self._draws.next() < self._reject_below:
            return "drawn"
        return ""

    def _is_forgotten(self, identity: int) -> bool:
        account, no = m.owner_of(identity)
        return no <= self._forgotten.get(account, 0)

    def _open_order(self, message: m.CancelOrder | m.ReplaceOrder) -> PaperOrder | None:
        """Return the order that a change is for; where it is not open, say so."""
        order = self._orders.get(message.id)
        if order is not None and order.is_open:
            return order
        if order is not None:
            reason = order.status
        else:
            reason = "forgotten" if self._is_forgotten(message.id) else "not_found"
        self._out.append(m.ChangeRejected(message.id, message.request, reason, self._now))
        return None

    def _on_cancel(self, message: m.CancelOrder) -> None:
        order = self._open_order(message)
        if order is not None:
            self._leave(order, message.request, "requested")

    def _leave(self, order: PaperOrder, request: int, reason: str) -> None:
        self.market.leave(order)
        self._end(order, "canceled")
        self._out.append(m.OrderCanceled(order.id, request, reason, self._now))

    def _on_replace(self, message: m.ReplaceOrder) -> None:
        order = self._open_order(message)
        if order is None:
            return
        qty, limit, trigger = message.qty, message.limit, message.trigger
        is_other_side = (qty > 0) != (order.qty > 0) and qty != 0
        if is_other_side or not _is_sound(order.kind, qty or order.qty, limit, trigger):
            fault = m.ChangeRejected(order.id, message.request, "bad_terms", self._now)
            self._out.append(fault)
            return
        if abs(qty) <= abs(order.filled):
            self._leave(order, message.request, "replaced")
            return
        order.qty, order.limit, order.trigger = qty, limit, trigger
        self._out.append(m.OrderReplaced(order.id, message.request, qty, limit, trigger, self._now))
        self.market.change(order, self)

    def _on_query(self, message: m.QueryOrder) -> None:
        self._out.append(self._status(message.id))

    def _status(self, identity: int) -> m.OrderStatus:
        order = self._orders.get(identity)
        if order is None:
            word = "forgotten" if self._is_forgotten(identity) else "not_found"
            return m.OrderStatus(identity, word, 0, 0, 0, 0, (), self._now)
        return m.OrderStatus(
            identity,
            order.status,
            order.venue_id,
            order.qty,
            order.limit,
            order.trigger,
            order.fills,
            self._now,
        )


def _is_sound(kind: int, qty: int, limit: int, trigger: int) -> bool:
    """Whether an order's prices are those that its kind has."""
    return qty != 0 and (limit > 0) == bool(kind & LIMITED) and (trigger > 0) == (kind >= STOPPED)
