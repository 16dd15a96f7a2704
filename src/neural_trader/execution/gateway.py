"""The gateway without sockets: requests and venue messages in, records and frames out.

One turn is: bytes come in (``receive``, ``venue.receive``, ``on_time``), every event they make is
appended to the journal and applied, and what has to leave waits in outboxes; ``commit`` makes the
events durable, and only then may the outboxes be sent. A commit that fails halts the gateway, and
nothing of that turn leaves.
"""

import logging
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Final

from neural_trader.core.errors import ConfigError, JournalError, RecordsGone
from neural_trader.execution import messages as m
from neural_trader.execution.accounts import INDEX_MASK, Account
from neural_trader.execution.answers import open_orders, positions
from neural_trader.execution.checkpoint import restore_image
from neural_trader.execution.core import Core
from neural_trader.execution.framing import UNREAD, frame, head_of, pack
from neural_trader.execution.journal.protocol import Journal
from neural_trader.execution.limits import Denial, Limits
from neural_trader.execution.listing import Listing
from neural_trader.execution.repeats import Numbered, answer_again
from neural_trader.execution.sessions import Session
from neural_trader.execution.tokens import Grant, find_grant
from neural_trader.execution.venue_link import VenueLink

_DAY_NS: Final = 86_400_000_000_000
_SECOND_NS: Final = 1_000_000_000
_LOGIN_NS: Final = 5 * _SECOND_NS
_SILENCE_NS: Final = 30 * _SECOND_NS
_CHUNK_BYTES: Final = 16 * 1024
_ANSWERS_BYTES: Final = 64 * 1024
_REFUSALS_TOLD: Final = 20
_NO_STEP_MAX: Final = 1 << 20
_REPLAY_BYTES: Final = 4 * 1024 * 1024
_STREAM: Final = frozenset(
    {
        m.Accepted,
        m.Filled,
        m.Denied,
        m.Rejected,
        m.Canceled,
        m.Expired,
        m.Replaced,
        m.RequestDenied,
        m.Unknown,
        m.KillSwitched,
    }
)
_STREAM_TAGS: Final = frozenset(kind.__struct_config__.tag for kind in _STREAM)

log = logging.getLogger("neural_trader.gateway")


class Gateway:
    """Sessions, core, journal and venue, put together.

    Parameters
    ----------
    journal : Journal
        Whatever stands in it is replayed first.
    grants : iterable of Grant
        The tokens that are let in.
    name : str
        How the gateway calls itself at the venue.
    venue_timeout_ns : int
        How long an answer of the venue may take before an order is unknown.
    requests_per_second : int
        What one connection may ask; more closes it.

    Attributes
    ----------
    core : Core
    venue : VenueLink
    replayed : int
        How many records have been read from the journal.
    dirty : list of Session
        Those whose outbox has something; the caller empties both after a commit.
    """

    def __init__(
        self,
        journal: Journal,
        grants: Iterable[Grant] = (),
        *,
        name: str = "neural-trader",
        venue_timeout_ns: int = _SECOND_NS,
        requests_per_second: int = 500_000,
    ) -> None:
        self.core = Core()
        self.journal = journal
        self.grants = tuple(grants)
        self.venue = VenueLink(self.core, self.record, name=name, timeout_ns=venue_timeout_ns)
        self.dirty: list[Session] = []
        self.sessions: set[Session] = set()
        self.is_halted = False
        self.replayed = 0
        self._seen = 0
        self.counts: dict[type, int] = {}
        self._requests_max = requests_per_second
        self._live: dict[int, list[Session]] = {}
        if journal.first_seq > 1:
            restore_image(self.core, journal.checkpoint)
            self._seen = journal.first_seq - 1
        self.replay()

    # --------------------------------------------------------------------------------- recovery
    def replay(self) -> None:
        """Bring the state to where the journal ends; again, where another process writes it."""
        apply, decode = self.core.apply, m.decode_record
        while chunk := self.journal.read(self._seen + 1, _REPLAY_BYTES):
            for seq, payload in chunk:
                event = decode(payload)
                apply(event)
                if type(event) in _STREAM:
                    self._remember(event, payload, seq)
            self._seen = chunk[-1][0]
            self.replayed += len(chunk)

    def check_start(self, listings: Iterable[Listing]) -> None:
        """Raise ConfigError if an instrument has other units than in the journal."""
        for listing in listings:
            known = self.core.listings.get(listing.symbol, listing)
            if known.sizes != listing.sizes:
                message = (
                    f"{listing.symbol} has tick, lot and minor unit {listing.sizes[1:]} in the "
                    f"configuration and {known.sizes[1:]} in the journal; units cannot change: "
                    "give it the old ones, or start a new journal"
                )
                raise ConfigError(message)

    def start(
        self,
        ts: int,
        *,
        listings: Iterable[Listing],
        accounts: dict[str, int],
        limits: dict[str, Limits],
        is_committed: bool = True,
    ) -> None:
        """Write down that the gateway starts, and what the configuration adds to the journal.

        Parameters
        ----------
        ts : int
            The time of the start.
        listings : iterable of Listing
            What can be traded; units that the journal already knows cannot change. What it knows
            and is no longer here can only be reduced.
        accounts : dict of name to cash
            Opening cash in minor units, for accounts that the journal does not know yet.
        limits : dict of name to Limits
            Of every account.
        is_committed : bool
            Whether it is made durable here, or with the first turn.

        Raises
        ------
        ConfigError
            An instrument has other units than in the journal.
        """
        core = self.core
        listings = tuple(listings)
        self.check_start(listings)
        core.tradable = frozenset(listing.symbol for listing in listings)
        self.record(m.Started(ts, core.epoch + 1, m.VERSION))
        for listing in listings:
            if listing.symbol not in core.listings:
                self.record(m.Listed(ts, *listing.sizes))
        names = {account.name for account in core.accounts.values()}
        for name, cash in accounts.items():
            if name not in names:
                self.record(m.AccountOpened(len(core.accounts) + 1, ts, name, cash))
        self.reload_limits(limits, ts)
        self.venue.settle_ended(ts)
        if is_committed:
            self.commit()

    def reload_limits(self, limits: dict[str, Limits], ts: int) -> int:
        """Take new limits from now on; returns how many accounts they change.

        Raises
        ------
        ConfigError
            There is no account of a name; all limits are as they were.
        """
        core = self.core
        # Every name is looked up before anything is recorded: all of them, or none.
        wanted = [(core.account_named(name).number, new.as_text()) for name, new in limits.items()]
        changed = [(no, text) for no, text in wanted if core.limits_of(no).as_text() != text]
        for no, text in changed:
            self.record(m.LimitsLoaded(no, ts, text))
        return len(changed)

    def renew_grants(self, grants: Iterable[Grant]) -> None:
        """Let these tokens in from now on, and end the sessions of all others.

        Those of accounts that the journal does not know yet have to wait for the next start.
        """
        names = {account.name for account in self.core.accounts.values()}
        self.grants = tuple(grant for grant in grants if grant.account in names)
        for session in self.sessions:
            if session.grant is not None and session.grant not in self.grants:
                self._close(session, "revoked", "this token no longer lets anybody in")

    # ----------------------------------------------------------------------------------- records
    def record(self, event: m.Record) -> None:
        """Write an event down, apply it, and put it into the outboxes of those whom it concerns."""
        payload = m.encode(event)
        kind = type(event)
        try:
            self.core.appliers[kind](event)
        except BaseException:
            # Half applied, and not to be written: what the journal says is what the next start has.
            self.is_halted = True
            raise
        seq = self.journal.append(payload)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind in _STREAM:
            self._remember(event, payload, seq)
            live = self._live.get(event.account)  # type: ignore[union-attr]
            if live:
                data = len(payload).to_bytes(4, "big") + payload
                for session in live:
                    session.next_seq += 1
                    outbox = session.outbox
                    if not outbox:
                        self.dirty.append(session)
                    outbox.append(data)

    def _remember(self, event: Any, payload: bytes, seq: int) -> None:  # noqa: ANN401 - of a union
        """Keep what those who ask again, or come back, will want."""
        account = self.core.accounts[event.account]
        if event.seq & INDEX_MASK == 1:
            account.index.append((event.seq, seq))
        kind = type(event)
        if kind is m.Filled:
            return
        if kind is m.Canceled or kind is m.Replaced:
            if event.request:
                account.remember(event.request, event.client, payload)
        elif kind is not m.Expired and event.no:
            account.remember(event.no, event.client, payload)

    def commit(self) -> None:
        """Make this turn's events durable.

        Raises
        ------
        JournalError
            They are not, or perhaps not. The gateway is halted: nothing of the turn may leave, and
            nothing more is taken.
        """
        if self.is_halted:
            message = "the gateway has halted; nothing more is written"
            raise JournalError(message)
        try:
            self.journal.commit()
        except JournalError:
            # Crash: what stands on the disk is read by the next start; nobody was told of it.
            self.is_halted = True
            self.venue.outbox = []
            for session in self.dirty:
                session.outbox = []
            self.dirty = []
            raise

    # ---------------------------------------------------------------------------------- sessions
    def open_session(self, peer: str, ts: int) -> Session:
        """Begin with a new connection."""
        session = Session(peer, ts)
        self.sessions.add(session)
        return session

    def close_session(self, session: Session) -> None:
        """Forget a connection that is gone."""
        self.sessions.discard(session)
        self._leave(session)

    def _leave(self, session: Session) -> None:
        session.is_live = False
        if session.account is not None:
            live = self._live.get(session.account.number, [])
            if session in live:
                live.remove(session)

    def fall_behind(self, session: Session) -> None:
        """Let a session that reads too slowly wait for the journal instead of filling memory."""
        if session.is_live and session.account is not None:
            index = session.account.index
            place = bisect_right(index, (session.next_seq, 1 << 62)) - 1
            session.journal_seq = index[place][1] if place >= 0 else self.journal.first_seq
            self._leave(session)

    def catch_up(self, session: Session) -> bool:
        """Put the next piece of the journal into a session's outbox; return whether more is left.

        Call it after a commit, while the connection takes more.
        """
        account = session.account
        if account is None or session.is_live or session.closing:
            return False
        if session.next_seq < account.seq:
            found = []
            try:
                chunk = self.journal.read(session.journal_seq, _CHUNK_BYTES)
            except RecordsGone:
                self._close_too_old(session, account, session.next_seq)
                return False
            for seq, payload in chunk:
                session.journal_seq = seq + 1
                tag, number = head_of(payload)
                if tag not in _STREAM_TAGS or number not in (account.number, UNREAD):
                    continue
                event: Any = m.decode_record(payload)
                if (
                    type(event) in _STREAM
                    and event.account == account.number
                    and event.seq >= session.next_seq
                ):
                    found.append(frame(payload))
                    session.next_seq = event.seq + 1
            if found:
                self._reply(session, b"".join(found))
        if session.next_seq == account.seq:
            self.go_live(session)
            return False
        return True

    def go_live(self, session: Session) -> None:
        """Let new events of its account go straight into a session's outbox."""
        if session.account is not None:
            session.is_live = True
            self._live.setdefault(session.account.number, []).append(session)

    def receive(self, session: Session, data: bytes, ts: int) -> None:
        """Take bytes from a client: ``cut`` and ``take`` in one."""
        payloads = self.cut(session, data, ts)
        while payloads := self.take(session, payloads, ts):
            session.answered_bytes = 0

    def cut(self, session: Session, data: bytes, ts: int) -> list[bytes]:
        """Return the requests that have come whole with some bytes; ``take`` them all, in order."""
        session.last_heard = ts
        payloads = session.reader.feed(data)
        session.rate.add(ts, len(payloads))
        return payloads

    def take(self, session: Session, payloads: list[bytes], ts: int) -> list[bytes]:
        """Work requests of a client.

        Returns
        -------
        list of bytes
            Those that wait until the answers have left: a question is short and its answer long.
        """
        if session.rate.count(ts) > self._requests_max and not session.closing:
            self._close(session, "too_many", f"over {self._requests_max:,} requests a second")
        for at, payload in enumerate(payloads):
            if session.closing:
                return []
            if session.answered_bytes > _ANSWERS_BYTES:
                return payloads[at:]
            try:
                message = m.decode_request(payload)
            except ValueError as error:
                self._close(session, "bad_frame", f"this is no request: {error}")
                return []
            if type(message) is m.Submit and session.may_trade:
                self._on_submit(session, message, ts)
            else:
                self._on_other(session, message, ts)
        if session.reader.too_long and not session.closing:
            length = session.reader.too_long
            self._close(session, "frame_too_long", f"a frame of {length:,} bytes is too long")
        return []

    def _reply(self, session: Session, data: bytes) -> None:
        if not session.outbox:
            self.dirty.append(session)
        session.outbox.append(data)

    def _refuse(self, session: Session, code: str, message: str, no: int = 0) -> None:
        account = session.account
        last_no = account.last_no if account is not None else 0
        # Two programs on one account run for the next number; the one that lost takes another.
        session.refusals += 1
        is_quiet = code == "number_taken" or session.refusals > _REFUSALS_TOLD
        log.log(
            logging.DEBUG if is_quiet else logging.WARNING,
            "%s: %s: %s",
            session.peer,
            code,
            message,
        )
        self._reply(session, pack(m.Refused(code, message, no, last_no)))

    def _close(self, session: Session, code: str, message: str) -> None:
        self._refuse(session, code, message)
        session.closing = code
        self._leave(session)

    # ---------------------------------------------------------------------------------- requests
    def _on_submit(self, session: Session, order: m.Submit, ts: int) -> None:
        account = session.account
        if account is None:
            return
        if order.no <= account.last_no:
            self._repeat(session, account, order)
            return
        if not self._is_new(session, account, order.no):
            return
        core = self.core
        if account.day != ts // _DAY_NS:
            self._open_day(account, ts)
        if self.venue.state == "up":
            event = core.decide_submit(account, order, session.client, ts)
        else:
            reason = "recovering" if self.venue.state == "recovering" else "venue_down"
            event = core.deny(account, order, session.client, ts, Denial(reason))
        self.record(event)
        if type(event) is m.Submitted:
            self.venue.send_order(event)

    def _on_other(self, session: Session, message: m.ClientRequest, ts: int) -> None:
        if type(message) is m.Login:
            self._on_login(session, message)
            return
        account = session.account
        if account is None:
            self._close(session, "no_login", "the first frame of a connection is a login")
        elif type(message) is m.Ping:
            self._reply(session, pack(m.Pong()))
        elif type(message) is m.Ask:
            self._on_ask(session, account, message)
        elif not session.may_trade:
            no: int = message.no  # type: ignore[union-attr]
            self._refuse(session, "read_only", "this token reads, and does not trade", no)
        elif isinstance(message, m.Cancel | m.Replace | m.Switch):
            if message.no <= account.last_no:
                self._repeat(session, account, message)
            elif not self._is_new(session, account, message.no):
                return
            elif isinstance(message, m.Switch):
                self._on_switch(account, message, session.client, ts)
            else:
                self._on_wish(account, message, session.client, ts)

    def _on_login(self, session: Session, login: m.Login) -> None:
        if session.account is not None:
            self._close(session, "logged_in", "this connection has logged in already")
            return
        if login.version != m.VERSION:
            self._close(
                session,
                "version",
                f"the client speaks version {login.version}, the gateway {m.VERSION}",
            )
            return
        grant = find_grant(login.token, self.grants)
        if grant is None:
            self._close(session, "bad_token", "no account has this token")
            return
        account = self.core.account_named(grant.account)
        if login.next_seq > account.seq:
            self._close(
                session,
                "bad_seq",
                f"event {login.next_seq} of account {account.name} has not happened: the next is "
                f"{account.seq}; this is another journal than the client has seen",
            )
            return
        if 0 < login.next_seq < account.first_seq:
            self._close_too_old(session, account, login.next_seq)
            return
        session.account = account
        session.client = login.client
        session.grant = grant
        session.may_trade = grant.scope == "trade"
        session.next_seq = login.next_seq or account.seq
        place = bisect_right(account.index, (session.next_seq, 1 << 62)) - 1
        session.journal_seq = account.index[place][1] if place >= 0 else self.journal.first_seq
        instruments = tuple(listing.sizes for listing in self.core.listings.values())
        welcome = m.Welcome(
            m.VERSION,
            account.number,
            account.name,
            session.may_trade,
            self.core.epoch,
            account.seq,
            account.last_no,
            instruments,
        )
        self._reply(session, pack(welcome))
        log.info("%s: account %s, %s", session.peer, account.name, grant.scope)

    def _close_too_old(self, session: Session, account: Account, seq: int) -> None:
        self._close(
            session,
            "too_old",
            f"event {seq} of account {account.name} is no longer kept; log in with next_seq 0, and "
            "ask for open orders and positions",
        )

    def _on_ask(self, session: Session, account: Account, ask: m.Ask) -> None:
        answer: m.Orders | m.Positions
        if ask.what == "orders":
            answer = m.Orders(account.seq, tuple(open_orders(account)))
        elif ask.what == "positions":
            book = account.book
            answer = m.Positions(
                account.seq, book.cash, account.is_killed, tuple(positions(account))
            )
        else:
            self._refuse(
                session, "bad_question", f"{ask.what!r} is no question; ask orders or positions"
            )
            return
        data = pack(answer)
        session.answered_bytes += len(data)
        self._reply(session, data)

    def _on_switch(self, account: Account, switch: m.Switch, client: int, ts: int) -> None:
        self.record(m.KillSwitched(account.number, account.seq, ts, switch.no, client, switch.on))
        if switch.on:
            self._cancel_all(account, ts)

    def _cancel_all(self, account: Account, ts: int) -> None:
        """Ask the venue to cancel what was open, again after every silence, until it is gone.

        What has passed under the switch, since it only reduces, stays.
        """
        if self.venue.state != "up":
            return
        for no in tuple(account.open):
            if no <= account.killed_no and self.venue.may_cancel(account.number, no, ts):
                cancel = m.CancelRequested(account.number, ts, 0, 0, no)
                self.record(cancel)
                self.venue.send_cancel(cancel)

    def _on_wish(self, account: Account, wish: m.Cancel | m.Replace, client: int, ts: int) -> None:
        core = self.core
        event: m.RequestDenied | m.CancelRequested | m.ReplaceRequested
        if wish.order in account.open and self.venue.state == "down":
            event = core.deny_request(account, wish, client, ts, Denial("venue_down"))
        elif isinstance(wish, m.Replace):
            self._open_day(account, ts)
            event = core.decide_replace(account, wish, client, ts)
        else:
            since = ts - self.venue.timeout_ns
            event = core.decide_cancel(account, wish, client, ts, since=since)
        self.record(event)
        if type(event) is m.CancelRequested:
            self.venue.send_cancel(event)
        elif type(event) is m.ReplaceRequested:
            self.venue.send_replace(event)

    def _repeat(self, session: Session, account: Account, message: Numbered) -> None:
        """Answer a request whose number is not new."""
        answer = answer_again(session, account, message)
        if isinstance(answer, bytes):
            self._reply(session, frame(answer))
        elif answer is not None:
            self._refuse(session, answer.code, answer.message, message.no)

    def _is_new(self, session: Session, account: Account, no: int) -> bool:
        """Return whether a number can be used; refuse one that leaves too few for all others."""
        if no <= account.last_no + _NO_STEP_MAX:
            return True
        text = f"number {no} is too high; the highest that was used is {account.last_no}"
        self._refuse(session, "number_too_high", text, no)
        return False

    # -------------------------------------------------------------------------------------- time
    def _open_day(self, account: Account, ts: int) -> None:
        opened = self.core.decide_day(account, ts)
        if opened is not None:
            self.record(opened)

    def on_time(self, ts: int) -> None:
        """Do what is due; to be called a few times a second."""
        self.venue.on_time(ts)
        for account in self.core.accounts.values():
            # Whatever turned the switch on, and whatever became of its cancels.
            if account.is_killed and account.open:
                self._cancel_all(account, ts)
            if self.venue.state == "up":
                self._open_day(account, ts)
        for session in self.sessions:
            if session.closing:
                continue
            if session.account is None and ts - session.opened > _LOGIN_NS:
                self._close(session, "no_login", "no login within 5 seconds")
            elif ts - session.last_heard > _SILENCE_NS:
                self._close(session, "silent", "nothing was heard for 30 seconds")
