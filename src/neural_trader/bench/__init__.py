"""Bench: times what the system does, on its user's machine, with the answers checked first."""

from neural_trader.bench.data_suite import choose_data_cases, print_data_report, run_data_suite
from neural_trader.bench.engine_suite import (
    ENGINE_NAMES,
    choose_engine_cases,
    print_engine_report,
    run_engine_suite,
)
from neural_trader.bench.neural_suite import choose_neural_cases, run_neural_suite
from neural_trader.bench.neural_table import print_neural_report
from neural_trader.bench.orders_suite import (
    DURABILITIES,
    choose_orders_cases,
    print_orders_report,
    run_orders_suite,
)
from neural_trader.bench.peers import find_peers
from neural_trader.bench.portfolio_peers import find_portfolio_peers
from neural_trader.bench.portfolio_suite import (
    PORTFOLIO_NAMES,
    choose_portfolio_cases,
    portfolio_steps_of,
    run_portfolio_suite,
)
from neural_trader.bench.portfolio_table import print_portfolio_report
from neural_trader.bench.risk_suite import choose_risk_cases, print_risk_report, run_risk_suite
from neural_trader.bench.rows import Report, Row
from neural_trader.bench.suite import choose_cases, run_suite, steps_of
from neural_trader.bench.table import print_report
from neural_trader.bench.takeover_suite import print_takeover_report, run_takeover_suite

__all__ = [
    "DURABILITIES",
    "ENGINE_NAMES",
    "PORTFOLIO_NAMES",
    "Report",
    "Row",
    "choose_cases",
    "choose_data_cases",
    "choose_engine_cases",
    "choose_neural_cases",
    "choose_orders_cases",
    "choose_portfolio_cases",
    "choose_risk_cases",
    "find_peers",
    "find_portfolio_peers",
    "portfolio_steps_of",
    "print_data_report",
    "print_engine_report",
    "print_neural_report",
    "print_orders_report",
    "print_portfolio_report",
    "print_report",
    "print_risk_report",
    "print_takeover_report",
    "run_data_suite",
    "run_engine_suite",
    "run_neural_suite",
    "run_orders_suite",
    "run_portfolio_suite",
    "run_risk_suite",
    "run_suite",
    "run_takeover_suite",
    "steps_of",
]
