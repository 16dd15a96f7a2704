"""A seeded world: clients, gateway, venue, clock, networks and disk in one process, and the dice.

The gateway's core, journal, sessions and wire are the real ones; sockets, time and the disk are
simulated. Bytes travel in pieces, at any pace; whatever is named in ``FAULTS`` may happen at any
step. Each step draws from dice of its own, so that leaving some out leaves the others what they
were: that is how a history that fails is made short.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final, cast

from neural_trader.core.errors import GatewayError, JournalError
from neural_trader.execution import handover
from neural_trader.execution.clock import Clock
from neural_trader.execution.compaction import compact
from neural_trader.execution.gateway import Gateway
from neural_trader.execution.limits import Limits
from tests.simulation.clients import CLIENTS, GRANTS, Client, Connection, send
from tests.simulation.disk import FLUSH_FAULTS, Crashed, SimulatedDisk
from tests.simulation.faults import DISK_FAULTS, ORDINARY, UNUSUAL
from tests.simulation.venue import LISTINGS, Venue
from tests.simulation.watch import Watch, WatchedJournal, hold

START: Final = 1_700_000_000_000_000_000
SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
CASH: Final = {"main": 10_000_000, "other": 5_000_000}
SEGMENT_BYTES: Final = 1 << 12
_LOOSE: Final = Limits(
    order_qty_max=400,
    position_qty_max=1_500,
    open_orders_max=40,
    orders_per_second=0,
    collar_bps=200,
    order_notional_max=0,
    gross_max=0,
    net_max=0,
    is_self_crossing_allowed=True,
)
_TIGHT: Final = Limits(
    order_qty_max=150,
    position_qty_max=300,
    open_orders_max=5,
    orders_per_second=20,
    collar_bps=100,
    duplicate_window_ms=500,
    daily_loss_max=1_000,
)
_SEEDS: Final = 1 << 24


class World:
    """Everything, and the dice.

    Parameters
    ----------
    seed : int

    Attributes
    ----------
    happened : Counter
        What happened, by name; all of ``FAULTS`` among it.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = rng = Random(seed)
        self.now = START
        self.skew = 0
        self.happened: Counter[str] = Counter()
        is_flushed = rng.random() < 0.6
        self.durability: Any = "power-safe" if is_flushed else "process-safe"
        self.disk = SimulatedDisk(rng, is_flushed=is_flushed)
        self.disk.happened = self.happened
        # Each history has faults of its own kinds: some only show where others are rare.
        weights = {name: by * rng.choice((0, 0.1, 0.3, 1.5)) for name, by in UNUSUAL.items()}
        if not is_flushed:
            weights["power_lost"] = 0
        self._weights = ORDINARY | weights
        self._names = tuple(self._weights)
        self._totals = tuple(self._weights.values())
        self.watch = Watch()
        self.venue = Venue(seed, rng, self.happened, self.watch)
        self.clients = [Client(self.watch, *who) for who in CLIENTS]
        self.connections: list[Connection] = []
        self.gateway: Gateway | None = None
        self._journal: WatchedJournal | None = None
        self._limits = dict.fromkeys(CASH, _LOOSE)

    def counts(self) -> Counter[str]:
        """Return what happened, and how much of it."""
        watch = self.watch
        done = {"records": len(watch.records), "fills": len(watch.fills)}
        return self.happened + Counter({**done, "orders at the venue": len(watch.at_venue)})

    # ------------------------------------------------------------------------------------- a step
    def step(self, number: int) -> str:
        """Let one thing happen, and look whether all promises were kept; return its name."""
        rng = self.rng
        rng.seed(self.seed * _SEEDS + number)
        self.now += rng.choice((10_000, 1_000_000, 30_000_000))
        name = rng.choices(self._names, self._totals)[0]
        self._guarded(getattr(self, name))
        if self.gateway is None:
            if rng.random() < 0.4:
                self._guarded(self._start_gateway)
        else:
            self._guarded(self._connect_some)
        self._guarded(self._tick)
        if self.gateway is not None:
            self.watch.compare(self.gateway.core)
        return name

    def _guarded(self, act: Callable[[], None]) -> None:
        """Let something happen that the gateway may not survive."""
        try:
            act()
        except Crashed:
            self._gateway_died()
        except JournalError:
            if self.gateway is not None and not self.gateway.is_halted:
                raise
            # A journal that could not be written: the gateway has halted, and its process ends.
            self.happened["halted"] += 1
            self._gateway_died()

    def _tick(self) -> None:
        if self.gateway is not None:
            self._clock.follow()
            self.gateway.on_time(self._clock.now())
            self._end_turn()

    def _connect_some(self) -> None:
        rng = self.rng
        if not self.venue.is_linked and rng.random() < 0.7:
            self._link_venue()
        client = rng.choice(self.clients)
        if client.connection is None:
            self._link_client(client)

    # ---------------------------------------------------------------------------------- ordinary
    def deliver(self) -> None:
        """Let the next piece of bytes arrive somewhere."""
        rng = self.rng
        for _ in range(rng.choice((2, 6, 30))):
            if rng.random() < 0.5:
                self.venue.take(self.now) if rng.random() < 0.5 else self._deliver_from_venue()
            elif self.connections:
                connection = rng.choice(self.connections)
                if rng.random() < 0.5:
                    self._deliver_up(connection)
                else:
                    self._deliver_down(connection)

    def order(self) -> None:
        """Let a client send an order, or try."""
        self.happened["orders"] += self.rng.choice(self.clients).order(self.rng)

    def wish(self) -> None:
        """Let a client wish to cancel or change an order, or ask a question."""
        self.rng.choice(self.clients).wish(self.rng)

    def market(self) -> None:
        """Let prices move."""
        self.venue.advance(self.now)

    def pause(self) -> None:
        """Let time pass."""
        self.now += self.rng.choice((100_000_000, 700_000_000))

    # -------------------------------------------------------------------------------- connections
    def cut_client(self) -> None:
        """Break a client's connection; both ends notice."""
        if self.connections:
            self.happened["cut_client"] += 1
            self._cut(self.rng.choice(self.connections))

    def half_open_client(self) -> None:
        """Take a client's end away without a word: the gateway goes on sending."""
        connection = self.rng.choice(self.connections) if self.connections else None
        if connection is not None and connection.is_heard:
            self.happened["half_open_client"] += 1
            connection.is_heard = False
            connection.up.clear()
            self._lose(connection)

    def client_killed(self) -> None:
        """Kill a client; the next one of its kind knows nothing."""
        client = self.rng.choice(self.clients)
        self.happened["client_killed"] += 1
        if client.connection is not None:
            self._cut(client.connection)
        client.begin(self.rng.choice((0, 1)))

    def request_repeated(self) -> None:
        """Let a request arrive twice."""
        client = self.rng.choice(self.clients)
        if client.connection is not None and client.session.is_ready and client.sent:
            self.happened["request_repeated"] += 1
            send(client.connection.up, self.rng.choice(client.sent), self.rng)

    def kill_switch(self) -> None:
        """Turn the kill switch of an account on; or, more often, off."""
        client = self.rng.choice(self.clients)
        if client.session.welcome is not None and client.may_trade:
            self.happened["kill_switch"] += 1
            client.session.switch(on=self.rng.random() < 0.4)
            client.flush(self.rng)

    def _link_client(self, client: Client) -> None:
        gateway = self.running
        client.connection = connection = Connection()
        connection.session = gateway.open_session("client", self._clock.now())
        connection.session.link = connection
        self.connections.append(connection)
        client.session.connected()
        client.flush(self.rng)

    def _cut(self, connection: Connection) -> None:
        """Break a connection, and what was on its way."""
        if connection.session is not None:
            if connection.session.reader.rest:
                self.happened["partial_frame"] += 1
            if self.gateway is not None:
                self.gateway.close_session(connection.session)
        if connection in self.connections:
            self.connections.remove(connection)
        self._lose(connection)

    def _lose(self, connection: Connection) -> None:
        """Let a client know that its connection is gone."""
        for client in self.clients:
            if client.connection is connection:
                client.lose()

    def _deliver_up(self, connection: Connection) -> None:
        if not connection.up or connection.session is None or self.gateway is None:
            return
        self.gateway.receive(connection.session, connection.up.popleft(), self._clock.now())
        self._end_turn()

    def _deliver_down(self, connection: Connection) -> None:
        client = next((one for one in self.clients if one.connection is connection), None)
        if not connection.down or client is None:
            return
        try:
            client.session.receive(connection.down.popleft())
        except GatewayError as error:
            self._cut(connection)
            self.happened[f"client closed: {error.code}"] += 1
            if error.code == "too_old":
                client.begin(0)
            return
        client.flush(self.rng)

    # --------------------------------------------------------------------------------- the venue
    def cut_venue(self) -> None:
        """Break the connection of gateway and venue."""
        if self.venue.is_linked:
            self.happened["cut_venue"] += 1
            self._cut_venue()

    def venue_silent(self) -> None:
        """Let the venue work, and say nothing for some time."""
        self.happened["venue_silent"] += 1
        self.venue.silent_until = self.now + self.rng.choice((500_000_000, 3 * SECOND))

    def venue_stalled(self) -> None:
        """Let nothing arrive at the venue for some time."""
        self.happened["venue_stalled"] += 1
        self.venue.stalled_until = self.now + self.rng.choice((500_000_000, 3 * SECOND))

    def fills_late(self) -> None:
        """Let fills be told long after everything else."""
        self.happened["fills_late"] += 1
        self.venue.late_until = self.now + self.rng.choice((50_000_000, SECOND))

    def venue_restarted(self) -> None:
        """Start the venue again, on all that it knows."""
        self.happened["venue_restarted"] += 1
        self._cut_venue()
        self.venue.heal()

    def venue_forgot_all(self) -> None:
        """Put another venue into its place."""
        if self.gateway is not None:
            self.happened["venue_forgot_all"] += 1
            self._cut_venue()
            self.venue.forget_all()

    def old_epoch(self) -> None:
        """Let a gateway on an old copy of the journal try its luck at the venue."""
        if self.venue.paper.epoch > 1:
            self.happened["old_epoch"] += 1
            self.venue.meet_old_epoch(self.now)

    def _link_venue(self) -> None:
        self.venue.link()
        self.running.venue.connected(self._clock.now())
        self._end_turn()

    def _cut_venue(self) -> None:
        self.venue.cut()
        if self.gateway is not None:
            self.gateway.venue.disconnected()

    def _deliver_from_venue(self) -> None:
        if self.gateway is not None and (data := self.venue.give(self.now)):
            trouble = self.gateway.venue.receive(data, self._clock.now())
            hold("the venue's words are understood", kept=trouble == "", detail=trouble)
            self._end_turn()

    # -------------------------------------------------------------------------------- the gateway
    def gateway_killed(self) -> None:
        """Kill the gateway between two turns."""
        self._kill("gateway_killed", has_power=True)

    def power_lost(self) -> None:
        """Take the power from the gateway's machine."""
        self._kill("power_lost", has_power=False)

    def gateway_stopped(self) -> None:
        """Stop the gateway as its owner does."""
        if self.gateway is not None and self._journal is not None:
            self.happened["gateway_stopped"] += 1
            self._journal.close()
            self._gateway_died()

    def _kill(self, name: str, *, has_power: bool) -> None:
        if self.gateway is not None:
            self.happened[name] += 1
            self.disk.is_dead = True
            self._gateway_died(has_power=has_power)

    def _gateway_died(self, *, has_power: bool = True) -> None:
        """Clear up behind a gateway that is gone: its connections are."""
        self.gateway = None
        self._journal = None
        if has_power and self.disk.is_flushed and self.disk.is_dead:
            # One crash in four takes the machine along.
            has_power = self.rng.random() < 0.75
            self.happened["power_lost"] += not has_power
        self.disk.restart(has_power=has_power)
        for connection in tuple(self.connections):
            self._cut(connection)
        self._cut_venue()

    def _start_gateway(self) -> None:
        """Start a gateway on whatever the disk holds."""
        try:
            journal = WatchedJournal.open(
                self.disk.path, durability=self.durability, segment_bytes=SEGMENT_BYTES
            )
        except JournalError as error:
            # The disk may fail again while it is opened; then it is tried once more.
            failed = isinstance(error.__cause__, OSError)
            hold("a journal that was written can be opened", kept=failed, detail=error)
            self.happened["start refused"] += 1
            self._gateway_died()
            return
        self.watch.attach(journal)
        self._journal = journal
        gateway = Gateway(journal, GRANTS)
        self._begin(gateway, is_committed=True)
        self.gateway = gateway
        self.happened["gateway starts"] += 1

    def _begin(self, gateway: Gateway, *, is_committed: bool) -> None:
        self._clock = Clock(lambda: self.now + self.skew, lambda: self.now)
        gateway.start(
            self._clock.now(),
            listings=LISTINGS.values(),
            accounts=CASH,
            limits=self._limits,
            is_committed=is_committed,
        )

    @property
    def running(self) -> Gateway:
        """The gateway, which runs."""
        return cast("Gateway", self.gateway)

    def _end_turn(self) -> None:
        """Commit, then let go what waits."""
        gateway = self.running
        gateway.commit()
        self._let_go(gateway)
        for connection in tuple(self.connections):
            session = connection.session
            if session is not None and session.account is not None and not session.is_live:
                gateway.catch_up(session)
        self._let_go(gateway)
        if self.venue.is_linked:
            send(self.venue.inbox, b"".join(gateway.venue.outbox), self.rng)
        gateway.venue.outbox.clear()

    def _let_go(self, gateway: Gateway) -> None:
        dirty = tuple(gateway.dirty)
        gateway.dirty.clear()
        for session in dirty:
            connection = cast("Connection", session.link)
            if connection.is_heard:
                send(connection.down, b"".join(session.outbox), self.rng)
            session.outbox.clear()
            session.answered_bytes = 0
        for connection in tuple(self.connections):
            session_ = connection.session
            if session_ is not None and session_.closing:
                self.happened[f"gateway closed: {session_.closing}"] += 1
                while connection.is_heard and connection.down:
                    self._deliver_down(connection)
                self._cut(connection)

    def taken_over(self) -> None:
        """Let another process take the gateway's place, with all connections."""
        if self.gateway is None or self._journal is None:
            return
        old = self.gateway
        self._end_turn()
        journal = WatchedJournal.follow(
            self.disk.path, durability=self.durability, segment_bytes=SEGMENT_BYTES
        )
        gateway = Gateway(journal, GRANTS)
        state = handover.GatewayState(
            next_seq=old.journal.next_seq,
            frozen_at=self.now,
            has_venue=self.venue.is_linked,
            venue=old.venue.state_with(b""),
            marks=old.core.marks,
            sessions=[
                handover.session_state(one.session, one.session.reader.rest, b"")
                for one in self.connections
                if one.session is not None
            ],
        )
        if not self._is_given(self._journal, journal, gateway, state.next_seq):
            self.happened["take-over given up"] += 1
            self._journal.take_back()
            return
        self.watch.attach(journal)
        sessions = handover.restore(gateway, state)
        alive = [one for one in self.connections if one.session is not None]
        for connection, session in zip(alive, sessions, strict=True):
            connection.session = session
            session.link = connection
        self.gateway, self._journal = gateway, journal
        self._begin(gateway, is_committed=False)
        self.happened["taken_over"] += 1
        self._end_turn()

    def _is_given(
        self, old: WatchedJournal, new: WatchedJournal, gateway: Gateway, next_seq: int
    ) -> bool:
        """Hand a journal over; return whether the new gateway lived to take it."""
        lock = old.hand_over()
        if self.rng.random() < 0.2:
            return False
        try:
            new.read_on()
            gateway.replay()
            new.take_over(lock, next_seq, self.durability)
        except JournalError:
            return False
        return True

    def second_gateway(self) -> None:
        """Start another gateway on a journal that is being written."""
        if self.gateway is None:
            return
        self.happened["second_gateway"] += 1
        try:
            WatchedJournal.open(self.disk.path, durability=self.durability)
        except JournalError:
            return
        hold("a journal has one writer", kept=False)

    # ------------------------------------------------------------------------- disk, clock, owner
    def disk_fault(self) -> None:
        """Let the disk fail, or the process die, at one of the next writes."""
        if self.gateway is not None:
            kinds = DISK_FAULTS if self.disk.is_flushed else DISK_FAULTS[: -len(FLUSH_FAULTS)]
            self.disk.plan(self.rng.choice(kinds), self.rng.choice((0, 1, 3, 10, 30)))

    def bit_flipped(self) -> None:
        """Flip a bit in what was written before the last batch: no gateway starts on that."""
        if self.gateway is not None:
            self._gateway_died()
        places = list(self.disk.safe_bytes())
        if not places:
            return
        self.happened["bit_flipped"] += 1
        inode, size = self.rng.choice(places)
        at, bit = self.rng.randrange(size), 1 << self.rng.randrange(8)
        inode.data[at] ^= bit
        before = {name: bytes(one.data) for name, one in self.disk.names.items() if name != "lock"}
        try:
            WatchedJournal.open(
                self.disk.path, durability=self.durability, segment_bytes=SEGMENT_BYTES
            )
        except JournalError:
            after = {name: bytes(one.data) for name, one in self.disk.names.items()}
            del after["lock"]
            hold("a damaged journal is left as it is", kept=before == after)
        else:
            hold("a damaged journal is refused", kept=False, detail=(at, bit))
        # Its owner puts the file back from a copy.
        inode.data[at] ^= bit
        self.disk.restart()

    def clock_forward(self) -> None:
        """Set the machine's clock forward."""
        self.happened["clock_forward"] += 1
        self.skew += self.rng.choice((2, 2, 600)) * SECOND

    def clock_back(self) -> None:
        """Set the machine's clock back."""
        self.happened["clock_back"] += 1
        self.skew -= self.rng.choice((1, 3600)) * SECOND

    def next_day(self) -> None:
        """Let a day begin."""
        self.happened["next_day"] += 1
        self.now += DAY

    def limits_reloaded(self) -> None:
        """Give the accounts other limits while they trade."""
        self._limits = {name: self.rng.choice((_LOOSE, _TIGHT)) for name in CASH}
        if self.gateway is not None:
            self.happened["limits_reloaded"] += 1
            self.gateway.reload_limits(self._limits, self._clock.now())
            self._end_turn()

    def compacted(self) -> None:
        """Compact the journal in a process of its own, which may die in the midst of it."""
        if not self.watch.records:
            return
        before = set(self.disk._fds)
        try:
            if compact(self.disk.path, self.rng.randint(1, 3)).removed:
                self.happened["compacted"] += 1
        except Crashed:
            self.happened["compaction died"] += 1
            self.disk.is_dead = False
        except JournalError:
            self.happened["compaction refused"] += 1
        for fd in set(self.disk._fds) - before:
            self.disk.close(fd)

    # ------------------------------------------------------------------------------------ healing
    def heal(self) -> None:
        """End all faults, let everything arrive and be answered, and look at what came of it."""
        self.rng.seed(self.seed)
        self.disk.plan("", 0)
        self.venue.heal()
        self.skew = max(self.skew, 0)
        for _ in range(100):
            if self.gateway is None:
                self._start_gateway()
            self._guarded(self._heal_on)
        gateway = self.running
        self.watch.check_healed(gateway.core, self.venue.open_orders)
        for client in self.clients:
            account = gateway.core.accounts[client.account]
            session = client.session
            hold(
                "every client is up to date",
                kept=session.next_seq == account.seq,
                detail=(client.number, session.next_seq, account.seq),
            )
            pending = list(session._pending)
            hold("every request is answered", kept=not pending, detail=(client.number, pending))

    def _heal_on(self) -> None:
        if not self.venue.is_linked:
            self._link_venue()
        for client in self.clients:
            if client.connection is None:
                self._link_client(client)
        self.venue.tell_late()
        while self._deliver_all():
            pass
        self.now += 300_000_000
        self._tick()

    def _deliver_all(self) -> bool:
        """Let a piece arrive everywhere, and return whether more can."""
        for connection in tuple(self.connections):
            self._deliver_up(connection)
            self._deliver_down(connection)
        self.venue.take(self.now)
        self._deliver_from_venue()
        return self.venue.has_more(self.now) or any(
            (one.up and one.session is not None) or (one.down and one.is_heard)
            for one in self.connections
        )
