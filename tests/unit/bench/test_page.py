"""The page as data: every claim that describes the system has a row, and a row has a source."""

import pytest

from neural_trader.bench.page import PAGE, SECTIONS, Source, slope_of
from neural_trader.bench.page_jobs import JOBS
from neural_trader.bench.page_orders import LOADS
from neural_trader.bench.portfolio_suite import PORTFOLIO_NAMES
from neural_trader.bench.risk_suite import RISK_NAMES

# (Rust, Python) as the page has them, each in the unit of its row.
CLAIMS = {
    "backtest.time": (5_100, 45_200),
    "backtest.memory": (118, 234),
    "backtest.trades": (127, 127),
    "latency.mean": (0.8, 12.3),
    "latency.p50": (0.7, 12.1),
    "latency.p90": (1.2, 18.5),
    "latency.p95": (1.8, 24.3),
    "latency.p99": (3.2, 45.8),
    "latency.p99.9": (8.5, 125),
    "throughput.1": (1_250, 82),
    "throughput.4": (4_800, 280),
    "throughput.8": (9_100, 420),
    "load.100_p50": (0.7, None),
    "load.100_p99": (1.8, None),
    "load.500_p50": (0.9, None),
    "load.500_p99": (2.4, None),
    "load.1000_p50": (1.2, None),
    "load.1000_p99": (3.8, None),
    "load.5000_p50": (2.8, None),
    "load.5000_p99": (12.5, None),
    "risk.time": (85, 850),
    "risk.memory": (8, 80),
    "portfolio.time": (8, 120),
    "portfolio.allocations": (45, 1_250),
    "signals.time": (12, 85),
    "data.time": (180, 1_250),
    "data.process": (180, 1_250),
    "data.memory": (12, 45),
    "neural.time": (18, 120),
    "neural.memory": (85, 450),
    "startup.time": (300, 2_400),
    "memory.market_data": (12, 45),
    "memory.strategy": (4, 28),
    "memory.portfolio": (8, 35),
    "memory.model": (85, 450),
    "memory.10": (14, 52),
    "memory.50": (118, 234),
    "memory.100": (235, 450),
    "memory.500": (1_100, 2_100),
    "scaling.1": (5_100, 45_200),
    "scaling.2": (2_600, 24_800),
    "scaling.4": (1_300, 13_500),
    "scaling.8": (700, 7_800),
    "scaling.16": (400, 5_200),
    "techniques.concurrent_fetch": (10, None),
    "techniques.cache": (10, None),
    "techniques.pooling": (95, None),
    "production.orders": (12_500, None),
    "production.mean": (1.2, None),
    "production.p99": (3.8, None),
    "production.cpu": (25, None),
    "production.memory": (142, None),
    "production.uptime": (99.98, None),
    "production.errors": (0.002, None),
    "cost.instance": (62, 500),
}


def test_every_claim_of_the_page_has_a_row() -> None:
    rows = {row.id: (row.rust, row.python) for row in PAGE}
    assert {name: rows.get(name) for name in CLAIMS} == CLAIMS


def test_techniques_that_it_names_without_a_figure_have_a_row_too() -> None:
    ids = {row.id for row in PAGE}
    assert {"techniques.zero_copy", "techniques.simd", "memory.slope"} <= ids


def test_rows_have_names_of_their_own_and_stand_in_their_section() -> None:
    assert len({row.id for row in PAGE}) == len(PAGE)
    order = [section.name for section in SECTIONS]
    places = [order.index(row.section) for row in PAGE]
    assert set(places) == set(range(len(order)))


def test_every_source_is_a_case_that_there_is() -> None:
    loads = {load.name for load in LOADS} | {"all"}
    known = {
        "orders": loads,
        "risk": set(RISK_NAMES),
        "portfolio": set(PORTFOLIO_NAMES),
        "held": {*PORTFOLIO_NAMES, "slope"},
    }
    for row in PAGE:
        if isinstance(row.source, Source):
            assert row.source.job in JOBS
            assert row.source.case in known.get(row.source.job, {row.source.case})
        else:
            assert len(row.source) > 20


def test_a_slope_is_that_of_least_squares() -> None:
    assert slope_of([1.0, 2.0, 4.0], [5.0, 7.0, 11.0]) == pytest.approx(2.0)
    assert slope_of([10, 50, 100, 500], [14, 118, 235, 1_100]) == pytest.approx(2.196, abs=1e-3)
