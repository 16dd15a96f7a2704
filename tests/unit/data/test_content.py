"""Tables become blocks by calendar; faulty series stay out of them."""

import polars as pl

from neural_trader.data.content import read_content
from neural_trader.data.tables import Table


def table(text: str) -> Table:
    return Table("the frame", pl.read_csv(text.encode(), infer_schema=False))


def test_series_of_one_calendar_share_a_block() -> None:
    content = read_content("x", [table("date,A,B,C\n2021-01-04,1,2,3\n2021-01-05,4,5,6\n")])
    [block] = content.blocks
    assert block.symbols == content.symbols == ("A", "B", "C")
    assert block.fields["close"].tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert block.fields["close"].flags.c_contiguous
    assert not block.fields["close"].flags.writeable


def test_faulty_series_are_kept_as_messages() -> None:
    content = read_content("x", [table("date,A,B,C\n2021-01-04,1,0,3\n2021-01-05,4,5,x\n")])
    assert [block.symbols for block in content.blocks] == [("A",)]
    assert content.symbols == ("A", "B", "C")
    assert sorted(content.faults) == ["B", "C"]
    assert content.faults["C"].startswith("row 2 of the frame: C is 'x'; expected a number")
