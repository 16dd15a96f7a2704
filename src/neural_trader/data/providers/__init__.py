"""Where bars come from: Alpaca, Yahoo, files behind HTTP or at hand, and the bundled samples."""

from neural_trader.data.providers.alpaca import Alpaca, Keys
from neural_trader.data.providers.fetching import Outcome, Plan, fetch, plan
from neural_trader.data.providers.files import Files, HttpFiles
from neural_trader.data.providers.protocol import Ask, Provider
from neural_trader.data.providers.transport import Patience
from neural_trader.data.providers.yahoo import Yahoo

__all__ = [
    "Alpaca",
    "Ask",
    "Files",
    "HttpFiles",
    "Keys",
    "Outcome",
    "Patience",
    "Plan",
    "Provider",
    "Yahoo",
    "fetch",
    "plan",
]
