"""The core of the gateway: what is true, and what follows from an event.

Two halves. ``decide_...`` looks at a request and returns the event that it makes, changing nothing;
``apply`` takes an event that has been recorded and changes the state. Replay is ``apply`` alone, so
that a journal gives the same state for ever, whatever the limits say later. Time comes in with the
events; nothing here reads a clock, a file or a socket.

Marks are not part of that state: they come with quotes, are gone after a restart, and the one that
an order was checked with is written into its record.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from neural_trader.core.errors import ConfigError
from neural_trader.execution import messages as m
from neural_trader.execution.accounts import REQUESTS_MAX, Account, Request
from neural_trader.execution.ledger import Book, Holding
from neural_trader.execution.limits import (
    Bounds,
    Denial,
    Limits,
    check_order,
    check_terms,
    forget_old,
    is_reducing,
)
from neural_trader.execution.listing import Listing
from neural_trader.execution.orders import LiveOrder

_DAY_NS: Final = 86_400_000_000_000
_ORPHANS_MAX: Final = 1_024


class Core:
    """Accounts, orders and positions, moved by events.

    Attributes
    ----------
    listings : dict of symbol to Listing
        All that the journal knows.
    tradable : frozenset of str
        The symbols that this gateway may trade; positions in others may only be reduced.
    accounts : dict of number to Account
    marks : dict of symbol to (ticks, time of receipt)
    epoch : int
        Counts the starts of the gateway.
    born : int
        When the first of them was: no other journal has the same.
    last_fill_id : int
        The highest fill that came in the venue's own order.
    orphans : int
        Fills that found no order: a person must look. ``orphan_ids`` are the last of them.
    appliers : dict of type to callable
        What each kind of event does; ``apply`` looks here.
    """

    def __init__(self) -> None:
        self.listings: dict[str, Listing] = {}
        # Of the configuration, not of the journal: it decides, and replay decides nothing.
        self.tradable: frozenset[str] = frozenset()
        self.accounts: dict[int, Account] = {}
        self.marks: dict[str, tuple[int, int]] = {}
        self.epoch = 0
        self.born = 0
        self.last_fill_id = 0
        self.orphans = 0
        self.orphan_ids: deque[int] = deque(maxlen=_ORPHANS_MAX)
        self.scale = 1
        self._limits: dict[int, Limits] = {}
        self.appliers: dict[type, Callable[[Any], None]] = {
            m.Submitted: self._submitted,
            m.Accepted: self._accepted,
            m.Filled: self._filled,
            m.Denied: self._denied,
            m.Rejected: self._rejected,
            m.Canceled: self._canceled,
            m.Expired: self._expired,
            m.Replaced: self._replaced,
            m.RequestDenied: self._request_denied,
            m.Unknown: self._unknown,
            m.KillSwitched: self._kill_switched,
            m.CancelRequested: self._cancel_requested,
            m.ReplaceRequested: self._replace_requested,
            m.Started: self._started,
            m.AccountOpened: self._account_opened,
            m.Listed: self._listed,
            m.LimitsLoaded: self._limits_loaded,
            m.DayOpened: self._day_opened,
            m.OrphanFilled: self._orphan_filled,
        }

    # --------------------------------------------------------------------------------- decisions
    def decide_submit(
        self, account: Account, order: m.Submit, client: int, ts: int
    ) -> m.Submitted | m.Denied:
        """Let an order pass, or deny it with a reason and the figures."""
        mark = 0
        holding = account.book.holdings.get(order.symbol)
        denial: Denial | None
        if holding is None and order.symbol not in self.listings:
            denial = Denial("unknown_symbol")
        else:
            denial = check_terms(order)
            if denial is None:
                if holding is None:
                    # Not the book's: a denial must leave nothing behind that replay would not.
                    listing = self.listings[order.symbol]
                    holding = Holding(listing, listing.weight(account.book.scale))
                    holding.mark = self._mark_of(order.symbol)
                mark = holding.mark
                denial = self._check_market(account, holding, order.qty, ts)
                open_orders = account.bounds.open_orders
                if denial is None and open_orders and len(account.open) >= open_orders:
                    denial = Denial("open_orders", len(account.open) + 1, open_orders)
                if denial is None:
                    denial = check_order(account, holding, order, ts)
        if denial is None:
            return m.Submitted(
                account.number,
                ts,
                order.no,
                client,
                order.symbol,
                order.qty,
                order.kind,
                order.tif,
                order.limit,
                order.trigger,
                order.reduce_only,
                mark,
            )
        return self.deny(account, order, client, ts, denial)

    def deny(
        self, account: Account, order: m.Submit, client: int, ts: int, denial: Denial
    ) -> m.Denied:
        """Return the event of a denial."""
        mark, _ = self.marks.get(order.symbol, (0, 0))
        return m.Denied(
            account.number,
            account.seq,
            ts,
            order.no,
            client,
            order.symbol,
            order.qty,
            order.kind,
            order.tif,
            order.limit,
            order.trigger,
            denial.reason,
            *denial.figures,
            mark,
        )

    def decide_cancel(
        self, account: Account, wish: m.Cancel, client: int, ts: int, *, since: int
    ) -> m.CancelRequested | m.RequestDenied:
        """Let a cancel pass, unless another one of the order went to the venue after ``since``."""
        denial = _check_wish(account, wish)
        if denial is None and any(
            other.order == wish.order and not other.qty and other.ts > since
            for other in account.requests.values()
        ):
            denial = Denial("pending")
        if denial is not None:
            return self.deny_request(account, wish, client, ts, denial)
        return m.CancelRequested(account.number, ts, wish.no, client, wish.order)

    def decide_replace(
        self, account: Account, wish: m.Replace, client: int, ts: int
    ) -> m.ReplaceRequested | m.RequestDenied:
        """Let a change of an order pass if the order could be sent anew with its new terms."""
        denial = _check_wish(account, wish)
        if denial is not None:
            return self.deny_request(account, wish, client, ts, denial)
        order = account.open[wish.order]
        qty = wish.qty or order.qty
        if (qty > 0) != (order.qty > 0):
            return self.deny_request(account, wish, client, ts, Denial("bad_quantity", qty))
        terms = m.Submit(
            wish.no,
            order.symbol,
            qty - order.filled or qty,
            order.kind,
            order.tif,
            wish.limit or order.limit,
            wish.trigger or order.trigger,
            order.reduce_only,
        )
        denial = check_terms(terms)
        holding = account.book.holdings[order.symbol]
        if denial is None:
            # Checked as if the order were not there, and came anew.
            rest = order.qty - order.filled
            account.book.close(holding, rest)
            denial = self._check_market(account, holding, terms.qty, ts)
            if denial is None:
                denial = check_order(account, holding, terms, ts)
            account.book.open(holding, rest)
        if denial is not None:
            return self.deny_request(account, wish, client, ts, denial)
        return m.ReplaceRequested(
            account.number,
            ts,
            wish.no,
            client,
            order.no,
            qty,
            terms.limit,
            terms.trigger,
            holding.mark,
        )

    def _check_market(self, account: Account, holding: Holding, qty: int, ts: int) -> Denial | None:
        """Deny what is not to be traded, has no price, or no sums that could be trusted."""
        symbol = holding.listing.symbol
        if symbol not in self.tradable and not is_reducing(holding, qty):
            return Denial("not_tradable")
        mark, seen = self.marks.get(symbol, (0, 0))
        age_max = account.bounds.mark_age_ns
        if not mark:
            return Denial("no_reference", 0, age_max // 1_000_000)
        # Seen in the future: a gateway with a clock that is ahead has handed it over.
        if age_max and abs(ts - seen) > age_max:
            return Denial("no_reference", (ts - seen) // 1_000_000, age_max // 1_000_000)
        is_known = account.day == ts // _DAY_NS and not account.book.blind
        return None if is_known or is_reducing(holding, qty) else Denial("no_reference")

    def deny_request(
        self,
        account: Account,
        wish: m.Cancel | m.Replace,
        client: int,
        ts: int,
        denial: Denial,
    ) -> m.RequestDenied:
        """Return the event of a wish that comes to nothing."""
        return m.RequestDenied(
            account.number,
            account.seq,
            ts,
            wish.no,
            client,
            wish.order,
            denial.reason,
            *denial.figures,
        )

    def decide_day(self, account: Account, ts: int) -> m.DayOpened | None:
        """Open a new day of an account once everything it holds has a price."""
        if account.day == ts // _DAY_NS or not account.book.is_marked:
            return None
        return m.DayOpened(account.number, ts, account.book.equity)

    def mark(self, symbol: str, ticks: int, ts: int) -> None:
        """Take a price from the venue's quotes as an instrument's mark."""
        last = self.marks.get(symbol)
        self.marks[symbol] = (ticks, ts)
        if last is None or last[0] != ticks:
            for account in self.accounts.values():
                holding = account.book.holdings.get(symbol)
                if holding is not None:
                    holding.mark = ticks
                    account.book.revalue(holding)

    def _mark_of(self, symbol: str) -> int:
        return self.marks.get(symbol, (0, 0))[0]

    # -------------------------------------------------------------------------------- transitions
    def apply(self, event: m.Record) -> None:
        """Change the state by an event that has been recorded."""
        self.appliers[type(event)](event)

    def open_orders(self) -> Iterator[LiveOrder]:
        """Yield all orders that may still be filled."""
        for account in self.accounts.values():
            yield from account.open.values()

    def _submitted(self, event: m.Submitted) -> None:
        account = self.accounts[event.account]
        order = LiveOrder(event.account, event.no, event.client, event.symbol)
        order.qty = event.qty
        order.kind = event.kind
        order.tif = event.tif
        order.limit = event.limit
        order.trigger = event.trigger
        order.reduce_only = event.reduce_only
        order.mark = event.mark
        order.ts = event.ts
        order.status = "submitted"
        account.last_no = event.no
        account.open[event.no] = order
        book = account.book
        holding = book.holdings.get(event.symbol)
        if holding is None:
            holding = book.holding(self.listings[event.symbol], self._mark_of(event.symbol))
        book.open(holding, event.qty)
        account.rate.add(event.ts)
        if account.bounds.duplicate_ns:
            account.recent[terms_of_record(event)] = event.ts
            forget_old(account.recent)

    def _denied(self, event: m.Denied) -> None:
        account = self.accounts[event.account]
        account.last_no = event.no
        account.seq += 1

    def _accepted(self, event: m.Accepted) -> None:
        account = self.accounts[event.account]
        account.seq += 1
        order = account.open[event.no]
        order.venue_id = event.venue_id
        order.become("accepted")

    def _rejected(self, event: m.Rejected) -> None:
        self._ended(event, "rejected")

    def _canceled(self, event: m.Canceled) -> None:
        account = self._ended(event, "canceled")
        self._answered(account, event.request)

    def _expired(self, event: m.Expired) -> None:
        self._ended(event, "expired")

    def _ended(self, event: m.Rejected | m.Canceled | m.Expired, status: Any) -> Account:  # noqa: ANN401 - a Literal
        account = self.accounts[event.account]
        account.seq += 1
        order = account.open[event.no]
        order.become(status)
        account.book.close(account.book.holdings[order.symbol], order.qty - order.filled)
        account.end(order)
        return account

    def _filled(self, event: m.Filled) -> None:
        account = self.accounts[event.account]
        account.seq += 1
        if event.fill_id > self.last_fill_id:
            self.last_fill_id = event.fill_id
        book = account.book
        order = account.open.get(event.no)
        if order is None:
            # A fill that comes after the end: nothing of it was counted as open any more.
            order = account.ended[event.no]
            book.open(book.holdings[event.symbol], event.qty)
        order.filled = event.filled
        order.fill_ids += (event.fill_id,)
        book.fill(book.holdings[event.symbol], event.qty, event.value, event.fee)
        if event.filled == order.qty:
            order.become("filled")
            account.end(order)
        elif order.is_open:
            order.become("partially_filled")

    def _replaced(self, event: m.Replaced) -> None:
        account = self.accounts[event.account]
        account.seq += 1
        self._answered(account, event.request)
        order = account.open[event.no]
        if event.qty != order.qty:
            holding = account.book.holdings[order.symbol]
            account.book.close(holding, order.qty - order.filled)
            account.book.open(holding, event.qty - order.filled)
            order.qty = event.qty
            self._restate_wishes(account, order)
        order.limit = event.limit
        order.trigger = event.trigger
        if order.filled == order.qty:
            # The new total is what had been filled already.
            order.become("filled")
            account.end(order)
        elif order.status in ("unknown", "submitted"):
            order.become("partially_filled" if order.filled else "accepted")

    def _restate_wishes(self, account: Account, order: LiveOrder) -> None:
        """Count anew what the wishes for an order add to it, now that it has another quantity."""
        for request in account.requests.values():
            if request.order != order.no or not request.qty:
                continue
            extra = request.qty - order.qty if abs(request.qty) > abs(order.qty) else 0
            if extra == request.extra:
                continue
            holding = account.book.holdings[order.symbol]
            if request.extra:
                account.book.close(holding, request.extra)
            if extra:
                account.book.open(holding, extra)
            request.extra, request.symbol = extra, order.symbol

    def _request_denied(self, event: m.RequestDenied) -> None:
        account = self.accounts[event.account]
        account.seq += 1
        account.last_no = max(account.last_no, event.no)
        self._answered(account, event.no)

    def _answered(self, account: Account, no: int) -> None:
        """Take a wish from those that wait, and what it might have added from what is open."""
        request = account.requests.pop(no, None)
        if request is not None and request.extra:
            account.book.close(account.book.holdings[request.symbol], request.extra)

    def _unknown(self, event: m.Unknown) -> None:
        account = self.accounts[event.account]
        account.seq += 1
        account.open[event.no].become("unknown")

    def _kill_switched(self, event: m.KillSwitched) -> None:
        account = self.accounts[event.account]
        account.seq += 1
        account.last_no = max(account.last_no, event.no)
        account.is_killed = event.on
        account.killed_no = account.last_no

    def _cancel_requested(self, event: m.CancelRequested) -> None:
        account = self.accounts[event.account]
        if event.no:
            account.last_no = event.no
            request = Request(event.no, event.client, event.order, event.ts)
            account.requests[event.no] = request

    def _replace_requested(self, event: m.ReplaceRequested) -> None:
        account = self.accounts[event.account]
        account.last_no = event.no
        request = Request(event.no, event.client, event.order, event.ts)
        request.qty, request.limit, request.trigger = event.qty, event.limit, event.trigger
        account.requests[event.no] = request
        account.rate.add(event.ts)
        order = account.open[event.order]
        if abs(event.qty) > abs(order.qty):
            # Until the venue answers, the larger of both quantities may be filled.
            request.symbol = order.symbol
            request.extra = event.qty - order.qty
            account.book.open(account.book.holdings[order.symbol], request.extra)

    # ------------------------------------------------------------------------------- the operator
    def _started(self, event: m.Started) -> None:
        self.epoch = event.epoch
        if event.epoch == 1:
            self.born = event.ts

    def _listed(self, event: m.Listed) -> None:
        self.add_listing(Listing(event.symbol, event.tick_size, event.lot_size, event.minor_unit))

    def add_listing(self, listing: Listing) -> None:
        """Let an instrument be traded."""
        self.listings[listing.symbol] = listing
        scale = math.lcm(self.scale, listing.denominator)
        if scale != self.scale:
            self.scale = scale
            for account in self.accounts.values():
                self._rescale(account)
        for number, limits in self._limits.items():
            self.accounts[number].hold_to(Bounds(limits, self.listings, self.scale))

    def _rescale(self, account: Account) -> None:
        book = account.book
        book.scale = self.scale
        for holding in book.holdings.values():
            holding.weight = holding.listing.weight(self.scale)
            book.revalue(holding)

    def _account_opened(self, event: m.AccountOpened) -> None:
        limits = Limits()
        bounds = Bounds(limits, self.listings, self.scale)
        book = Book(event.cash, self.scale)
        self.add_account(Account(event.account, event.name, book, bounds), limits)

    def add_account(self, account: Account, limits: Limits) -> None:
        """Take an account in, with its limits."""
        self.accounts[account.number] = account
        self._limits[account.number] = limits

    def _limits_loaded(self, event: m.LimitsLoaded) -> None:
        limits = Limits.from_text(event.limits)
        self._limits[event.account] = limits
        self.accounts[event.account].hold_to(Bounds(limits, self.listings, self.scale))

    def _day_opened(self, event: m.DayOpened) -> None:
        account = self.accounts[event.account]
        account.day = event.ts // _DAY_NS
        account.day_equity = event.equity

    def _orphan_filled(self, event: m.OrphanFilled) -> None:
        self.orphans += 1
        self.orphan_ids.append(event.fill_id)
        if event.fill_id > self.last_fill_id:
            self.last_fill_id = event.fill_id

    def limits_of(self, number: int) -> Limits:
        """Return the limits that an account has now."""
        return self._limits[number]

    def account_named(self, name: str) -> Account:
        """Return an account by its name.

        Raises
        ------
        ConfigError
            There is none of this name.
        """
        for account in self.accounts.values():
            if account.name == name:
                return account
        known = ", ".join(account.name for account in self.accounts.values()) or "none"
        message = f"there is no account {name!r}; the accounts are {known}"
        raise ConfigError(message)


def _check_wish(account: Account, wish: m.Cancel | m.Replace) -> Denial | None:
    """Deny a wish about an order that is not open, and one too many."""
    if wish.order not in account.open:
        ended = account.ended.get(wish.order)
        return Denial(ended.status if ended is not None else "unknown_order")
    waiting = len(account.requests)
    return Denial("requests", waiting + 1, REQUESTS_MAX) if waiting >= REQUESTS_MAX else None


def terms_of_record(event: m.Submitted) -> tuple[str, int, int, int, int]:
    """Return what makes two orders the same."""
    return event.symbol, event.qty, event.kind, event.limit, event.trigger
