"""Reports: show a result, in the terminal and as one HTML file."""

from neural_trader.reports.card_text import print_card
from neural_trader.reports.page import report
from neural_trader.reports.performance_page import write_performance
from neural_trader.reports.quality_page import quality_report
from neural_trader.reports.quality_terminal import print_quality
from neural_trader.reports.risk_page import risk_report
from neural_trader.reports.risk_terminal import print_risk, print_risk_backtest, print_stress
from neural_trader.reports.sheet import TearSheet, Terms, tear_sheet
from neural_trader.reports.terminal import print_metrics, print_result, print_sweep

__all__ = [
    "TearSheet",
    "Terms",
    "print_card",
    "print_metrics",
    "print_quality",
    "print_result",
    "print_risk",
    "print_risk_backtest",
    "print_stress",
    "print_sweep",
    "quality_report",
    "report",
    "risk_report",
    "tear_sheet",
    "write_performance",
]
