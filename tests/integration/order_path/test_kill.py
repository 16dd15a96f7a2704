"""Processes are killed under load, again and again: nothing is lost, nothing happens twice."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from neural_trader.execution import messages as m
from neural_trader.execution.framing import pack
from tests.reliability.audit import Audit
from tests.reliability.kills import kill_again_and_again
from tests.reliability.trader import Book


@pytest.mark.slow
def test_twenty_kills_of_the_gateway(tmp_path: Path) -> None:
    audit = kill_again_and_again(tmp_path, seed=7, kills=20, victims=("gateway",))
    assert audit.faults == []
    counts = audit.counts
    assert counts["killed: gateway"] == 20
    assert counts["book: ack"] > 200
    # The venue lived on and forgot nothing: whatever it had taken is as it was.
    assert counts["lost_by_venue"] == 0


@pytest.mark.slow
def test_kills_of_client_gateway_and_venue(tmp_path: Path) -> None:
    audit = kill_again_and_again(tmp_path, seed=8, kills=12, durability="power-safe")
    assert audit.faults == []
    counts = audit.counts
    assert {counts[f"killed: {name}"] for name in ("trader", "gateway", "venue")} == {4}
    # A venue that is started anew has forgotten what it had: those orders are over, and say why.
    assert counts["lost_by_venue"] + counts["never_reached_venue"] > 0


def without_a_fill(lines: list[str], _end: dict[str, Any]) -> None:
    del lines[next(at for at, line in enumerate(lines) if line.startswith('["fill"'))]


def with_a_fill_twice(lines: list[str], _end: dict[str, Any]) -> None:
    lines.append(next(line for line in lines if line.startswith('["fill"')))


def with_an_order_of_nowhere(lines: list[str], _end: dict[str, Any]) -> None:
    lines.append('["ack", 1000000, "accepted", ""]')


def with_an_order_twice(lines: list[str], _end: dict[str, Any]) -> None:
    lines.append(next(line for line in lines if line.startswith('["ack"')))


def with_a_position_off_by_one(_lines: list[str], end: dict[str, Any]) -> None:
    end["positions"]["KO"] = str(int(end["positions"]["KO"]) + 1)


def with_a_cent_less(_lines: list[str], end: dict[str, Any]) -> None:
    end["cash"] = "0.01"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("kept")
    audit = kill_again_and_again(folder, seed=9, kills=2)
    assert audit.faults == []
    return folder, audit.end


@pytest.mark.parametrize(
    ("doctor", "words"),
    [
        (without_a_fill, "missing [("),
        (with_a_fill_twice, "twice [("),
        (with_an_order_of_nowhere, "is not in it"),
        (with_an_order_twice, "was acknowledged twice"),
        (with_a_position_off_by_one, "positions are"),
        (with_a_cent_less, "cash is 0.01"),
    ],
)
def test_the_audit_finds(
    kept: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    doctor: Callable[[list[str], dict[str, Any]], None],
    words: str,
) -> None:
    folder, end = kept
    lines = (folder / "book").read_text().splitlines()
    end = end | {"positions": dict(end["positions"])}
    doctor(lines, end)
    (tmp_path / "book").write_text("\n".join(lines) + "\n")
    (found,) = Audit(folder / "journal", Book(tmp_path / "book"), end).faults
    assert words in found


@pytest.mark.parametrize("change", ["one more", "one less", "another price"])
def test_the_audit_finds_what_only_the_venue_says(
    kept: tuple[Path, dict[str, Any]], change: str
) -> None:
    folder, end = kept
    audit = Audit(folder / "journal", Book(folder / "book"), end)
    fills = [
        m.OrderFilled(m.order_id(1, f.no), f.fill_id, f.symbol, f.qty, f.price, f.value, f.fee, 1)
        for f in audit._fills[-20:]
    ]
    last = fills[-1]
    if change == "one more":
        fills.append(msgspec.structs.replace(last, fill_id=last.fill_id + 1))
    elif change == "one less":
        fills.pop()
    else:
        fills[-1] = msgspec.structs.replace(last, value=last.value + 1)
    answer = [m.VenueWelcome(m.VERSION, "test"), *fills, m.Pong()]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def say() -> None:
            one, _ = listener.accept()
            with one:
                one.sendall(b"".join(map(pack, answer)))
                one.recv(1 << 16)

        thread = threading.Thread(target=say)
        thread.start()
        audit.hold_venue(listener.getsockname()[1])
        thread.join(10)
    (found,) = audit.faults
    assert "fills, and" in found
    assert audit.counts["venue: fills"] == len(fills)
