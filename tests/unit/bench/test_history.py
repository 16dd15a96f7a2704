import json
from pathlib import Path

import pytest

from neural_trader.bench.history import add_entry, make_entry, read_history
from neural_trader.bench.rows import Report
from neural_trader.bench.trend_page import render_trend
from neural_trader.core import DataError
from tests.unit.bench.test_compare import MACHINE, around, make_report, make_row


def entry_of(k: int, rows: int = 1, machine: str = "P") -> Report:
    made = [make_row(around(100.0 + k), engine=f"e{row}") for row in range(rows)]
    return make_report(
        *made,
        machine=MACHINE | {"processor": machine},
        commit=f"{k:012x}",
        measured_at=f"2026-01-{k % 28 + 1:02}T00:00:00+00:00",
    )


def page_data(page: str) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        page.partition('id="data">')[2].partition("</script>")[0]
    )
    return found


def test_entries_come_back_in_the_order_of_their_adding(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    for k in range(3):
        add_entry(file, make_entry(entry_of(k)))
    entries, notes = read_history(file)
    assert [one.commit for one in entries] == [f"{k:012x}" for k in range(3)]
    assert entries[1].rows[0].samples == around(101.0)
    assert notes == []


def test_a_line_that_was_cut_off_is_left_out_and_stays_alone(tmp_path: Path) -> None:
    file = tmp_path / "h.jsonl"
    add_entry(file, make_entry(entry_of(0)))
    whole = file.read_bytes()
    for length in range(1, len(whole) - 1, 37):
        file.write_bytes(whole + whole[:length])
        entries, notes = read_history(file)
        assert len(entries) == 1
        assert len(notes) == 1
    add_entry(file, make_entry(entry_of(1)))
    entries, notes = read_history(file)
    assert [one.commit for one in entries] == [f"{k:012x}" for k in range(2)]
    assert "line 2 was cut off" in notes[0]


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b'{"format": 1}\n'])
def test_a_whole_line_that_is_no_entry_is_refused(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "h.jsonl"
    file.write_bytes(line)
    with pytest.raises(DataError, match="line 1"):
        read_history(file)


def test_a_history_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_history(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="cannot write"):
        add_entry(tmp_path / "none" / "h.jsonl", make_entry(entry_of(0)))


def test_a_page_of_200_commits_and_100_rows_is_small_and_complete() -> None:
    entries = [make_entry(entry_of(k, rows=100)) for k in range(200)]
    page = render_trend(entries)
    assert len(page.encode()) < 1_000_000
    data = page_data(page)
    assert len(data["rows"]) == 100
    assert len(data["entries"]) == 200
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_more_than_a_page_holds_shows_the_latest_and_says_so() -> None:
    entries = [make_entry(entry_of(k, rows=100)) for k in range(300)]
    page = render_trend(entries)
    assert "latest 250 of 300" in page
    assert page_data(page)["entries"][-1]["commit"] == f"{299:012x}"


def test_machines_are_numbered_and_a_name_cannot_end_the_script() -> None:
    entries = [make_entry(entry_of(k, machine=name)) for k, name in enumerate(("P", "<b>", "P"))]
    data = page_data(page := render_trend(entries))
    assert [one["machine"] for one in data["entries"]] == [0, 1, 0]
    assert "<b>" not in page


def test_a_row_that_is_missing_between_is_a_gap() -> None:
    entries = [make_entry(entry_of(k, rows=2 if k != 1 else 1)) for k in range(3)]
    rows = page_data(render_trend(entries))["rows"]
    assert rows[0]["v"] == [100, 101, 102]
    assert rows[1]["v"] == [100, None, 102]


def test_an_empty_history_has_a_page() -> None:
    assert "The history is empty" in render_trend([])
