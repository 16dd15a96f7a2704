"""``neural-trader serve``: run the gateway."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neural_trader.app.cli.event_loop import run_in_loop, server_context, venue_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from neural_trader.execution import Gateway, GatewayConfig


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines instead of text.")
def serve(  # noqa: PLR0917 - one parameter an option
    config: Path, host: str | None, port: int | None, venue: str | None, as_json: bool
) -> None:
    """Run the gateway until Ctrl-C: clients on one side, the venue on the other.

    SIGHUP reads the limits anew. Exit code 9 if the journal could not be written.
    """
    from neural_trader.execution import read_address, read_config

    read = read_config(config)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    address = read_address(venue) if venue else (read.venue.host, read.venue.port)
    gateway = _open(read, config.parent)

    def reload() -> None:
        limits = read_config(config).account_limits()
        changed = gateway.reload_limits(limits, time.time_ns())
        logging.getLogger("neural_trader.gateway").info("limits of %d accounts changed", changed)

    async def run() -> None:
        from neural_trader.execution import GatewayServer

        section = read.gateway
        server = GatewayServer(
            gateway,
            address,
            sessions_max=section.sessions_max,
            tls=server_context(section.cert, section.key),
            venue_tls=venue_context(read.venue.cert),
            on_reload=reload,
        )
        stop = _serve_metrics(server, section.metrics_port)
        try:
            await server.run(
                host or section.host,
                section.port if port is None else port,
                _announce(gateway, as_json),
            )
        finally:
            stop()

    try:
        run_in_loop(run())
    finally:
        gateway.journal.close()


def _open(read: "GatewayConfig", folder: Path) -> "Gateway":
    """Return a gateway that has read its journal and written that it starts."""
    from neural_trader.execution import Gateway
    from neural_trader.execution.journal import FileJournal

    section = read.gateway
    journal = FileJournal.open(
        folder / section.journal,
        durability=section.durability,
        segment_bytes=section.segment_mb << 20,
    )
    try:
        gateway = Gateway(
            journal,
            read.tokens,
            venue_timeout_ns=read.venue.timeout_ms * 1_000_000,
            requests_per_second=section.requests_per_second,
        )
        gateway.start(
            time.time_ns(),
            listings=read.listings(),
            accounts=read.opening_cash(),
            limits=read.account_limits(),
        )
    except BaseException:
        journal.close()
        raise
    return gateway


def _announce(gateway: "Gateway", as_json: bool) -> "Callable[[str, int], None]":
    def listening(host: str, port: int) -> None:
        found = {
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
        click.echo(json.dumps(found) if as_json else text)
        sys.stdout.flush()

    return listening


def _serve_metrics(server: object, port: int) -> "Callable[[], None]":
    if not port:
        return lambda: None
    from neural_trader.execution import GatewayCollector, GatewayServer, serve_metrics

    if not isinstance(server, GatewayServer):
        raise TypeError
    stop: Callable[[], None] = serve_metrics(GatewayCollector(server.gateway, server.metrics), port)
    return stop
