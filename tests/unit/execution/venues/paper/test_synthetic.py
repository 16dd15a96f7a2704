import pytest

import neural_trader as nt
from neural_trader.core import ConfigError
from neural_trader.execution import messages as m
from neural_trader.execution.venues.paper import SyntheticMarket, SyntheticShape
from neural_trader.execution.venues.paper.draws import Draws
from tests.paper_desk import Paper, brief, listings, only

SHAPE = SyntheticShape(start=1_000, spread=2, levels=3, level_lots=10)


def paper(**more: object) -> Paper:
    market = SyntheticMarket(listings("A"), shape=SHAPE, **more)  # type: ignore[arg-type]
    return Paper(market)


def test_a_marketable_order_fills_at_once_and_the_depth_comes_back() -> None:
    desk = paper()
    for _ in range(3):
        accepted, fill = desk.order(10)
        assert isinstance(accepted, m.OrderAccepted)
        assert brief([fill]) == [(10, 1002)]
    assert brief(desk.order(-10)) == [(-10, 1000)]
    assert [fill.fill_id for fill in desk.fills()] == [1, 2, 3, 4]


def test_a_larger_order_walks_the_levels() -> None:
    desk = paper()
    assert brief(desk.order(25)) == [(10, 1002), (10, 1003), (5, 1004)]
    assert brief(desk.order(-21)) == [(-10, 1000), (-10, 999), (-1, 998)]
    assert desk.status(1).status == "filled"


def test_what_the_levels_do_not_give_waits_for_the_next_step() -> None:
    desk = paper()
    assert sum(qty for qty, _ in brief(desk.order(45))) == 30
    assert sum(qty for qty, _ in brief(desk.step())) == 15
    assert desk.status(1).status == "filled"


def test_a_limit_takes_the_levels_within_it_and_the_rest_rests() -> None:
    desk = paper()
    assert brief(desk.order(25, "limit", limit=1003)) == [(10, 1002), (10, 1003)]
    while not (fills := brief(desk.step())):
        assert desk.status(1).status == "partially_filled"
    assert sum(qty for qty, _ in fills) == 5


def test_fok_and_ioc() -> None:
    desk = paper()
    assert brief(desk.order(21, "limit", "FOK", limit=1003)) == []
    assert brief(desk.order(20, "limit", "FOK", limit=1003)) == [(10, 1002), (10, 1003)]
    assert brief(desk.order(21, "limit", "IOC", limit=1003)) == [(10, 1002), (10, 1003)]
    assert brief(desk.order(5, "limit", "IOC", limit=1001)) == []
    reasons = [one.reason for one in only(desk.told, m.OrderCanceled)]
    assert reasons == ["fill_or_kill", "immediate_or_cancel", "immediate_or_cancel"]


def test_a_resting_limit_fills_when_the_market_moves_through_it() -> None:
    desk = paper(seed=3)
    desk.order(50, "limit", limit=997)
    market = desk.venue.market
    for _ in range(10_000):
        fills = brief(desk.step())
        (quote,) = market.quotes()
        assert bool(fills) == (quote.ask < 997)
        if fills:
            break
    assert brief(desk.fills()) == [(50, 997)]


def test_a_stop_wakes_when_the_market_comes_to_it() -> None:
    desk = paper(seed=3)
    desk.order(-10, "stop", trigger=995)
    for _ in range(10_000):
        if fills := brief(desk.step()):
            break
    (quote,) = desk.venue.market.quotes()
    assert fills == [(-10, quote.bid)]
    assert quote.bid == 995


def test_the_walk_is_the_seed_s_and_stays_above_its_levels() -> None:
    low = SyntheticShape(start=4, levels=3)

    def walk(seed: int) -> list[int]:
        desk = Paper(SyntheticMarket(listings("A", "B"), seed=seed, shape=low))
        found = []
        for _ in range(300):
            desk.step()
            found += [quote.bid for quote in desk.venue.market.quotes()]
        return found

    first = walk(1)
    assert first == walk(1)
    assert first != walk(2)
    assert first[::2] != first[1::2]
    assert min(first) == 4
    assert max(first) > 8


def test_a_day_order_ends_with_its_day() -> None:
    desk = paper()
    desk.step()
    desk.order(5, "limit", "DAY", limit=10)
    assert desk.step() == []
    (expired,) = desk.step(86_400_000_000_000)
    assert isinstance(expired, m.OrderExpired)


def test_fees_are_by_value() -> None:
    desk = paper(costs=nt.Costs(fee_bps=5))
    desk.order(10)
    assert [fill.fee for fill in desk.fills()] == [5]  # 0.0005 x 10,020


@pytest.mark.parametrize(
    "shape",
    [{"spread": 0}, {"levels": 0}, {"level_lots": 0}, {"start": 5, "levels": 5}],
)
def test_a_shape_that_makes_no_market_is_refused(shape: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        SyntheticShape(**shape)


def test_the_draws_are_those_of_splitmix64() -> None:
    # The first numbers of seed 1234567, as its authors' program prints them.
    draws = Draws(1_234_567)
    assert [draws.next() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
