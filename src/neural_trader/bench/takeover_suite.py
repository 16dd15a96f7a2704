"""The take-over bench: gateways take each other's place under load, again and again.

Lost, doubled and rejected orders and lost connections come first: where there is one, no time is
printed. The pause is the gateways' own figure: from the moment at which the old one stops to read
to the one at which the new one serves everybody.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from neural_trader.bench.machine import describe_commit, describe_machine
from neural_trader.bench.orders_stack import Stack, placements
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.takeover_tls import CLIENTS as TLS_CLIENTS
from neural_trader.bench.takeover_tls import measure_tls
from neural_trader.core import BenchError
from neural_trader.core.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

PAUSE_TARGET_MS: Final = 5.0
_BETWEEN_S: Final = 0.3
_TLS_ROUNDS_MAX: Final = 5
_DRAIN_S: Final = 30.0
_WORDS: Final = ("lost", "doubled", "rejected", "disconnected")
_QUANTITIES: Final = {
    "pause p50": "pause, median",
    "pause max": "pause, longest",
    "fill p50": "fill, median",
    "fill p99": "fill, P99",
    "fill max": "fill, longest",
    "away max": "TLS: longest order",
}


def run_takeover_suite(
    *,
    durabilities: Sequence[str],
    rounds: int,
    clients: int,
    rate: float,
    folder: Path | None,
    step: Callable[[str], None],
) -> Report:
    """Have gateways take over from each other under load, and return the report.

    Parameters
    ----------
    durabilities : sequence of {"process-safe", "power-safe"}
    rounds : int
        How often, one after the other, in each durability.
    clients : int
        Connections, each with an account of its own.
    rate : float
        Orders a second of all together, sent as they are due.
    folder : Path or None
        Where journals are written. None is the temporary folder.
    step : callable
        Told what begins.

    Raises
    ------
    BenchError
        An order was lost, doubled or rejected, a connection broke, or a gateway did not take over.
    """
    machine = describe_machine()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="neural-trader-takeover-", dir=folder) as made:
        for durability in durabilities:
            place = Path(made) / durability
            place.mkdir()
            with Stack(durability, placements()["unpinned"], place, accounts=clients) as stack:
                pauses, found = _measure(stack, rounds, rate, step)
            rows += _rows(stack, rate, pauses, found)
            place = Path(made) / f"{durability}-tls"
            place.mkdir()
            away = measure_tls(durability, min(rounds, _TLS_ROUNDS_MAX), place, step)
            rows.append(_tls_row(durability, away))
    provenance = {
        "version": VERSION,
        "commit": describe_commit(Path(__file__).resolve().parents[3]),
        "config": {"rounds": rounds, "durabilities": list(durabilities)},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Report(machine=machine, provenance=provenance, rows=rows)


def _measure(
    stack: Stack, rounds: int, rate: float, step: Callable[[str], None]
) -> tuple[list[float], dict[str, Any]]:
    """Return the pauses in milliseconds, and what the load found."""
    wanted = {"host": "127.0.0.1", "port": stack.port, "tokens": stack.tokens, "rate": rate}
    with subprocess.Popen(
        [sys.executable, "-m", "neural_trader.bench.takeover_load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as load:
        try:
            if load.stdin is None or load.stdout is None:
                raise BrokenPipeError
            load.stdin.write(json.dumps(wanted) + "\n")
            load.stdin.flush()
            load.stdout.readline()
            pauses = []
            for number in range(rounds):
                step(f"{stack.durability}: take-over {number + 1} of {rounds}")
                time.sleep(_BETWEEN_S)
                pauses.append(float(stack.take_over()["pause_ms"]))
            time.sleep(_BETWEEN_S)
            said, errors = load.communicate("stop\n", timeout=_DRAIN_S)
        except OSError as error:
            message = f"the load failed: {error}"
            raise BenchError(message) from error
        finally:
            if load.poll() is None:
                load.kill()
    if load.returncode != 0:
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        message = f"the load failed: {last}"
        raise BenchError(message)
    found: dict[str, Any] = json.loads(said)
    trouble = {name: found[name] for name in _WORDS if found[name]}
    if trouble:
        message = f"of {found['sent']:,} orders in {rounds} take-overs: {trouble}"
        raise BenchError(message)
    return pauses, found


def _rows(stack: Stack, rate: float, pauses: list[float], found: dict[str, Any]) -> list[Row]:
    params = {
        "durability": stack.durability,
        "takeovers": len(pauses),
        "clients": len(stack.tokens),
        "rate": rate,
        "orders": found["sent"],
        **{name: found[name] for name in _WORDS},
    }
    figures = [
        ("pause p50", statistics.median(pauses), "ms", None),
        ("pause max", max(pauses), "ms", PAUSE_TARGET_MS),
        ("fill p50", found["fill_us"]["p50"] / 1e3, "ms", None),
        ("fill p99", found["fill_us"]["p99"] / 1e3, "ms", None),
        ("fill max", found["fill_us"]["max"] / 1e3, "ms", None),
    ]
    return [
        Row(
            case="takeover",
            params=params | {"quantity": quantity, "target": target},
            value=value,
            unit=unit,
            low=min(pauses) if quantity.startswith("pause") else None,
            high=max(pauses) if quantity.startswith("pause") else None,
            samples=pauses if quantity == "pause p50" else [],
            checked=True,
        )
        for quantity, value, unit, target in figures
    ]


def _tls_row(durability: str, away: list[float] | None) -> Row:
    """Return how long clients with TLS, which have to reconnect, were away."""
    return Row(
        case="takeover_tls",
        params={
            "durability": durability,
            "takeovers": len(away or ()),
            "clients": TLS_CLIENTS,
            "quantity": "away max",
            "target": None,
        },
        value=max(away) if away else None,
        unit="ms",
        low=min(away) if away else None,
        high=max(away) if away else None,
        samples=away or [],
        checked=away is not None,
        reason=None if away else "no openssl to make a certificate with",
    )


def print_takeover_report(report: Report, console: "Console | None" = None) -> None:
    """Print a report: a column for every durability."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    found: dict[str, dict[str, Row]] = {}
    for row in report.rows:
        by_quantity = found.setdefault(str(row.params["durability"]), {})
        by_quantity[str(row.params["quantity"])] = row
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", *found):
        table.add_column(name, justify="right" if name else "left")
    columns = list(found.values())
    for word in ("takeovers", "orders", *_WORDS):
        table.add_row(word, *(f"{rows['pause max'].params[word]:,}" for rows in columns))
    for quantity, words in _QUANTITIES.items():
        values = [rows[quantity].value for rows in columns]
        cells = ("not measured" if value is None else f"{value:,.2f} ms" for value in values)
        table.add_row(words, *cells)
    console.print(table)
    params = report.rows[0].params
    console.print(
        f"{params['clients']} clients, {params['rate']:,.0f} orders a second. pause: nobody is "
        f"served (target: at most {PAUSE_TARGET_MS:g} ms). fill: from the time at which an order "
        f"was due to its decoded fill. TLS: {TLS_CLIENTS} clients that have to reconnect, one "
        "order after the other.",
        style="dim",
    )
