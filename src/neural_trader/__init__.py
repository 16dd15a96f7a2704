"""neural-trader: from research to live trading, in Python, at native speed.

::

    import neural_trader as nt

    bars = nt.load("sp500-closes", symbols=["KO", "PEP"])
    result = nt.backtest(nt.Pairs("KO", "PEP"), bars, costs=nt.Costs(fee_bps=5, slippage_bps=5))
    nt.report(result, "pairs.html")

Names are imported from their rooms when they are first used, so that ``import neural_trader`` costs
next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_trader import forecast
    from neural_trader.backtesting import (
        Intents,
        Result,
        TargetWeights,
        backtest,
        load_result,
        sweep,
    )
    from neural_trader.core import (
        Bars,
        ConfigError,
        Costs,
        DataError,
        Fill,
        GatewayError,
        Instrument,
        Matching,
        NeuralTraderError,
        OrderOutcomeUnknown,
        RunRefused,
    )
    from neural_trader.data import load, samples, scan
    from neural_trader.data.aggregation import bars_from_trades, resample
    from neural_trader.execution import BlockingClient, Client
    from neural_trader.reports import report
    from neural_trader.strategies import (
        Context,
        ForecastStrategy,
        Pairs,
        SmaCross,
        Strategy,
        indicators,
        library,
    )

__all__ = [
    "Bars",
    "BlockingClient",
    "Client",
    "ConfigError",
    "Context",
    "Costs",
    "DataError",
    "Fill",
    "ForecastStrategy",
    "GatewayError",
    "Instrument",
    "Intents",
    "Matching",
    "NeuralTraderError",
    "OrderOutcomeUnknown",
    "Pairs",
    "Result",
    "RunRefused",
    "SmaCross",
    "Strategy",
    "TargetWeights",
    "backtest",
    "bars_from_trades",
    "forecast",
    "indicators",
    "library",
    "load",
    "load_result",
    "report",
    "resample",
    "samples",
    "scan",
    "sweep",
]

_ROOMS = {
    "sweep": "backtesting",
    "Fill": "core",
    "Context": "strategies",
    "ForecastStrategy": "strategies",
    "TargetWeights": "backtesting",
    "Intents": "backtesting",
    "Strategy": "strategies",
    "Matching": "core",
    "Instrument": "core",
    "Bars": "core",
    "BlockingClient": "execution",
    "Client": "execution",
    "GatewayError": "core",
    "OrderOutcomeUnknown": "core",
    "ConfigError": "core",
    "Costs": "core",
    "DataError": "core",
    "NeuralTraderError": "core",
    "Pairs": "strategies",
    "Result": "backtesting",
    "RunRefused": "core",
    "SmaCross": "strategies",
    "backtest": "backtesting",
    "bars_from_trades": "data.aggregation",
    "load": "data",
    "load_result": "backtesting",
    "report": "reports",
    "resample": "data.aggregation",
    "samples": "data",
    "scan": "data",
}


def __getattr__(name: str) -> object:
    """Import a public name from its room when it is first used."""
    if name in ("indicators", "library"):
        # Modules of many names, which are read with them: nt.indicators.SMA.
        return import_module(f"neural_trader.strategies.{name}")
    if name == "forecast":
        # A room that is used as a whole: nt.forecast.train.
        return import_module("neural_trader.forecast")
    if name not in _ROOMS:
        message = f"module 'neural_trader' has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"neural_trader.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
