"""A journal of the first version of the format is read for ever, to the byte."""

import json
import shutil
from pathlib import Path
from typing import get_args

import pytest

from neural_trader.execution import Gateway
from neural_trader.execution.journal import FileJournal, describe, verify, walk
from neural_trader.execution.journal.records import decode
from neural_trader.execution.messages import Record
from tests.golden.write_journal_v1 import SEGMENT_BYTES, trade, write

HERE = Path(__file__).parent
FROZEN = HERE / "journal-v1"
TEXT = (HERE / "journal-v1.jsonl").read_text()
LINES = [json.loads(line) for line in TEXT.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy that may be written to."""
    return Path(shutil.copytree(FROZEN, tmp_path / "journal"))


def open_copy(folder: Path) -> FileJournal:
    return FileJournal.open(folder, durability="process-safe", segment_bytes=SEGMENT_BYTES)


def test_every_kind_of_record_is_there_and_reads_as_it_did() -> None:
    rows = (describe(seq, payload) for seq, payload in walk(FROZEN))
    assert [json.dumps(row, separators=(",", ":")) for row in rows] == TEXT.splitlines()
    assert len({line["type"] for line in LINES}) == 19


def test_the_day_that_it_holds_can_be_traded_again() -> None:
    # Not to the byte: a later gateway may record it in other words.
    kinds = {type(decode(seq, payload)) for seq, payload in enumerate(trade(), 1)}
    assert kinds == set(get_args(Record)), "a new kind of record: let it happen in that day too"


def test_every_byte_is_checked() -> None:
    summary = verify(FROZEN)
    assert (summary.records, summary.segments, summary.torn_bytes) == (len(LINES), 2, 0)


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "again", [payload for _, payload in walk(FROZEN)])
    for path in FROZEN.glob("*.log"):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_it_leads_where_it_led(folder: Path) -> None:
    with open_copy(folder) as journal:
        core = Gateway(journal).core
    main, other = core.accounts[1], core.accounts[2]
    told = [
        line["account_seq"] for line in LINES if line.get("account") == 1 and "account_seq" in line
    ]
    assert told == list(range(1, main.seq))
    assert (main.name, main.book.cash, main.last_no) == ("main", 9_969_540, 35)
    assert {symbol: one.qty for symbol, one in main.book.holdings.items()} == {
        "KO": 100,
        "PEP": -30,
    }
    assert (other.name, other.book.cash) == ("other", 5_000_000)
    assert (core.epoch, core.orphans, core.last_fill_id, main.open) == (2, 1, 9, {})


def test_it_can_be_gone_on_with(folder: Path) -> None:
    with open_copy(folder) as journal:
        assert journal.next_seq == len(LINES) + 1
        journal.append(b"\x94\x35\x00\x03\x01")
        journal.commit()
    assert verify(folder).records == len(LINES) + 1
