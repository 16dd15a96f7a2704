"""Money is conserved, and average cost is what the textbooks say."""

from hypothesis import given
from hypothesis import strategies as st

from neural_trader.execution.ledger import Book, Holding
from neural_trader.execution.listing import Listing

FILLS = st.lists(
    st.tuples(st.integers(-500, 500).filter(bool), st.integers(1, 10_000), st.integers(0, 50)),
    max_size=40,
)


def holding() -> Holding:
    return Holding(Listing("KO"), 1)


def test_buying_more_averages_the_cost() -> None:
    held = holding()
    held.book(100, 1_000, 1)
    held.book(100, 3_000, 1)
    assert (held.qty, held.cost, held.realized, held.fees) == (200, 4_000, 0, 2)


def test_selling_realizes_against_the_average() -> None:
    held = holding()
    held.book(200, 4_000, 0)
    held.book(-50, 1_500, 0)
    assert (held.qty, held.cost, held.realized) == (150, 3_000, 500)


def test_a_short_that_is_bought_back_lower_gains() -> None:
    held = holding()
    held.book(-100, 2_000, 0)
    held.book(100, 1_500, 0)
    assert (held.qty, held.cost, held.realized) == (0, 0, 500)


def test_a_fill_through_zero_is_a_close_and_an_open() -> None:
    held = holding()
    held.book(100, 1_000, 0)
    held.book(-150, 1_800, 0)
    assert (held.qty, held.cost, held.realized) == (-50, -600, 200)


def test_a_cost_that_does_not_divide_leaves_no_remainder_behind() -> None:
    held = holding()
    held.book(3, 100, 0)
    for _ in range(3):
        held.book(-1, 40, 0)
    assert (held.qty, held.cost, held.realized) == (0, 0, 20)


@given(FILLS)
def test_cash_is_opening_and_realized_less_fees_and_cost(fills: list[tuple[int, int, int]]) -> None:
    book = Book(1_000_000, 1)
    held = book.holding(Listing("KO"), 7)
    for qty, price, fee in fills:
        book.open(held, qty)
        book.fill(held, qty, abs(qty) * price, fee)
    assert book.cash == 1_000_000 + held.realized - held.fees - held.cost
    assert held.qty == sum(qty for qty, _, _ in fills)
    assert held.qty or held.cost == 0
    assert (held.buys, held.sells) == (0, 0)


@given(FILLS, st.integers(1, 1_000), st.integers(1, 1_000))
def test_the_sums_are_what_adding_up_anew_gives(
    fills: list[tuple[int, int, int]], one: int, other: int
) -> None:
    book = Book(0, 10)
    ko, pep = Listing("KO"), Listing("PEP", "0.001")
    holdings = [book.holding(ko, one), book.holding(pep, other)]
    for at, (qty, price, fee) in enumerate(fills):
        held = holdings[at % 2]
        book.open(held, qty)
        if at % 3:
            book.fill(held, qty, abs(qty) * price, fee)
        else:
            held.mark = price
            book.revalue(held)
    worth = [(h, h.mark * h.weight) for h in holdings]
    assert book.held == sum(h.qty * w for h, w in worth)
    assert book.long == sum((h.qty + h.buys) * w for h, w in worth)
    assert book.short == sum((h.qty - h.sells) * w for h, w in worth)
    assert book.gross == sum(max(h.qty + h.buys, h.sells - h.qty) * w for h, w in worth)
