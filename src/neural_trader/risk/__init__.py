"""Risk: warns of what positions can lose."""

from neural_trader.risk.book import Book, Options
from neural_trader.risk.config import METHODS, RiskConfig
from neural_trader.risk.coverage import (
    acerbi_szekely,
    christoffersen,
    conditional_coverage,
    kupiec,
    traffic_light,
)
from neural_trader.risk.measure import RiskResult, Situation, measure_risk, read_situation
from neural_trader.risk.model import Model
from neural_trader.risk.model_backtest import RiskBacktest, backtest_risk
from neural_trader.risk.portfolio_file import Portfolio, portfolio_schema, read_portfolio
from neural_trader.risk.scenario_file import read_scenarios
from neural_trader.risk.simulation import Plan, Simulation, simulate
from neural_trader.risk.stress_plan import StressPlan, StressResult, stress

__all__ = [
    "METHODS",
    "Book",
    "Model",
    "Options",
    "Plan",
    "Portfolio",
    "RiskBacktest",
    "RiskConfig",
    "RiskResult",
    "Simulation",
    "Situation",
    "StressPlan",
    "StressResult",
    "acerbi_szekely",
    "backtest_risk",
    "christoffersen",
    "conditional_coverage",
    "kupiec",
    "measure_risk",
    "portfolio_schema",
    "read_portfolio",
    "read_scenarios",
    "read_situation",
    "simulate",
    "stress",
    "traffic_light",
]
