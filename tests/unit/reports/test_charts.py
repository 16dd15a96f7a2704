import json
from typing import Any

import numpy as np
import pytest

from neural_trader.core.sessions import DAY_NS
from neural_trader.portfolio import compute_drawdown
from neural_trader.reports.charts import TRIPS_MAX, compute_charts
from neural_trader.reports.thinning import POINTS_MAX
from tests.reported import CASES, run_case
from tests.unit.reports.pages import decode, values

EVERY = pytest.mark.parametrize("name", CASES)


def charts_of(name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    page = compute_charts(run_case(name))
    return page, {chart["title"]: chart for chart in page["charts"]}


@EVERY
def test_charts_are_plain_data_of_one_length(name: str) -> None:
    page, charts = charts_of(name)
    json.dumps(page, allow_nan=False)
    times = decode(page["times"])
    assert (np.diff(times) > 0).all()
    for chart in charts.values():
        for series in chart["series"]:
            assert len(values(series)) == len(times)


def test_a_pair_has_its_charts_and_an_average_cross_its_own() -> None:
    _, pairs = charts_of("pairs")
    assert list(pairs) == [
        "Prices and fills",
        "z-score of the spread",
        "Equity",
        "Drawdown",
        "Profit and loss of each round trip",
    ]
    assert [s["label"] for s in pairs["Prices and fills"]["series"]] == ["KO", "PEP"]
    assert [s["scale"] for s in pairs["Prices and fills"]["series"]] == ["y", "y2"]
    _, cross = charts_of("sma-cross, open at the end")
    assert "z-score of the spread" not in cross
    labels = [s["label"] for s in cross["Prices and fills"]["series"]]
    assert labels == ["KO", "average of 20", "average of 50"]
    _, none = charts_of("no trade")
    assert "Profit and loss of each round trip" not in none


def test_a_session_stands_at_its_date() -> None:
    page, _ = charts_of("pairs of one year")
    assert page["daily"] is True
    days = run_case("pairs of one year").ts_close_ns // DAY_NS
    np.testing.assert_array_equal(decode(page["times"]), days * 86_400.0)


def test_a_minute_stands_at_its_close() -> None:
    page, _ = charts_of("awkward names")
    assert page["daily"] is False
    seconds = run_case("awkward names").ts_close_ns // 1_000_000_000
    np.testing.assert_array_equal(decode(page["times"]), seconds)


@EVERY
def test_what_is_drawn_is_what_happened(name: str) -> None:
    result = run_case(name)
    page, charts = charts_of(name)
    unit = DAY_NS if page["daily"] else 1_000_000_000
    stamps = (result.ts_close_ns // unit) * (unit / 1e9)
    bars = np.searchsorted(stamps, decode(page["times"]))
    equity, held = (values(series) for series in charts["Equity"]["series"])
    np.testing.assert_allclose(equity, result.equity[bars], atol=0.005)
    growth = held[-1] / result.config.capital - 1.0
    assert growth == pytest.approx(result.metrics["buy_and_hold_return"], abs=1e-6)
    (drawdown,) = (values(series) for series in charts["Drawdown"]["series"])
    expected = compute_drawdown(result.equity, result.config.capital)
    np.testing.assert_allclose(drawdown, -100.0 * expected[bars], atol=0.005)
    for leg, row in enumerate(result.window.rows):
        closes = result.window.close[row, result.window.first :][bars]
        series = charts["Prices and fills"]["series"][leg]
        tolerance = 0.5 * 10.0 ** -series["digits"]
        np.testing.assert_allclose(values(series), closes, atol=tolerance)


@pytest.mark.parametrize("name", ["pairs", "sma-cross, open at the end", "at opens"])
def test_every_fill_has_a_marker_at_its_price(name: str) -> None:
    result = run_case(name)
    _, charts = charts_of(name)
    groups = charts["Prices and fills"]["markers"]
    assert sum(len(decode(group["x"])) for group in groups) == result.fill_count
    columns = result.columns("fills")
    entries = {result.window.ts_close_ns[trip.entry_bar] for trip in result.trips}
    is_entry = np.array([stamp in entries for stamp in columns["time"].astype(np.int64)])
    for group in groups:
        leg = int(group["color"].removeprefix("leg"))
        side = "buy" if group["shape"] == "up" else "sell"
        mine = (columns["symbol"] == result.symbols[leg]) & (columns["side"] == side)
        mine &= is_entry == group["filled"]
        days = columns["time"][mine].astype(np.int64) // DAY_NS
        np.testing.assert_array_equal(decode(group["x"]), days * 86_400.0)
        prices = columns["reference_price"][mine].astype(float)
        np.testing.assert_allclose(decode(group["y"], "<f4"), prices, rtol=1e-6)


def test_decisions_stand_beyond_the_thresholds() -> None:
    _, charts = charts_of("pairs")
    chart = charts["z-score of the spread"]
    assert [line["value"] for line in chart["lines"]] == [2.0, -2.0, 0.5, -0.5]
    at = {group["shape"]: decode(group["y"], "<f4") for group in chart["markers"]}
    assert (at["up"] <= -2.0).all()
    assert (at["down"] >= 2.0).all()
    assert len(at["up"]) + len(at["down"]) == 105
    assert len(at["dot"]) == 105


def test_equal_thresholds_are_both_drawn() -> None:
    _, charts = charts_of("ruined")
    lines = charts["z-score of the spread"]["lines"]
    assert [line["value"] for line in lines] == [1.0, -1.0, -1.0, 1.0]
    assert lines[0]["dash"] != lines[3]["dash"]


def test_profits_are_those_of_the_round_trips() -> None:
    result = run_case("pairs")
    _, charts = charts_of("pairs")
    bars = charts["Profit and loss of each round trip"]["bars"]
    assert decode(bars["y"]).tolist() == [trip.pnl for trip in result.trips]
    assert decode(bars["number"], "<f4").tolist() == list(range(1, 106))


def test_a_long_run_keeps_its_extremes() -> None:
    result = run_case("long")
    page, charts = charts_of("long")
    assert page["bars_shown"] == [len(decode(page["times"])), 500_000]
    assert page["bars_shown"][0] <= POINTS_MAX
    z, drawn = result.signals["z_score"], values(charts["z-score of the spread"]["series"][0])
    assert np.nanmax(drawn) == np.float32(np.nanmax(z))
    assert np.nanmin(drawn) == np.float32(np.nanmin(z))
    equity = values(charts["Equity"]["series"][0])
    assert (equity.min(), equity.max()) == (result.equity.min(), result.equity.max())
    drawdown = values(charts["Drawdown"]["series"][0])
    assert -drawdown.min() == pytest.approx(result.metrics["max_drawdown"] * 100.0, rel=1e-6)
    for leg, row in enumerate(result.window.rows):
        closes = values(charts["Prices and fills"]["series"][leg])
        assert closes.max() == np.float32(result.window.close[row].max())
        assert closes.min() == np.float32(result.window.close[row].min())


def test_many_round_trips_keep_the_best_and_the_worst() -> None:
    result = run_case("long")
    page, charts = charts_of("long")
    bars = charts["Profit and loss of each round trip"]["bars"]
    shown, numbers = decode(bars["y"]), decode(bars["number"], "<f4").astype(int)
    assert page["trips_shown"] == [len(shown), result.trades]
    assert len(shown) <= TRIPS_MAX
    assert shown.tolist() == [result.trips[number - 1].pnl for number in numbers]
    assert shown.max() == max(trip.pnl for trip in result.trips)
    assert shown.min() == min(trip.pnl for trip in result.trips)
    markers = charts["Prices and fills"]["markers"]
    entered = sum(len(decode(group["x"])) for group in markers if group["filled"])
    assert entered == 2 * len(shown)


def test_buy_and_hold_starts_hidden_only_where_it_would_dwarf_equity() -> None:
    hidden = {name: charts_of(name)[1]["Equity"]["series"][1]["hidden"] for name in CASES}
    assert hidden["pairs"]
    assert not hidden["at opens"]
    assert not hidden["one bar"]


def test_prices_are_logarithmic_where_they_moved_far() -> None:
    assert charts_of("pairs")[1]["Prices and fills"]["log"]
    assert "logarithmic scale" in charts_of("pairs")[1]["Prices and fills"]["note"]
    assert not charts_of("pairs of one year")[1]["Prices and fills"]["log"]
