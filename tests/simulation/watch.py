"""What must hold whatever breaks, looked after at every step.

``Watch`` keeps its own account of what happened: from the bytes that the journal has committed,
from what the venue was sent and has done, and from what the clients were told. None of it is
computed by the code under test.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from neural_trader.execution import messages as m
from neural_trader.execution.journal import FileJournal

if TYPE_CHECKING:
    from neural_trader.execution.core import Core

POSITION_LOTS_MAX = 1_500
"""The highest position that any of the limits in use allows."""


class Broken(Exception):  # noqa: N818 - what it says of the gateway
    """A promise was broken; ``args`` begins with which one."""

    def __init__(self, promise: str, detail: object = "") -> None:
        super().__init__(promise, str(detail))
        self.promise = promise


def hold(promise: str, *, kept: bool, detail: object = "") -> None:
    """Raise ``Broken`` unless a promise was kept."""
    if not kept:
        raise Broken(promise, detail)


class WatchedJournal(FileJournal):
    """The journal itself, and what was asked of it."""

    __slots__ = ("batch", "watch")

    batch: list[bytes]
    watch: "Watch"

    def append(self, payload: bytes) -> int:
        """Remember what is gathered."""
        seq = super().append(payload)
        self.batch.append(payload)
        return seq

    def commit(self) -> None:
        """Remember what was promised to be there."""
        self.watch.attempted = self.batch
        super().commit()
        self.watch.on_commit(self.batch)
        self.batch.clear()


class Watch:
    """The truth, as seen from outside.

    Attributes
    ----------
    records : list of bytes
        Every payload that a commit has promised, from record 1 on.
    attempted : list of bytes
        The batch of the last commit: if it failed, some of it may be there.
    stream : dict
        By account: the bytes of its events, from number 1 on.
    """

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.attempted: list[bytes] = []
        self.stream: dict[int, list[bytes]] = {}
        self.cash: dict[int, int] = {}
        self.held: dict[int, Counter[str]] = {}
        self.ordered: set[int] = set()
        self.denied: set[int] = set()
        self.requests: set[tuple[int, int]] = set()
        self.fills: dict[int, m.Filled] = {}
        self.orphans = 0
        self.epoch = 0
        self.at_venue: Counter[int] = Counter()
        self.venue_fills: dict[int, m.OrderFilled] = {}

    # ------------------------------------------------------------------------------- the journal
    def attach(self, journal: WatchedJournal) -> None:
        """Watch a journal that was opened: what was promised must stand in it, and no more."""
        journal.watch = self
        journal.batch = []
        found: list[bytes] = []
        while chunk := journal.read(journal.first_seq + len(found), 1 << 30):
            found += [payload for _, payload in chunk]
        known = self.records[journal.first_seq - 1 :]
        hold(
            "what was committed is in the journal",
            kept=found[: len(known)] == known,
            detail=f"{len(known)} records were promised, and {len(found)} found",
        )
        more = found[len(known) :]
        hold(
            "a journal holds nothing but what was written to it",
            kept=more == self.attempted[: len(more)],
            detail=f"{len(more)} records were added",
        )
        self.on_commit(more)
        self.attempted = []

    def on_commit(self, payloads: list[bytes]) -> None:
        """Take records that are there for good."""
        for payload in payloads:
            self.records.append(payload)
            record: Any = m.decode_record(payload)
            self._on_record(record)
            if hasattr(record, "seq"):
                events = self.stream[record.account]
                events.append(payload)
                hold(
                    "the stream of events has no gap",
                    kept=record.seq == len(events),
                    detail=f"{record} is number {len(events)} of account {record.account}",
                )
        self.attempted = []

    def _on_record(self, record: Any) -> None:
        kind = type(record)
        if kind is m.Filled:
            self._on_filled(record)
        elif kind is m.Submitted or kind is m.Denied:
            self._use_number(record.account, record.no)
            known = self.ordered if kind is m.Submitted else self.denied
            known.add(m.order_id(record.account, record.no))
        elif kind is m.CancelRequested or kind is m.ReplaceRequested:
            if record.no:
                self._use_number(record.account, record.no)
        elif kind is m.AccountOpened:
            self.cash[record.account] = record.cash
            self.held[record.account] = Counter()
            self.stream[record.account] = []
        elif kind is m.OrphanFilled:
            self.orphans += 1
        elif kind is m.Started:
            hold("an epoch is used once", kept=record.epoch > self.epoch, detail=record)
            self.epoch = record.epoch

    def _use_number(self, account: int, no: int) -> None:
        number = account, no
        hold("a number is used once", kept=number not in self.requests, detail=number)
        self.requests.add(number)

    def _on_filled(self, fill: m.Filled) -> None:
        hold("a fill is booked once", kept=fill.fill_id not in self.fills, detail=fill)
        theirs = self.venue_fills.get(fill.fill_id)
        ours = (m.order_id(fill.account, fill.no), fill.symbol, fill.qty, fill.value, fill.fee)
        hold(
            "a fill is what the venue said",
            kept=theirs is not None
            and ours == (theirs.id, theirs.symbol, theirs.qty, theirs.value, theirs.fee),
            detail=f"{fill}, {theirs}",
        )
        self.fills[fill.fill_id] = fill
        self.held[fill.account][fill.symbol] += fill.qty
        self.cash[fill.account] -= fill.fee + (fill.value if fill.qty > 0 else -fill.value)

    def compare(self, core: "Core") -> None:
        """Hold the books of a gateway between two turns to the sums of the fills."""
        for number, account in core.accounts.items():
            book = account.book
            cash = self.cash.get(number)
            hold("cash is the sum of the fills", kept=book.cash == cash, detail=(book.cash, cash))
            for symbol, holding in book.holdings.items():
                held = self.held[number][symbol]
                hold(
                    "a position is the sum of the fills",
                    kept=holding.qty == held,
                    detail=(number, symbol, holding.qty, held),
                )
                hold(
                    "no position is beyond its limit",
                    kept=abs(held) <= POSITION_LOTS_MAX,
                    detail=(number, symbol, held),
                )

    # ------------------------------------------------------------------------- venue and clients
    def on_order(self, message: m.NewOrder) -> None:
        """Take an order that came to the venue."""
        identity = message.id
        hold("an order is written down first", kept=identity in self.ordered, detail=message)
        hold("a denied order stays here", kept=identity not in self.denied, detail=message)
        self.at_venue[identity] += 1
        hold("an order is sent once", kept=self.at_venue[identity] == 1, detail=message)

    def on_event(self, account: int, event: Any) -> None:
        """Take an event that a client was told."""
        events = self.stream[account]
        hold(
            "nobody is told what is not written down",
            kept=0 < event.seq <= len(events) and events[event.seq - 1] == m.encode(event),
            detail=event,
        )

    def check_healed(self, core: "Core", open_there: set[int]) -> None:
        """Hold what is left once everything could be said and answered."""
        hold(
            "every fill is booked",
            kept=set(self.fills) == set(self.venue_fills),
            detail=sorted(set(self.fills) ^ set(self.venue_fills)),
        )
        hold("no fill is an orphan", kept=self.orphans == 0, detail=self.orphans)
        open_here = set()
        for number, account in core.accounts.items():
            hold("no wish waits for ever", kept=not account.requests, detail=list(account.requests))
            for order in account.open.values():
                hold("no order stays unknown", kept=order.status != "unknown", detail=order.no)
                open_here.add(m.order_id(number, order.no))
            self._check_rests(account)
        hold(
            "what is open here is open at the venue",
            kept=open_here == open_there,
            detail=open_here ^ open_there,
        )

    def _check_rests(self, account: Any) -> None:
        for symbol, holding in account.book.holdings.items():
            rests = [o.qty - o.filled for o in account.open.values() if o.symbol == symbol]
            buys, sells = sum(q for q in rests if q > 0), -sum(q for q in rests if q < 0)
            hold(
                "open lots are those of the open orders",
                kept=(holding.buys, holding.sells) == (buys, sells),
                detail=(symbol, holding.buys, buys, holding.sells, sells),
            )
        book = account.book
        parts = sum(h.realized - h.fees - h.cost for h in book.holdings.values())
        hold("cash balances", kept=book.opening + parts == book.cash, detail=book.cash)
