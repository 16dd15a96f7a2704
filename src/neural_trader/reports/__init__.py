"""Reports: show a result, in the terminal and as one HTML file."""

from neural_trader.reports.page import report
from neural_trader.reports.terminal import print_result

__all__ = ["print_result", "report"]
