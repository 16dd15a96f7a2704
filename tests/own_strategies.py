"""Strategies of tests that other processes must find by name."""

import os
from typing import Any

import neural_trader as nt


class Trend(nt.Strategy):
    """Long above a moving average."""

    symbols = ("KO",)

    def __init__(self, window: int = 50, weight: float = 0.5) -> None:
        if window < 2:
            message = f"window is {window}; expected 2 or more"
            raise nt.ConfigError(message)
        self.window, self.weight = window, weight

    def on_start(self, ctx: Any) -> None:
        self.average = nt.indicators.SMA(self.window)
        ctx.track(self.average, "KO")

    def on_bar(self, ctx: Any) -> None:
        above = ctx.close("KO") > self.average.value
        ctx.target_weight("KO", self.weight if above else 0.0)


class Breaks(Trend):
    """Fails at one of its trials."""

    def on_bar(self, ctx: Any) -> None:
        if self.window == 30:
            message = "something of its own"
            raise RuntimeError(message)


class Dies(Trend):
    """Ends its process at one of its trials."""

    def on_bar(self, ctx: Any) -> None:
        if self.window == 30:
            os._exit(9)


class Hidden(Trend):
    """Keeps a parameter to itself."""

    def __init__(self, weight: float, window: int = 50) -> None:
        super().__init__(window)
        self._hidden = weight
        del self.weight

    def on_bar(self, ctx: Any) -> None:
        above = ctx.close("KO") > self.average.value
        ctx.target_weight("KO", self._hidden if above else 0.0)


class Misses(Trend):
    """Looks for a file that is not there."""

    def on_bar(self, ctx: Any) -> None:
        raise FileNotFoundError(2, "none of mine")
