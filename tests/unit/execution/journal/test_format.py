import zlib

import pytest

from neural_trader.execution.journal import format as layout
from neural_trader.execution.journal.format import RECORD, START, Mark


def record(mark: Mark, payload: bytes) -> tuple[bytes, Mark]:
    checked = layout.RECORD_REST.pack(mark.chain, mark.place, mark.seq) + payload
    crc = zlib.crc32(checked)
    return layout.RECORD_START.pack(len(payload), crc) + checked, Mark(
        mark.seq + 1, crc, mark.place + 1
    )


def chain(*payloads: bytes, mark: Mark = START, batch: int = 1) -> tuple[list[bytes], Mark]:
    records = []
    for number, payload in enumerate(payloads):
        one, mark = record(mark._replace(place=number % batch), payload)
        records.append(one)
    return records, mark


def test_a_record_is_laid_out_as_the_document_says() -> None:
    data, _ = record(Mark(0x0102, 0xAABBCCDD, 3), b"xyz")
    assert data[:4] == b"\x03\0\0\0"
    assert int.from_bytes(data[4:8], "little") == zlib.crc32(data[8:])
    assert data[8:12] == b"\xdd\xcc\xbb\xaa"
    assert data[12:16] == b"\x03\0\0\0"
    assert data[16:24] == b"\x02\x01\0\0\0\0\0\0"
    assert data[24:] == b"xyz"


def test_a_segment_header_is_laid_out_as_the_document_says() -> None:
    head = layout.segment_header(Mark(7, 0xAABBCCDD, 5))
    assert head[:8] == b"NTJRNL\x01\n"
    assert head[8:20] == b"\x07\0\0\0\0\0\0\0\xdd\xcc\xbb\xaa"
    assert int.from_bytes(head[20:], "little") == zlib.crc32(head[:20])
    assert layout.read_segment_header(head) == Mark(7, 0xAABBCCDD, 0)


@pytest.mark.parametrize("at", range(24))
def test_a_segment_header_with_a_flipped_bit_is_none(at: int) -> None:
    head = bytearray(layout.segment_header(START))
    head[at] ^= 0x10
    assert layout.read_segment_header(bytes(head)) is None
    assert layout.read_segment_header(bytes(head[:at])) is None


def test_scan_takes_good_records_and_stops_at_zeros() -> None:
    records, mark = chain(b"one", b"two", b"three", batch=2)
    found: list[tuple[int, bytes]] = []
    size, after = layout.scan(b"".join(records) + bytes(100), START, found)
    assert found == [(1, b"one"), (2, b"two"), (3, b"three")]
    assert (size, after) == (sum(map(len, records)), mark)


def test_scan_wants_the_chain_to_be_whole() -> None:
    records, _ = chain(b"one", b"two", b"three")
    others, _ = chain(b"ONE", b"two")
    assert layout.scan(records[0] + records[2], START)[0] == len(records[0])
    assert layout.scan(records[0] + others[1], START)[0] == len(records[0])


def test_scan_wants_places_without_gaps() -> None:
    first, mark = record(START, b"one")
    second, _ = record(mark._replace(place=2), b"two")
    assert layout.scan(first + second, START)[0] == len(first)


def test_a_length_that_lies_is_seen_even_where_the_bytes_end() -> None:
    (data,), _ = chain(b"payload")
    for bit in range(32):
        length = int.from_bytes(data[:4], "little") ^ 1 << bit
        assert layout.scan(length.to_bytes(4, "little") + data[4:], START)[0] == 0


@pytest.mark.parametrize("before", [0, 1, 7, 4096, 65_535, 65_536, 70_001])
def test_a_later_batch_is_found_at_any_byte(before: int) -> None:
    records, _ = chain(b"one", b"two", b"three")
    data = bytes(range(1, 256)) * (before // 255 + 1)
    assert layout.finds_batch_after(data[:before] + records[2], 2)
    assert layout.finds_batch_after(data[:before] + records[2] + b"tail", 1)
    assert not layout.finds_batch_after(data[:before] + records[2], 3)
    assert not layout.finds_batch_after(data[:before] + records[2][:-1], 2)
    assert not layout.finds_batch_after(data[:before], 0)


def test_records_of_the_batch_that_is_bad_itself_are_no_later_batch() -> None:
    records, _ = chain(b"one", b"two", b"three", batch=3)
    assert not layout.finds_batch_after(records[2], 1)
    assert layout.finds_batch_after(records[2], 0)


def test_a_record_says_how_long_it_is() -> None:
    (data,), _ = chain(b"payload")
    assert layout.record_bytes(data) == RECORD.size + 7
    assert layout.record_bytes(data[:23]) == 0
    assert layout.record_bytes(bytes(24)) == 0
    assert layout.record_bytes(b"\xff" * 24) == 0
    assert layout.peek(data) == START


@pytest.mark.parametrize("name", ["lock", "1.log", "000000000000000x.log", "²" * 16 + ".log"])
def test_other_names_are_no_segments(name: str) -> None:
    assert not layout.is_segment(name)
    assert layout.is_segment(layout.segment_name(1))
