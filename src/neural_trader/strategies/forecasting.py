"""A strategy that follows forecasts: those of a trained model, or of one that it trains itself."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from neural_trader.core import ConfigError, DataError
from neural_trader.core.sessions import session_date
from neural_trader.forecast import (
    Artefact,
    Forecaster,
    Panel,
    first_unseen_ns,
    load,
    panel_from,
)
from neural_trader.strategies.context import Context
from neural_trader.strategies.library.rule import Rule, read_flag
from neural_trader.strategies.library.size import Size
from neural_trader.strategies.parameters import read_finite

_ROUNDING: Final = 1e-12

Refit = Literal["month", "quarter", "year"]
Train = Callable[[Panel], Artefact]


class ForecastStrategy(Rule):
    """Hold what is forecast to rise; be short of what is forecast to fall, if wanted.

    Parameters
    ----------
    model : str, Path, Artefact, Forecaster or callable
        A trained model: its folder, itself, or ready to forecast (then with options of your own).
        Or what trains one: called with a ``Panel`` of all bars up to now, it returns an
        ``Artefact``, as ``functools.partial(nt.forecast.train, config=...)`` does.
    refit : {"month", "quarter", "year"}, optional
        Beside a callable: train anew at the first bar of each. It trains once by default.
    enter : float
        The return over the horizon, as a fraction, that is worth a position: 0.01 is 1 %. It is
        left when the forecast no longer points its way.
    short : bool
        Sell short what is forecast to fall by as much.
    size : float, str or Size
        Of each position; see ``read_size``. 10% of equity by default.
    symbols : sequence of str, or text with commas
        All symbols of the bars by default.
    trained_until : str, optional
        The last session that an imported network was trained on, which it does not know itself.

    Attributes
    ----------
    notes : tuple of str
        Who forecasts, and what the model is worth: it stands in every result.

    Raises
    ------
    ConfigError
        A parameter is outside its range; or, at the first bar of a run, the model has seen that
        bar or later ones.
    DataError
        The folder holds no model, or the model does not know a symbol.

    Notes
    -----
    Timing: a decision at the close of bar t reads closes up to bar t, fills at bar t + 1, and looks
    at the last step of the horizon. A trained model must have been made with bars before the first
    decision; one that is trained on the way sees bars up to the one at which it is trained.
    A forecast of the last value, as the naive baseline makes it, is a return of exactly zero.
    Missing: fewer bars than a window, or a window that does not move, is no forecast: the position
    stays as it is.
    A series for which the model did not pass its evaluation is forecast by its baseline.
    """

    def __init__(
        self,
        model: str | Path | Artefact | Forecaster | Train,
        refit: Refit | None = None,
        enter: float = 0.0,
        *,
        short: bool = False,
        size: float | str | Size = "10%",
        symbols: Sequence[str] | str = (),
        trained_until: str | None = None,
    ) -> None:
        super().__init__(size, symbols)
        self.enter = read_finite("enter", enter)
        self.short = read_flag("short", short)
        self.refit = refit
        self.trained_until = trained_until
        if self.enter < 0.0:
            message = f"enter is {enter!r}; expected a return of at least 0, such as 0.01"
            raise ConfigError(message)
        if refit not in (None, "month", "quarter", "year"):
            message = f"refit is {refit!r}; expected month, quarter or year"
            raise ConfigError(message)
        self._train: Train | None = None
        self._trained: Forecaster | None = None
        if isinstance(model, (str, Path)):
            self.model = str(model)
            self._trained = load(model)
        elif isinstance(model, (Artefact, Forecaster)):
            self._trained = model if isinstance(model, Forecaster) else Forecaster(model)
            self.model = f"made with {self._trained.provenance['data_sha256']}"
        elif callable(model):
            self._train = model
            self.model = f"trained in the run by {_name(model)}"
        else:
            message = (
                f"model is {model!r}; expected the folder of a trained model, an Artefact, a "
                "Forecaster, or a callable that trains one"
            )
            raise ConfigError(message)
        self._check_refit()
        self.notes = self._notes()

    def begin(self, ctx: Context, symbols: tuple[str, ...]) -> None:
        """Be flat; have the model know every symbol."""
        del ctx
        self._sides = dict.fromkeys(symbols, 0.0)
        self._forecaster = self._trained
        self._has_begun = False
        self._period: object = None
        if self._forecaster is not None:
            for symbol in symbols:
                self._forecaster.source(symbol)

    def decide(self, ctx: Context) -> dict[str, float]:
        """Return the sides that change with the forecasts of this bar."""
        if not self._has_begun:
            self._check_unseen(ctx)
            self._has_begun = True
        if self._train is not None:
            self._refit(ctx, self._train)
        changes = {}
        for symbol, held in self._sides.items():
            if ctx.has_bar(symbol):
                side = self._side(self.expected_return(ctx, symbol), held)
                if side != held:
                    self._sides[symbol] = changes[symbol] = side
        return changes

    def expected_return(self, ctx: Context, symbol: str) -> float:
        """Return what is forecast over the horizon, as a fraction; NaN where nothing is.

        Parameters
        ----------
        ctx : Context
        symbol : str
        """
        if self._forecaster is None:
            return math.nan
        closes = ctx.bars(symbol).close
        if len(closes) < self._forecaster.lookback:
            return math.nan
        try:
            made = self._forecaster.forecast(closes, symbol=symbol)
        except DataError:
            # The symbol is known since the run began: it is the window that has no forecast.
            return math.nan
        expected = float(made.forecast[-1] / closes[-1]) - 1.0
        # The last value, by way of its logarithm, is no return: not even a very small one.
        return expected if abs(expected) > _ROUNDING else 0.0

    def _side(self, expected: float, held: float) -> float:
        if expected > self.enter:
            return 1.0
        if self.short and expected < -self.enter:
            return -1.0
        # Between the two, and without a forecast, it stays while the forecast is not against it.
        return 0.0 if held * expected <= 0.0 else held

    def _notes(self) -> tuple[str, ...]:
        """Say who forecasts, and what the evaluation came to."""
        if self._trained is None:
            how = f"every {self.refit}" if self.refit else "once"
            return (
                f"forecasts: by networks trained in the run, {how}; where one did not pass its "
                "evaluation, by its baseline",
            )
        by_source: dict[str, list[str]] = {}
        for symbol in self.symbols or self._trained.artefact.series:
            by_source.setdefault(self._trained.source(symbol), []).append(symbol)
        told = "; ".join(f"{', '.join(names)} by {name}" for name, names in by_source.items())
        return (f"forecasts: {told or self._trained.source()}", self._trained.verdict)

    def _check_refit(self) -> None:
        if self._train is None and self.refit is not None:
            message = (
                f"refit is {self.refit!r}, but the model is trained already; give a callable that "
                "trains one, or leave refit out"
            )
            raise ConfigError(message)
        if self._train is not None and self.trained_until is not None:
            message = "trained_until is for an imported network; this one is trained in the run"
            raise ConfigError(message)

    def _check_unseen(self, ctx: Context) -> None:
        """Refuse a model that has seen this bar: its decisions would be made with the future."""
        if self._trained is None:
            return
        first = first_unseen_ns(self._trained.artefact, self.trained_until)
        if ctx.ts_close_ns < first:
            message = (
                f"the model was made with bars up to {session_date(first - 1)}, and the run "
                f"decides from {ctx.date} on: start it later, or train with an earlier --end"
            )
            raise ConfigError(message)

    def _refit(self, ctx: Context, train: Train) -> None:
        """Train where a period begins, with bars up to now."""
        date = ctx.date
        period = {
            "month": (date.year, date.month),
            "quarter": (date.year, (date.month - 1) // 3),
            "year": date.year,
            None: 0,
        }[self.refit]
        if period == self._period:
            return
        self._period = period
        # Look-ahead: the context holds no bar after this one.
        self._forecaster = Forecaster(train(_panel(ctx, tuple(self._sides))))
        for symbol in self._sides:
            self._forecaster.source(symbol)


def _panel(ctx: Context, symbols: tuple[str, ...]) -> Panel:
    """Return the closes of all symbols up to now, on the bars that all of them have."""
    bars = [ctx.bars(symbol) for symbol in symbols]
    stamps = bars[0].ts_close_ns
    for one in bars[1:]:
        stamps = np.intersect1d(stamps, one.ts_close_ns, assume_unique=True)
    closes = [one.close[np.searchsorted(one.ts_close_ns, stamps)] for one in bars]
    # Copies: the run goes on in the arrays behind these views.
    return panel_from(symbols, stamps.copy(), np.stack(closes, axis=1), name="bars of the run")


def _name(train: Train) -> str:
    """Return the name of what trains, with the arguments that a partial holds for it."""
    inner = getattr(train, "func", train)
    name = str(getattr(inner, "__qualname__", type(inner).__name__))
    held = getattr(train, "keywords", {})
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in held.items())})"
