"""Strategies to use, to combine, and to read: each of any number of symbols, bar by bar.

They are strategies like a user's own, so the same object runs on history, on paper and live. All of
them say at a bar's close which exposure they want; a size makes a quantity of it, and orders fill
at the next bar. docs/library.md has an example of each.
"""

from neural_trader.strategies.library.averages import EmaCross, SmaCross
from neural_trader.strategies.library.breakout import DonchianBreakout
from neural_trader.strategies.library.ensemble import Ensemble
from neural_trader.strategies.library.momentum import CrossSectionalMomentum, TimeSeriesMomentum
from neural_trader.strategies.library.pairs_book import PairsBook
from neural_trader.strategies.library.rebalance import Rebalance
from neural_trader.strategies.library.reversion import BollingerReversion, RsiReversion
from neural_trader.strategies.library.rule import Rule
from neural_trader.strategies.library.screening import Candidate, screen_pairs
from neural_trader.strategies.library.size import Size, read_size

__all__ = [
    "BollingerReversion",
    "Candidate",
    "CrossSectionalMomentum",
    "DonchianBreakout",
    "EmaCross",
    "Ensemble",
    "PairsBook",
    "Rebalance",
    "RsiReversion",
    "Rule",
    "Size",
    "SmaCross",
    "TimeSeriesMomentum",
    "read_size",
    "screen_pairs",
]
