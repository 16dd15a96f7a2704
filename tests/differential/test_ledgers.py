"""Three ledgers, one definition: gateway, exact money and backtest agree after every fill."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neural_trader as nt
from neural_trader.backtesting.positions import book_fills
from neural_trader.core import Block
from neural_trader.core.position import book_fill, share_really
from neural_trader.core.sessions import last_ns, session_day
from neural_trader.execution.ledger import Book, Holding
from neural_trader.execution.listing import Listing
from neural_trader.portfolio import Ledger

UNIT = "0.00000001"
TICK = "0.000000000000001"
MONEY = float(UNIT)
# With fractions for money too, it is exact whatever is divided.
BOOK: Any = book_fill


def exactly(amount: Fraction, part: Fraction, whole: Fraction) -> Fraction:
    return amount * part / whole


class Desk:
    """The gateway's ledger and the exact one, fed with the same fills of a backtest."""

    def __init__(self, result: nt.Result, lot: str) -> None:
        self.result = result
        self.listings = [Listing(symbol, TICK, lot, UNIT) for symbol in result.symbols]
        scale = self.listings[0].denominator
        opening = self.listings[0].nearest_minor(result.config.capital)
        self.book = Book(opening, scale)
        self.holdings = [self.book.holding(listing, 0) for listing in self.listings]
        self.ledger = Ledger(self.listings[0].money(opening), unit=UNIT)

    def fill(self, leg: int, qty: float, price: float, fee: float) -> Holding:
        """Book a fill in both, and hold them to each other, to the unit."""
        listing, holding = self.listings[leg], self.holdings[leg]
        lots = int(Decimal(repr(qty)) / listing.lot_size)
        ticks = listing.nearest_ticks(price)
        paid = listing.nearest_minor(fee)
        self.book.open(holding, lots)
        self.book.fill(holding, lots, listing.value(ticks, abs(lots)), paid)
        self.ledger.fill(
            listing.symbol, listing.qty(lots), listing.price(ticks), listing.money(paid)
        )
        line = self.ledger.position(listing.symbol)
        assert line.qty == listing.qty(holding.qty)
        assert line.cost == listing.money(holding.cost)
        assert line.realized_pnl == listing.money(holding.realized)
        assert line.fees == listing.money(holding.fees)
        assert self.ledger.totals.cash == listing.money(self.book.cash)
        return holding

    def mark(self, leg: int, close: float) -> None:
        """Mark a symbol in both."""
        holding, listing = self.holdings[leg], self.listings[leg]
        holding.mark = listing.nearest_ticks(close)
        self.book.revalue(holding)
        self.ledger.mark(listing.symbol, listing.price(holding.mark))

    def exposures(self) -> tuple[Fraction, Fraction, Fraction]:
        """Return equity, gross and net exposure as the gateway has them, exactly, in money."""
        unit, scale = Fraction(UNIT), self.book.scale
        net = Fraction(self.book.held, scale) * unit
        return self.book.cash * unit + net, Fraction(self.book.gross, scale) * unit, net


def hold_to_each_other(result: nt.Result, lot: str = "1") -> None:
    """Play the fills of a run into all ledgers; compare after every fill and at every close."""
    desk, columns = Desk(result, lot), result.columns("ledger")
    where, fills = result.outcome.where, result.outcome.fills
    booked, closes = book_fills(where, fills), result.window.close
    # Each fill may be rounded by half a unit in value, in its fee and in two shares of a cost.
    slack = 2.0 * MONEY * (1 + where.shape[1])
    place = 0
    for row, bar in enumerate(range(result.window.first, result.window.first + len(result.equity))):
        while place < where.shape[1] and where[0, place] == bar:
            leg = int(where[1, place])
            qty, _, price, fee, cash = (float(value) for value in fills[:, place])
            holding = desk.fill(leg, qty, price, fee)
            money = desk.listings[leg].money
            wanted = (
                float(desk.listings[leg].qty(holding.qty)),
                *(float(money(n)) for n in (holding.cost, holding.realized, holding.fees)),
            )
            got = tuple(float(column[place]) for column in booked)
            assert got == pytest.approx(wanted, rel=1e-11, abs=slack)
            assert cash == pytest.approx(float(money(desk.book.cash)), rel=1e-11, abs=slack)
            place += 1
        for leg, series in enumerate(result.window.rows):
            desk.mark(leg, float(closes[series, bar]))
        equity, gross, net = (float(value) for value in desk.exposures())
        assert columns["gross_exposure"][row] == pytest.approx(gross, rel=1e-11, abs=slack)
        assert columns["net_exposure"][row] == pytest.approx(net, rel=1e-11, abs=slack)
        assert result.equity[row] == pytest.approx(equity, rel=1e-11, abs=slack)
    assert place == where.shape[1]
    totals = desk.ledger.totals
    found = (totals.equity, totals.gross_exposure, totals.net_exposure)
    assert tuple(map(Fraction, found)) == desk.exposures()
    for name in ("realized_pnl", "unrealized_pnl", "fees", "cash"):
        total = float(getattr(totals, name))
        assert columns[name][-1] == pytest.approx(total, rel=1e-10, abs=slack), name
    assert float(totals.realized_pnl + totals.unrealized_pnl - totals.fees) == pytest.approx(
        result.final_equity - result.config.capital, rel=1e-9, abs=slack
    )


@pytest.mark.parametrize("start", ["1990-01-02", "2008-01-02"])
def test_a_pair_on_real_prices(start: str) -> None:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    costs = nt.Costs(fee_bps=5, slippage_bps=5)
    result = nt.backtest(nt.Pairs("KO", "PEP"), bars, costs=costs, start=start)
    assert result.fill_count > 100
    hold_to_each_other(result)
    leverage = result.ledger["gross_exposure"].to_numpy() / result.equity
    assert leverage.max() == pytest.approx(result.metrics["peak_leverage"], rel=1e-12)


def made_bars(closes: Any) -> nt.Bars:
    """Return bars of symbols A, B, ... with these closes, shape (S, T)."""
    day = session_day("2020-01-01", option="start")
    stamps = np.array([last_ns(day + k) for k in range(closes.shape[1])], dtype=np.int64)
    symbols = tuple("ABCDEFGH"[: len(closes)])
    return nt.Bars((Block(symbols, stamps, {"close": closes}),), name="made")


ORDERS = st.lists(
    st.tuples(st.integers(0, 28), st.integers(0, 2), st.integers(-9, 9).filter(bool)),
    min_size=1,
    max_size=40,
)


@given(
    ORDERS,
    st.integers(0, 1_000),
    st.sampled_from(["1", "0.001"]),
    st.sampled_from([nt.Costs(), nt.Costs(fee_bps=7, slippage_bps=3), nt.Costs(fee_minimum=1)]),
)
@settings(deadline=None, max_examples=60)
def test_whatever_is_traded(
    orders: list[tuple[int, int, int]], seed: int, lot: str, costs: nt.Costs
) -> None:
    """Adding, partial closes, flips and shorts, whole and fractional, with and without fees."""
    draw = np.random.default_rng(seed)
    closes = np.round(50.0 * np.exp(draw.normal(0.0, 0.05, (3, 30)).cumsum(axis=1)), 2)
    bars = made_bars(closes)
    rows = sorted(orders)
    size = 10.0 if lot == "1" else 0.037
    frame = {
        "time": bars.blocks[0].ts_close_ns[[bar for bar, _, _ in rows]].astype("datetime64[ns]"),
        "symbol": np.array(["ABC"[leg] for _, leg, _ in rows]),
        "qty": np.array([round(size * qty, 3) for _, _, qty in rows]),
    }
    result = nt.backtest(
        nt.Intents(frame),
        bars,
        capital=1e5,
        costs=costs,
        instruments=nt.Instrument(lot_size=float(lot)),
        max_leverage=10.0,
    )
    hold_to_each_other(result, lot)


@given(ORDERS, st.integers(0, 1_000))
@settings(deadline=None, max_examples=200)
def test_the_definition_is_average_cost_as_textbooks_have_it(
    orders: list[tuple[int, int, int]], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    held, average, profit = Fraction(0), Fraction(0), Fraction(0)
    units, cost, booked = Fraction(0), Fraction(0), Fraction(0)
    real_units, real_cost, realized = 0.0, 0.0, 0.0
    for _, _, qty in orders:
        price = Fraction(int(draw.integers(1, 10_000)), 100)
        # By hand: close first, at the average; then open, and average anew.
        closing = -max(min(Fraction(qty), -held), Fraction(0)) if held < 0 else None
        if held > 0:
            closing = max(min(Fraction(-qty), held), Fraction(0))
        closing = closing or Fraction(0)
        profit += closing * (price - average)
        held -= closing
        opening = qty + closing
        if opening:
            average = (held * average + opening * price) / (held + opening)
            held += opening
        units, cost, won = BOOK(units, cost, Fraction(qty), abs(qty) * price, exactly)
        booked += won
        assert (units, cost, booked) == (held, held * average, profit)
        value = abs(qty) * float(price)
        real_units, real_cost, won = BOOK(real_units, real_cost, float(qty), value, share_really)
        realized += won
        assert real_units == float(held)
        assert real_cost == pytest.approx(float(held * average), rel=1e-9, abs=1e-7)
        assert realized == pytest.approx(float(profit), rel=1e-9, abs=1e-7)


def test_dust_of_fractional_lots_is_flat() -> None:
    where = np.array([[1, 2, 3], [0, 0, 0]])
    fills = np.array([[0.1, 0.2, -0.3], [1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [0.0] * 3, [0.0] * 3])
    booked = book_fills(where, fills)
    assert (booked.qty[-1], booked.cost[-1]) == (0.0, 0.0)
    assert booked.realized[-1] == pytest.approx(0.3, rel=1e-12)


def test_a_run_without_fills_has_empty_positions_and_its_capital() -> None:
    bars = made_bars(np.full((1, 30), 10.0))
    result = nt.backtest(nt.SmaCross("A", fast=2, slow=3), bars, capital=500.0)
    assert len(result.positions) == 0
    assert result.ledger["cash"].to_list() == [500.0] * len(result.equity)
    assert result.to_ledger().totals.equity == 500


def test_the_tables_hold_what_is_held() -> None:
    closes = np.array([[10.0, 11.0, 12.0, 13.0, 14.0]])
    bars = made_bars(closes)
    frame = {
        "time": bars.blocks[0].ts_close_ns[[0, 1]].astype("datetime64[ns]"),
        "symbol": np.array(["A", "A"]),
        "qty": np.array([10.0, -10.0]),
    }
    result = nt.backtest(nt.Intents(frame), bars, capital=1_000.0)
    table = result.positions
    assert table["qty"].to_list() == [10.0, 0.0]
    assert table["average_price"].to_list()[0] == 11.0
    assert np.isnan(table["average_price"].to_list()[1])
    assert table["realized_pnl"].to_list() == [0.0, 10.0]
    assert result.ledger["realized_pnl"].to_list() == [0.0, 0.0, 10.0, 10.0, 10.0]
    assert str(result.to_ledger("0.01").totals.equity) == "1010.00"
