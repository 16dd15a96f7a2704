"""The table shows what was measured, and says in words what was not."""

import io
from typing import Any

import pytest
from rich.console import Console

from neural_trader.bench import Report, Row, print_report
from neural_trader.bench.runner import OURS
from neural_trader.bench.table import amount


def row(**changes: Any) -> Row:
    params = {"quantity": "time", "engine": OURS}
    fields: dict[str, Any] = {"case": "pairs_1y", "params": params, "value": 25.0, "unit": "us"}
    fields |= {"low": 24.0, "high": 29.0, "baseline": 500.0, "ratio": 20.0, "limit": 1.5}
    return Row(**(fields | changes))


def shown(*rows: Row, width: int = 80) -> str:
    report = Report(
        machine={
            "processor": "P", "cores": 2, "system": "S", "python": "CPython", "load_1min": 0.1,
        },
        provenance={"version": "0.1", "config": {"rounds": 3}},
        rows=list(rows),
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def peers(value: float | None, reason: str | None = None, **more: str) -> list[Row]:
    """Return the two rows of another engine."""
    ratio = None if value is None else 500.0 / value
    fields = {"value": value, "ratio": ratio, "reason": reason, "limit": None}
    params = {"engine": "rival"} | more
    return [
        row(**fields, params=params | {"quantity": "time"}),
        row(**fields, params=params | {"quantity": "peak_rss"}, unit="MB"),
    ]


def test_a_line_has_the_figure_its_spread_the_baseline_the_ratio_and_the_limit() -> None:
    line = next(line for line in shown(row(claim=5.1e6)).splitlines() if "pairs_1y" in line)
    assert line.split("  ")[-1].strip() == "5.1 s"
    for cell in ("25 us", "20%", "500 us", "20 x", "1.5 us"):
        assert cell in line


def test_a_wide_terminal_shows_both_ends_of_the_spread() -> None:
    assert "24 us - 29 us" in shown(row(), width=120)


def test_nothing_is_cut_off_in_a_narrow_terminal() -> None:
    ours = row(value=888.8, baseline=888_888.0, ratio=88_888.0, limit=88.8, claim=8.88e6)
    longest = peers(888_888.0, engine="raptorbt Strategy", version="1.9.78.123")
    text = shown(ours, *longest)
    assert "…" not in text
    assert "1.9.78.123" in text


def test_another_engine_stands_beside_ours() -> None:
    text = shown(row(), *peers(2_500.0))
    line = next(line for line in text.splitlines() if "rival" in line)
    assert "2.5 ms" in line
    assert "100 x" in line


def test_other_engines_stand_by_case_and_then_by_speed() -> None:
    slow, fast = peers(9_000.0, engine="slow"), peers(100.0, engine="fast")
    lines = [line.split() for line in shown(row(), *slow, *fast).splitlines()]
    engines = [line[1] for line in lines if line[:1] == ["pairs_1y"]]
    assert engines == ["time", "fast", "slow"]


def test_what_was_not_measured_has_a_reason_and_no_figure() -> None:
    text = shown(row(), *peers(None, "not installed: make peers"))
    assert "- rival (pairs_1y): not measured: not installed: make peers" in text
    assert "x ours" not in text.split("- rival")[0]


def test_a_missing_limit_is_not_passed_over() -> None:
    text = shown(row(limit=None, reason="no C compiler (cc, gcc or $CC)"))
    assert "- straight C (pairs_1y): not measured: no C compiler" in text
    assert "25 us" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (28.74, "us", "28.7 us"),
        (1340.0, "us", "1.34 ms"),
        (5.1e6, "us", "5.1 s"),
        (37.0, "MB", "37 MB"),
    ],
)
def test_an_amount_has_three_digits_and_a_fitting_unit(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text
