"""Blocks are cut, symbols are found, and calendars brought together."""

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import Block, Split, unknown_symbol
from tests.made_bars import MONDAY, make_bars, make_block

CLOSES = {"A": [1.0, 2, 3, 4], "B": [5.0, 6, 7, 8], "C": [9.0, 10, 11, 12]}


def closes_of(block: Block) -> list[list[float]]:
    assert block.fields["close"].flags.c_contiguous
    rows: list[list[float]] = block.fields["close"].tolist()
    return rows


class TestCut:
    BLOCK = make_block(CLOSES, CLOSES)

    def test_a_whole_block_is_not_copied(self) -> None:
        assert self.BLOCK.cut([0, 1, 2], 0, 4) is self.BLOCK
        assert self.BLOCK.cut(iter((0, 1, 2)), 0, 4) is self.BLOCK

    def test_some_bars_of_all_rows(self) -> None:
        cut = self.BLOCK.cut([0, 1, 2], 1, 3)
        assert closes_of(cut) == [[2, 3], [6, 7], [10, 11]]
        assert cut.ts_close_ns.tolist() == self.BLOCK.ts_close_ns[1:3].tolist()
        assert cut.symbols == ("A", "B", "C")
        assert set(cut.fields) == {"open", "close"}

    def test_rows_in_the_order_asked_for(self) -> None:
        cut = self.BLOCK.cut([2, 0], 0, 4)
        assert cut.symbols == ("C", "A")
        assert cut.row_of == {"C": 0, "A": 1}
        assert closes_of(cut) == [[9, 10, 11, 12], [1, 2, 3, 4]]
        assert cut.fields["open"].tolist() == closes_of(cut)

    def test_all_rows_in_another_order_are_not_the_whole_block(self) -> None:
        assert closes_of(self.BLOCK.cut([1, 0, 2], 0, 4))[0] == [5, 6, 7, 8]

    def test_nothing(self) -> None:
        cut = self.BLOCK.cut([1], 2, 2)
        assert cut.fields["close"].shape == (1, 0)


class TestCommon:
    WEEK = make_block({"A": [1.0, 2, 3, 4], "B": [5.0, 6, 7, 8]}, {"A": [0.0] * 4, "B": [0.0] * 4})
    OTHER = make_block({"C": [10.0, 30, 40, 60]}, days=[0, 2, 3, 5])
    LATE = make_block({"D": [1.0, 2]}, days=[8, 9])
    BARS = nt.Bars((WEEK, OTHER, LATE), name="made")

    @pytest.mark.parametrize(
        ("symbols", "rows"), [(("A", "B"), (0, 1)), (("B", "A"), (1, 0)), (("B",), (1,))]
    )
    def test_symbols_of_one_block_are_not_copied(
        self, symbols: tuple[str, ...], rows: tuple[int, ...]
    ) -> None:
        assert self.BARS.common(symbols) == (self.WEEK, rows)

    def test_a_later_block_is_not_copied_either(self) -> None:
        assert self.BARS.common(("C",)) == (self.OTHER, (0,))

    def test_two_calendars_keep_their_common_bars_and_fields(self) -> None:
        for symbols in (("B", "C"), ("C", "B")):
            block, rows = self.BARS.common(symbols)
            legs = dict(zip(symbols, (closes_of(block)[row] for row in rows), strict=True))
            assert legs == {"B": [5, 7, 8], "C": [10, 30, 40]}
            assert block.symbols == symbols
            assert set(block.fields) == {"close"}
            assert block.ts_close_ns.tolist() == self.WEEK.ts_close_ns[[0, 2, 3]].tolist()

    def test_a_pair_trades_on_common_bars(self) -> None:
        strategy = nt.Pairs("A", "C", lookback=3)
        assert len(nt.backtest(strategy, self.BARS).equity) == 3

    def test_no_bar_in_common(self) -> None:
        with pytest.raises(nt.DataError, match="A, D have no bar in common in made"):
            self.BARS.common(("A", "D"))

    def test_a_symbol_that_is_not_there(self) -> None:
        for symbols in (("A", "E"), ("E",), ("C", "E")):
            with pytest.raises(nt.DataError, match=r"unknown symbol 'E' in made: .*A, B, C, D"):
                self.BARS.common(symbols)


class TestBars:
    BARS = make_bars(CLOSES)

    def test_symbols_are_looked_up(self) -> None:
        assert self.BARS["B"].close.tolist() == [5, 6, 7, 8]
        assert self.BARS["B"].open is None
        assert "B" in self.BARS
        assert "b" not in self.BARS
        assert 0 not in self.BARS

    @pytest.mark.parametrize("wrong", ["KO", 0, -1, None])
    def test_what_is_no_symbol_is_an_error_of_the_data(self, wrong: str) -> None:
        with pytest.raises(nt.DataError, match=f"unknown symbol {wrong!r} in made"):
            self.BARS[wrong]

    def test_bars_are_not_iterated_by_number(self) -> None:
        with pytest.raises(TypeError, match="not iterable"):
            list(self.BARS)  # type: ignore[call-overload]

    def test_the_length_counts_distinct_times(self) -> None:
        assert len(self.BARS) == 4
        assert len(TestCommon.BARS) == 7

    def test_equal_data_have_equal_hashes(self) -> None:
        assert make_bars(CLOSES).data_hash == self.BARS.data_hash
        changes = [
            {"A": [1.0, 2, 3, np.nextafter(4, 5)], "B": CLOSES["B"], "C": CLOSES["C"]},
            {"A": CLOSES["A"], "B": CLOSES["C"], "C": CLOSES["B"]},
            {"A": CLOSES["A"], "B": CLOSES["B"], "D": CLOSES["C"]},
            {"A": CLOSES["A"], "B": CLOSES["B"]},
        ]
        hashes = {make_bars(change).data_hash for change in changes}
        hashes |= {make_bars(CLOSES, CLOSES).data_hash, self.BARS.data_hash}
        later = nt.Bars((make_block(CLOSES, days=[1, 2, 3, 4]),), name="made")
        adjusted = nt.Bars(self.BARS.blocks, name="made", basis="total-return")
        hashes |= {later.data_hash, adjusted.data_hash}
        assert len(hashes) == 8

    def test_it_is_shown_on_one_line(self) -> None:
        shown = repr(self.BARS)
        assert shown == "Bars('made': A, B, C; 4 bars, 2024-01-01 to 2024-01-04, raw)"

    def test_long_frame(self) -> None:
        frame = TestCommon.BARS.to_polars()
        assert set(frame.columns) == {"symbol", "time", "open", "close"}
        assert frame.height == 14
        assert frame["open"].null_count() == 6
        assert frame.filter(symbol="C")["close"].to_list() == [10, 30, 40, 60]


def test_a_split_knows_its_date() -> None:
    assert Split("A", MONDAY, 2.0).date.isoformat() == "2024-01-01"


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [("PEO", "did you mean PEP?"), ("ko", "did you mean KO?"), ("pep ", "did you mean PEP?")],
)
def test_the_nearest_symbol_is_suggested(symbol: str, hint: str) -> None:
    message = unknown_symbol(symbol, ["PEP", "KO", "AAPL"], where="prices.csv")
    assert message == f"unknown symbol {symbol!r} in prices.csv: {hint} It has AAPL, KO, PEP"


def test_nothing_near_and_many_symbols() -> None:
    message = unknown_symbol("ZZZ", [f"A{number:03}" for number in range(50)], where="x")
    assert "did you mean" not in message
    assert message.endswith("A039 and 10 more")
