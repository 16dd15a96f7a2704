"""The paper venue: fills without money, by the rules of the backtests."""

from neural_trader.execution.venues.paper.bars import BarMarket, PaperBar, read_bars
from neural_trader.execution.venues.paper.config import PaperConfig, ServerConfig, SyntheticShape
from neural_trader.execution.venues.paper.market import Market, make_listings
from neural_trader.execution.venues.paper.server import PaperServer, serve
from neural_trader.execution.venues.paper.synthetic import SyntheticMarket
from neural_trader.execution.venues.paper.ticks import Tick, TickMarket, read_ticks
from neural_trader.execution.venues.paper.venue import PaperVenue

__all__ = [
    "BarMarket",
    "Market",
    "PaperBar",
    "PaperConfig",
    "PaperServer",
    "PaperVenue",
    "ServerConfig",
    "SyntheticMarket",
    "SyntheticShape",
    "Tick",
    "TickMarket",
    "make_listings",
    "read_bars",
    "read_ticks",
    "serve",
]
