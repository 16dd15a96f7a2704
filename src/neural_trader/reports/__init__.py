"""Reports: show a result, in the terminal and as one HTML file."""

from neural_trader.reports.card_text import print_card
from neural_trader.reports.page import report
from neural_trader.reports.terminal import print_result, print_sweep

__all__ = ["print_card", "print_result", "print_sweep", "report"]
