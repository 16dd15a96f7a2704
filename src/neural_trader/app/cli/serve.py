"""``neural-trader serve``: run the gateway."""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from neural_trader.app.cli.event_loop import (
    collect_rarely,
    run_in_loop,
    server_context,
    venue_context,
)
from neural_trader.core import NeuralTraderError

if TYPE_CHECKING:
    from neural_trader.execution import Gateway, GatewayConfig, GatewayServer
    from neural_trader.execution.journal import FileJournal

_METRICS_RETRY_S: Final = 1.0
_LOOK_S: Final = 1.0
_RETRY_S: Final = 60.0
_LOOKS_MAX: Final = 1_000
_FEW_RECORDS: Final = 256


@click.command("serve")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("gateway.toml"),
    show_default=True,
    help="The gateway's configuration.",
)
@click.option("--host", help="Listen here instead of at the configuration's address.")
@click.option("--port", type=click.IntRange(0, 65535), help="Likewise; 0 takes a free one.")
@click.option("--venue", metavar="HOST:PORT", help="The venue, instead of the configuration's.")
@click.option(
    "--takeover",
    is_flag=True,
    help="Take the place of the gateway that runs on the same journal; nobody is disconnected.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
def serve(  # noqa: PLR0917 - one parameter an option
    config: Path,
    host: str | None,
    port: int | None,
    venue: str | None,
    takeover: bool,
    as_json: bool,
) -> None:
    """Run the gateway until Ctrl-C: clients on one side, the venue on the other.

    SIGHUP reads the limits anew. Exit code 9 if the journal could not be written.
    """
    from neural_trader.execution import read_address, read_config

    read = read_config(config)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    desk = _Desk(
        config=config,
        read=read,
        host=host or read.gateway.host,
        port=read.gateway.port if port is None else port,
        venue=read_address(venue) if venue else (read.venue.host, read.venue.port),
        as_json=as_json,
    )
    # What an option says counts, and the configuration has seen none.
    read.check_hosts(desk.host, desk.venue[0])
    run_in_loop(desk.take_over() if takeover else desk.open())


class _Desk(NamedTuple):
    """A gateway's configuration and command line."""

    config: Path
    read: "GatewayConfig"
    host: str
    port: int
    venue: tuple[str, int]
    as_json: bool

    @property
    def folder(self) -> Path:
        """The journal's."""
        return self.config.parent / self.read.gateway.journal

    async def open(self) -> None:
        """Read the journal, write down that a gateway starts, and serve."""
        from neural_trader.execution import uncompacted
        from neural_trader.execution.journal import FileJournal

        section = self.read.gateway
        with ExitStack() as stack:
            with uncompacted(self.folder):
                journal = stack.enter_context(
                    FileJournal.open(
                        self.folder,
                        durability=section.durability,
                        segment_bytes=section.segment_mb << 20,
                    )
                )
                if journal.torn_bytes:
                    _warn_of_torn(self.folder, journal.torn_bytes)
                gateway = self._gateway(journal)
            self._start(gateway)
            collect_rarely()
            server = self._server(gateway)
            async with self._beside(server, journal):
                await server.run(self.host, self.port, partial(self._tell, gateway))

    async def take_over(self) -> None:
        """Read the journal beside the gateway that writes it, take its place, and serve."""
        from neural_trader.execution import Successor, restore, uncompacted
        from neural_trader.execution.journal import FileJournal

        section = self.read.gateway
        with ExitStack() as stack:
            with uncompacted(self.folder):
                successor = stack.enter_context(Successor(self.folder))
                journal = stack.enter_context(
                    FileJournal.follow(
                        self.folder,
                        durability=section.durability,
                        segment_bytes=section.segment_mb << 20,
                    )
                )
                gateway = self._gateway(journal)
                gateway.check_start(self.read.listings())
                server = self._server(gateway)
                collect_rarely()
                _catch_up(gateway, journal)
                taken = successor.take()
                # Its address stays, whatever this configuration says: it may have had TLS before.
                self.read.check_hosts(str(taken.listener.getsockname()[0]), self.venue[0])
                journal.read_on()
                gateway.replay()
            sessions = restore(gateway, taken.state)
            successor.prepared()
            journal.take_over(taken.lock, taken.state.next_seq, taken.durability)
            # Made durable with the first turn, before anything leaves: a flush less to wait for.
            self._start(gateway, is_committed=False)

            def tell(host: str, port: int) -> None:
                successor.running()
                resumed = server.resumed_at or time.monotonic_ns()
                pause_ms = (resumed - taken.state.frozen_at) / 1e6
                self._tell(gateway, host, port, sessions=len(sessions), pause_ms=round(pause_ms, 3))

            async with self._beside(server, journal, is_successor=True):
                await server.run_taken(taken, sessions, tell)

    def _gateway(self, journal: "FileJournal") -> "Gateway":
        from neural_trader.execution import Gateway

        return Gateway(
            journal,
            self.read.tokens,
            venue_timeout_ns=self.read.venue.timeout_ms * 1_000_000,
            requests_per_second=self.read.gateway.requests_per_second,
        )

    def _start(self, gateway: "Gateway", *, is_committed: bool = True) -> None:
        gateway.start(
            time.time_ns(),
            listings=self.read.listings(),
            accounts=self.read.opening_cash(),
            limits=self.read.account_limits(),
            is_committed=is_committed,
        )

    def _server(self, gateway: "Gateway") -> "GatewayServer":
        from neural_trader.execution import GatewayServer, read_config

        def reload() -> None:
            read = read_config(self.config)
            changed = gateway.reload_limits(read.account_limits(), time.time_ns())
            gateway.renew_grants(read.tokens)
            logging.getLogger("neural_trader.gateway").info(
                "limits of %d accounts changed", changed
            )

        section = self.read.gateway
        return GatewayServer(
            gateway,
            self.venue,
            sessions_max=section.sessions_max,
            tls=server_context(section.cert, section.key),
            venue_tls=venue_context(self.read.venue.cert),
            on_reload=reload,
        )

    @asynccontextmanager
    async def _beside(
        self, server: "GatewayServer", journal: "FileJournal", *, is_successor: bool = False
    ) -> AsyncIterator[None]:
        """Run what stands beside the order path: metrics, and the door for a successor."""
        from neural_trader.execution import Predecessor

        tasks = [asyncio.create_task(Predecessor(server, journal, self._leave).serve())]
        port = self.read.gateway.metrics_port
        if port and is_successor:
            tasks.append(asyncio.create_task(_serve_metrics_soon(server, port)))
        if self.read.gateway.retention_mb:
            tasks.append(asyncio.create_task(self._keep_bounded()))
        stop = _serve_metrics(server, port) if port and not is_successor else None
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if stop is not None:
                stop()

    async def _keep_bounded(self) -> None:
        """Have old segments of the journal give way to a checkpoint, in a process of its own."""
        log = logging.getLogger("neural_trader.gateway")
        section = self.read.gateway
        keep = max(1, section.retention_mb // section.segment_mb)
        command = (sys.executable, "-m", "neural_trader", "journal", "compact", str(self.folder))
        while True:
            await asyncio.sleep(_LOOK_S)
            if sum(1 for _ in self.folder.glob("*.log")) <= keep:
                continue
            # Behind the order path in everything: it may take as long as it likes.
            process = await asyncio.create_subprocess_exec(
                *("nice", "-n", "19", *command, "--keep", str(keep)),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, said = await process.communicate()
            except asyncio.CancelledError:
                with suppress(ProcessLookupError):
                    process.terminate()
                raise
            if process.returncode:
                log.warning("the journal was not compacted: %s", said.decode().strip())
                await asyncio.sleep(_RETRY_S)

    def _tell(
        self, gateway: "Gateway", host: str, port: int, *, sessions: int = 0, pause_ms: float = 0.0
    ) -> None:
        """Say that the gateway listens, and what it took over."""
        found: dict[str, object] = {
            "event": "listening",
            "host": host,
            "port": port,
            "epoch": gateway.core.epoch,
            "records": gateway.replayed,
        }
        text = (
            f"gateway at {host}:{port}, epoch {gateway.core.epoch}, "
            f"{gateway.replayed:,} records read"
        )
        if pause_ms:
            found |= {"sessions": sessions, "pause_ms": pause_ms}
            text += f"; took over {sessions} connections in {pause_ms:.1f} ms"
        click.echo(json.dumps(found) if self.as_json else text)
        sys.stdout.flush()

    def _leave(self, pid: int) -> None:
        """End at once: another turn of the loop would write what the successor writes."""
        found = {"event": "handed_over", "to": pid}
        click.echo(json.dumps(found) if self.as_json else f"handed over to process {pid}")
        sys.stdout.flush()
        logging.shutdown()
        os._exit(0)


def _warn_of_torn(folder: Path, size: int) -> None:
    logging.getLogger("neural_trader.gateway").warning(
        "the journal %s ended with %d bytes that are no record, and they were cut off: the last "
        "gateway died while it wrote them, so nobody was told of them; after an orderly end it "
        "would mean that the disk is failing",
        folder,
        size,
    )


def _catch_up(gateway: "Gateway", journal: "FileJournal") -> None:
    """Read what the gateway that runs goes on to write, until little of it is new at a time."""
    for _ in range(_LOOKS_MAX):
        before = journal.next_seq
        journal.read_on()
        gateway.replay()
        if journal.next_seq - before < _FEW_RECORDS:
            return


def _serve_metrics(server: "GatewayServer", port: int) -> Callable[[], None]:
    """Serve metrics, and return what ends that."""
    from neural_trader.execution import GatewayCollector, serve_metrics

    stop: Callable[[], None] = serve_metrics(GatewayCollector(server.gateway, server.metrics), port)
    return stop


async def _serve_metrics_soon(server: "GatewayServer", port: int) -> None:
    """Serve metrics until canceled, as soon as the predecessor has given the port back."""
    while True:
        await asyncio.sleep(_METRICS_RETRY_S)
        try:
            stop = _serve_metrics(server, port)
            break
        except NeuralTraderError as error:
            logging.getLogger("neural_trader.gateway").warning("no metrics yet: %s", error)
    try:
        await asyncio.Event().wait()
    finally:
        stop()
