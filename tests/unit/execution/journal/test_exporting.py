"""An export holds every record, or there is no file."""

import json
from pathlib import Path

import msgspec
import polars as pl
import pytest

from neural_trader.core.errors import ConfigError, DataError, JournalError
from neural_trader.execution.journal import describe, exporting, walk
from neural_trader.execution.journal.exporting import Format, export
from tests.unit.execution.journal.kept import open_small, segments_of

# Every kind of record stands in it.
FROZEN = Path(__file__).parents[3] / "golden" / "journal-v1"
ROWS = [describe(seq, payload) for seq, payload in walk(FROZEN)]
LAYOUTS: tuple[Format, ...] = ("jsonl", "parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a journal of the same records that may be spoilt."""
    folder = tmp_path / "journal"
    with open_small(folder) as journal:
        for _, payload in walk(FROZEN):
            journal.append(payload)
            journal.commit()
    return folder


def column_value(value: object) -> object:
    """Return a value as a table holds it: what is neither number nor text is JSON."""
    return value if isinstance(value, int | str) else json.dumps(value, separators=(",", ":"))


def test_json_lines_are_what_describe_says(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    assert export(FROZEN, path, "jsonl") == len(ROWS)
    assert [json.loads(line) for line in path.read_text().splitlines()] == ROWS


def test_a_table_has_a_row_a_record_and_nothing_where_it_has_no_such_field(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    assert export(FROZEN, path, "parquet") == len(ROWS)
    found = pl.read_parquet(path).to_dicts()
    assert len(found) == len(ROWS)
    for row, wanted in zip(found, ROWS, strict=True):
        there = {name: value for name, value in row.items() if value is not None}
        assert there == {name: column_value(value) for name, value in wanted.items()}


def test_the_columns_of_a_table_have_types_whatever_stands_in_it(tmp_path: Path) -> None:
    empty, whole = tmp_path / "empty.parquet", tmp_path / "whole.parquet"
    open_small(tmp_path / "journal").close()
    assert export(tmp_path / "journal", empty, "parquet") == 0
    export(FROZEN, whole, "parquet")
    schema = pl.read_parquet_schema(empty)
    assert schema == pl.read_parquet_schema(whole)
    kinds = {"seq": pl.Int64, "symbol": pl.String, "on": pl.Boolean, "limits": pl.String}
    assert {name: schema[name] for name in kinds} == kinds


def test_an_empty_journal_gives_no_lines(tmp_path: Path) -> None:
    open_small(tmp_path / "journal").close()
    assert export(tmp_path / "journal", tmp_path / "out", "jsonl") == 0
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("rows", [1, 7, len(ROWS) - 1, len(ROWS), len(ROWS) + 1])
def test_a_table_that_is_made_in_pieces_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    export(FROZEN, tmp_path / "whole", "parquet")
    monkeypatch.setattr(exporting, "_ROWS", rows)
    assert export(FROZEN, tmp_path / "pieces", "parquet") == len(ROWS)
    assert pl.read_parquet(tmp_path / "pieces").equals(pl.read_parquet(tmp_path / "whole"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_that_is_there_is_replaced_only_if_that_is_wanted(
    tmp_path: Path, layout: Format
) -> None:
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(ConfigError, match="is there already; give --force"):
        export(FROZEN, path, layout)
    assert path.read_text() == "mine"
    export(FROZEN, path, layout, is_replaced=True)
    assert path.stat().st_size > 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_journal_gives_no_file_and_spoils_none(
    tmp_path: Path, folder: Path, layout: Format
) -> None:
    path = segments_of(folder)[0]
    bad = bytearray(path.read_bytes())
    bad[len(bad) // 2] ^= 1
    path.write_bytes(bytes(bad))
    places = [tmp_path / "out", tmp_path / "kept"]
    places[1].write_text("mine")
    for place in places:
        with pytest.raises(JournalError, match=r"is damaged at byte \d+"):
            export(folder, place, layout, is_replaced=True)
    assert {one.name for one in tmp_path.iterdir()} == {"journal", "kept"}
    assert places[1].read_text() == "mine"


def test_a_record_that_no_version_wrote_is_named(tmp_path: Path) -> None:
    with open_small(tmp_path / "journal") as journal:
        journal.append(next(walk(FROZEN))[1])
        journal.append(msgspec.msgpack.encode([99, 1]))
        journal.commit()
    with pytest.raises(JournalError, match="record 2 is whole, but cannot be understood"):
        export(tmp_path / "journal", tmp_path / "out", "jsonl")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write"):
        export(FROZEN, tmp_path / "none" / "out", "jsonl")
    with pytest.raises(JournalError, match="there is no journal in"):
        export(tmp_path / "none", tmp_path / "out", "jsonl")
    assert not list(tmp_path.iterdir())


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    with open_small(tmp_path / "journal") as journal:
        payload = next(walk(FROZEN))[1]
        for _ in range(2 * 4096 + 1):
            journal.append(payload)
        journal.commit()
    told: list[int] = []
    export(tmp_path / "journal", tmp_path / "out", "jsonl", progress=told.append)
    assert told == [4096, 8192]
