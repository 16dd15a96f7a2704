"""A report of the page for reading: verdicts, intervals, reasons, warnings."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from neural_trader.bench.page import PAGE
from neural_trader.bench.page_table import print_page
from neural_trader.bench.page_view import amount, read_page, show_page, times_text
from neural_trader.bench.rows import Report, Row
from neural_trader.core import DataError


def make_report(*rows: Row, load: float = 0.1, rounds: int = 5) -> Report:
    machine = {
        "processor": "a processor",
        "cores": 2,
        "memory_gb": 8.0,
        "system": "Linux",
        "python": "CPython 3.11",
        "load_1min": load,
    }
    provenance = {
        "version": "0.1.0",
        "commit": "abc",
        "config": {"rounds": rounds, "mode": "quick"},
        "measured_at": "2026-01-01T00:00:00+00:00",
    }
    return Report(machine=machine, provenance=provenance, rows=list(rows))


def make_row(name: str, value: float | None, unit: str = "ms", **more: Any) -> Row:
    given = {"case": name.partition(".")[0], "params": {"row": name}, "value": value, "unit": unit}
    return Row(**(given | more))


def shown(report: Report) -> dict[str, Any]:
    page = show_page(report)
    return {row["id"]: row for section in page["sections"] for row in section["rows"]}


def test_every_row_of_the_page_is_shown_measured_or_not() -> None:
    rows = shown(make_report(make_row("signals.time", 3.0)))
    assert list(rows) == [row.id for row in sorted(PAGE, key=lambda row: list(rows).index(row.id))]
    assert len(rows) == len(PAGE)
    assert rows["signals.time"]["ours"] == "3 ms"
    assert rows["startup.time"]["ours"] == "not measured"
    assert rows["startup.time"]["reason"] == "this report has no such row"


@pytest.mark.parametrize(
    ("name", "value", "unit", "verdict", "times"),
    [
        ("signals.time", 3.0, "ms", "ahead", "4.00 x"),
        ("signals.time", 24.0, "ms", "behind", "0.50 x"),
        ("throughput.1", 12_500.0, "orders/s", "ahead", "10.0 x"),
        ("throughput.1", 625.0, "orders/s", "behind", "0.50 x"),
        ("production.errors", 0.0, "%", "ahead", ""),
        ("backtest.trades", 2.0, "trades", "equal", ""),
        ("techniques.zero_copy", 5.0, "x", "none", ""),
    ],
)
def test_a_value_is_held_against_its_claim(
    name: str, value: float, unit: str, verdict: str, times: str
) -> None:
    row = shown(make_report(make_row(name, value, unit)))[name]
    assert (row["verdict"], row["to_claim"]) == (verdict, times)


def test_what_is_behind_says_why() -> None:
    quiet = shown(make_report(make_row("signals.time", 24.0)))["signals.time"]
    assert quiet["notes"][-1] == "Behind the claim on this machine."
    busy = shown(make_report(make_row("signals.time", 24.0), load=4.0))["signals.time"]
    assert "a load of 4.0 on 2 cores" in busy["notes"][-1]


def test_workers_beyond_the_cores_are_flagged_and_not_held_to_an_efficiency() -> None:
    params = {"row": "scaling.4_efficiency", "work": "beyond the 2 cores of this machine"}
    row = Row(case="scaling", params=params, value=40.0, unit="%")
    found = shown(make_report(row))["scaling.4_efficiency"]
    assert (found["verdict"], found["flag"]) == ("none", "beyond the 2 cores of this machine")


def test_noise_is_that_of_the_rounds() -> None:
    samples = [3.0, 3.1, 2.9, 3.0, 3.05]
    row = shown(make_report(make_row("signals.time", 3.0, samples=samples)))["signals.time"]
    assert row["interval"] == "2.9 to 3.1 ms"
    assert row["noise"] == "3.3 %"
    alone = shown(make_report(make_row("signals.time", 3.0, samples=[3.0])))["signals.time"]
    assert (alone["interval"], alone["noise"]) == ("", "")


def test_a_busy_machine_and_few_rounds_are_warned_of() -> None:
    row = make_row("signals.time", 3.0)
    assert show_page(make_report(row))["warnings"] == []
    warnings = show_page(make_report(row, load=6.0, rounds=1))["warnings"]
    assert "busy" in warnings[0]
    assert warnings[1].startswith("1 round: too few")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5_100.0, "ms", "5.1 s"),
        (0.0035, "ms", "3.5 us"),
        (128.4, "ms", "128 ms"),
        (12_500.0, "orders/s", "12,500 orders/s"),
        (0.0273, "MB", "27.3 kB"),
        (1_100.0, "MB", "1.1 GB"),
        (0.0, "%", "0 %"),
        (99.98, "%", "99.98 %"),
        (0.002, "%", "0.002 %"),
        (45.0, "", "45"),
    ],
)
def test_amounts_are_short(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_ratios_are_short() -> None:
    assert [times_text(x) for x in (0.5, 12.34, 209_911.2, float("inf"))] == [
        "0.50 x",
        "12.3 x",
        "209,911 x",
        "",
    ]


def test_a_report_of_something_else_is_refused() -> None:
    row = Row(case="pairs_1y", params={"quantity": "time"}, value=1.0, unit="us")
    with pytest.raises(DataError, match="no row of the page"):
        show_page(make_report(row))


def test_a_file_is_read_or_refused(tmp_path: Path) -> None:
    report = make_report(make_row("signals.time", 3.0))
    file = tmp_path / "report.json"
    file.write_bytes(msgspec.json.encode(report))
    assert read_page(file) == report
    file.write_text('{"rows": 1}')
    with pytest.raises(DataError, match="no report of the bench"):
        read_page(file)
    with pytest.raises(DataError, match="cannot read"):
        read_page(tmp_path / "nothing.json")


def test_the_table_has_the_sections_that_are_there_and_no_other() -> None:
    from rich.console import Console

    for width in (80, 140):
        console = Console(width=width, record=True, file=io.StringIO())
        row = make_row("signals.time", 24.0, samples=[24.0, 24.5, 23.0], baseline=48.0, ratio=2.0)
        print_page(make_report(row), console)
        text = console.export_text()
        assert "Trading signals (signals)" in text
        assert "Start-up" not in text
        assert "0.50 x" in text
        assert "Behind the claim on this machine." in text
