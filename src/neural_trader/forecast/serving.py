"""Serves forecasts from an artefact: no torch, and nothing is answered that was not checked."""

import datetime as dt
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from neural_trader._kernels import nhits as kernel
from neural_trader.core import Bars, ConfigError, DataError, unknown_symbol
from neural_trader.core.sessions import session_date
from neural_trader.core.version import VERSION
from neural_trader.forecast.artefact import MODEL, Artefact
from neural_trader.forecast.artefact import load as load_artefact
from neural_trader.forecast.engines import Served, check_window, make_engine
from neural_trader.forecast.forward import Forward, quantiles_of
from neural_trader.forecast.normalization import (
    Floats,
    trailing_volatility,
    transform,
    untransform,
)
from neural_trader.forecast.scaling import scaling_terms
from neural_trader.forecast.standing import standing_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PROBLEMS: Final = {
    kernel.NOT_FINITE: "holds a value that is not finite; leave gaps out, or fill them first",
    kernel.CONSTANT: "does not move: there is nothing to forecast from",
    kernel.NOT_POSITIVE: "holds a value that is not above 0; this model takes prices",
}


class Forecast(NamedTuple):
    """A forecast, and what it is worth.

    Attributes
    ----------
    symbol : str or None
        None where values came without a name.
    as_of : str or None
        The session of the last value read; None where values came without times.
    horizon : int
        H, in bars.
    forecast, lower, upper : float64, shape (H,)
        In the unit of the values; the ends are None where the model has no calibration, and
        infinite where it was too short.
    level : float or None
        The share of outcomes that an interval is to hold.
    source : str
        What made it: ``nhits``, or the name of the baseline that stands in for it.
    verdict : str
        What the evaluation of the model came to.
    provenance : dict
        Data, hash and range of the training, and versions; shared by all of a forecaster.
    """

    symbol: str | None
    as_of: str | None
    horizon: int
    forecast: Floats
    lower: Floats | None
    upper: Floats | None
    level: float | None
    source: str
    verdict: str
    provenance: dict[str, Any]


class Batch(NamedTuple):
    """Forecasts of many windows.

    Attributes
    ----------
    forecast, lower, upper : float64, shape (B, H)
        As in ``Forecast``.
    sources : array of str, shape (B,)
    """

    forecast: Floats
    lower: Floats | None
    upper: Floats | None
    sources: "NDArray[np.str_]"


class Forecaster:
    """A trained model, ready to forecast.

    Parameters
    ----------
    artefact : Artefact
    engine : {"compiled", "numpy", "onnx"}
        Who computes the network; they agree to 1e-6 of a value.
    level : float, optional
        Of the intervals; 0.9 by default where the model has it, else its highest.
    trust_model : bool
        Let the network forecast every series. By default it forecasts those for which its
        evaluation justifies it, and the baseline the others: ``source`` says which.

    Attributes
    ----------
    artefact : Artefact
    lookback, horizon : int
        Bars read, and bars forecast.
    level : float or None
        Of the intervals.
    verdict : str
        What the evaluation came to.
    provenance : dict

    Raises
    ------
    ConfigError
        An unknown engine or level, or a package of the engine is missing.
    """

    def __init__(
        self,
        artefact: Artefact,
        *,
        engine: str = "compiled",
        level: float | None = None,
        trust_model: bool = False,
    ) -> None:
        standing = standing_of(artefact, level=level, trust_model=trust_model)
        self.artefact = artefact
        self._options: dict[str, Any] = {
            "engine": engine,
            "level": level,
            "trust_model": trust_model,
        }
        self.lookback, self.horizon = artefact.network.lookback, artefact.network.horizon
        self.verdict = standing.verdict
        self.level = None if np.isnan(standing.level) else standing.level
        self.provenance = artefact.provenance._asdict() | {
            "normalization": artefact.normalization.kind,
            "engine": engine,
            "served_by": f"neural-trader {VERSION}",
        }
        self._baseline, self._kind = artefact.baseline, artefact.normalization.kind
        self._rows = {name: row for row, name in enumerate(artefact.series)}
        self._passed = standing.passed
        # For one window at a time: a bool of NumPy is no place in a tuple.
        self._is_network = tuple(standing.passed.tolist())
        # By whether the network forecasts: False comes first.
        self._sources = (artefact.baseline.name, MODEL)
        self._ends = np.stack(
            [[standing.offsets[name].lower, standing.offsets[name].upper] for name in self._sources]
        )
        served = Served(artefact.network, artefact.normalization, standing.offsets[MODEL])
        self._engine = make_engine(engine, served)

    def __reduce__(self) -> tuple[Any, ...]:
        """Be sent to another process as what it was made from."""
        return functools.partial(Forecaster, self.artefact, **self._options), ()

    def source(self, symbol: str | None = None) -> str:
        """Return who forecasts a series: ``nhits``, or the name of the baseline.

        Raises
        ------
        ConfigError
            No symbol, and the model knows several.
        DataError
            A symbol that the model does not know.
        """
        return self._sources[self._is_network[self._row(symbol)]]

    def forecast(
        self,
        values: "Bars | Sequence[float] | NDArray[np.floating[Any]]",
        *,
        symbol: str | None = None,
        as_of: str | dt.date | None = None,
    ) -> Forecast:
        """Forecast the bars after the last one.

        Parameters
        ----------
        values : Bars, or a sequence of float
            Bars, whose closes are read; or values in the unit that the model was trained on, the
            newest last. Only the last ``lookback`` of them are read.
        symbol : str, optional
            Which series it is; needed where the model, or the bars, know several.
        as_of : date or text, optional
            Beside plain values: the session of the last one.

        Returns
        -------
        Forecast

        Raises
        ------
        ConfigError
            No symbol where there are several, or ``as_of`` beside bars.
        DataError
            An unknown symbol, too few values, or a window that is not finite or does not move.

        Notes
        -----
        Timing: reads values up to the last one, and forecasts the ``horizon`` bars after it.
        """
        if isinstance(values, Bars):
            values, symbol, as_of = _of_bars(values, symbol, as_of)
        elif as_of is not None and not isinstance(as_of, str):
            as_of = as_of.isoformat()
        row = self._row(symbol)
        window = self._window(values, symbol)
        size = self.horizon
        out = np.empty(3 * size)
        passed = self._is_network[row]
        problem = self._engine.one(window, out) if passed else self._stand_in(window, row, out)
        if problem:
            raise DataError(self._problem(problem, window, symbol))
        level = self.level
        return Forecast(
            symbol,
            as_of,
            size,
            out[:size],
            None if level is None else out[size : 2 * size],
            None if level is None else out[2 * size :],
            level,
            self._sources[passed],
            self.verdict,
            self.provenance,
        )

    def forecast_many(self, windows: Floats, symbols: Sequence[str] | None = None) -> Batch:
        """Forecast after each of many windows.

        Parameters
        ----------
        windows : float64, shape (B, L)
            In the unit that the model was trained on, the newest value last.
        symbols : sequence of str, length B, optional
            Whose they are; needed where the model knows several series.

        Returns
        -------
        Batch

        Raises
        ------
        ConfigError
            Symbols are needed and not given.
        DataError
            A shape that does not fit, an unknown symbol, or a window that is not finite or does not
            move.
        """
        windows = self._checked(windows)
        rows = self._rows_of(symbols, len(windows))
        passed = self._passed[rows]
        x = transform(windows, self._kind)
        volatility = trailing_volatility(x)
        if not volatility.all():
            self._refuse_one(windows)
        if passed.all():
            found = self._engine.forecast(x)
        else:
            found = self._baseline.forecast(x, rows)
            if passed.any():
                found[passed] = self._engine.forecast(x[passed])
        ends: list[Floats | None] = [None, None]
        if self.level is not None:
            reach = volatility[:, None, None] * self._ends[passed.astype(np.intp)]
            ends = [untransform(found + reach[:, side], self._kind) for side in (0, 1)]
        sources = np.array(self._sources)[passed.astype(np.intp)]
        return Batch(untransform(found, self._kind), ends[0], ends[1], sources)

    def quantiles(self, windows: Floats) -> Floats:
        """Return the quantiles that the network itself has for every window.

        They are what it learned, without calibration, for every series and whether it passed its
        evaluation or not; ``artefact.network.levels`` has their levels.

        Parameters
        ----------
        windows : float64, shape (B, L)
            As for ``forecast_many``.

        Returns
        -------
        float64, shape (B, H, Q)

        Raises
        ------
        DataError
            As for ``forecast_many``.
        """
        windows = self._checked(windows)
        network = self.artefact.network
        x = transform(windows, self._kind)
        if not trailing_volatility(x).all():
            self._refuse_one(windows)
        shift, unit, base = scaling_terms(x, self.artefact.normalization)
        scaled = ((x - shift[:, None]) / unit[:, None]).astype(np.float32)
        heads = quantiles_of(Forward(network)(scaled), network)
        found = base[:, None, None] + heads * unit[:, None, None]
        return untransform(found, self._kind)

    def _stand_in(self, window: Floats, row: int, out: Floats) -> int:
        """Write the baseline's forecast and its ends; return 0, or what is the matter."""
        problem = check_window(window, self._kind)
        if problem:
            return problem
        x = transform(window, self._kind)
        table = np.empty((3, self.horizon))
        table[0] = self._baseline.forecast(x, row)
        table[1:] = table[0] + trailing_volatility(x) * self._ends[0]
        out.reshape(table.shape)[:] = untransform(table, self._kind)
        return 0

    def _row(self, symbol: str | None) -> int:
        """Return the place of a series; 0 for all of them where the model knows none by name."""
        rows = self._rows
        if symbol in rows:
            return rows[symbol]
        if not rows or (symbol is None and len(rows) == 1):
            return 0
        if symbol is None:
            message = f"symbol is None; the model knows {', '.join(rows)}: name one of them"
            raise ConfigError(message)
        raise DataError(unknown_symbol(symbol, rows, where="the series of the model"))

    def _window(self, values: Any, symbol: str | None) -> Floats:  # noqa: ANN401 - checked here
        """Return the last ``lookback`` of some values, contiguous float64."""
        if type(values) is not np.ndarray or values.dtype != np.float64:
            values = _numbers(values)
        if values.ndim != 1 or len(values) < self.lookback:
            name = "" if symbol is None else f" of {symbol}"
            message = (
                f"the values{name} have shape {values.shape}; the model reads the last "
                f"{self.lookback} of one series"
            )
            raise DataError(message)
        window: Floats = values[-self.lookback :]
        return window if window.flags.c_contiguous else np.ascontiguousarray(window)

    def _checked(self, windows: Floats) -> Floats:
        """Return windows that can be forecast."""
        windows = np.ascontiguousarray(_numbers(windows))
        if windows.ndim != 2 or windows.shape[1] != self.lookback:
            message = f"windows have shape {windows.shape}; expected (B, {self.lookback})"
            raise DataError(message)
        # Far cheaper than to look at every window; what looks bad is looked at again.
        is_good = math.isfinite(float(windows.sum()))
        if self._kind == "log" and windows.size:
            is_good = is_good and float(windows.min()) > 0.0
        if not is_good:
            self._refuse_one(windows)
        return windows

    def _refuse_one(self, windows: Floats) -> None:
        """Refuse the first window that cannot be forecast; there need not be one."""
        for row, window in enumerate(windows):
            problem = check_window(window, self._kind)
            if problem:
                raise DataError(self._problem(problem, window, f"row {row}"))

    def _rows_of(self, symbols: Sequence[str] | None, count: int) -> "NDArray[np.intp]":
        """Return the places of many series."""
        if symbols is None:
            return np.full(count, self._row(None))
        if len(symbols) != count:
            message = f"there are {len(symbols)} symbols for {count} windows; give one each"
            raise DataError(message)
        if not self._rows:
            return np.zeros(count, np.intp)
        try:
            return np.array([self._rows[symbol] for symbol in symbols], np.intp)
        except KeyError as error:
            return np.array([self._row(error.args[0])])

    def _problem(self, problem: int, window: Floats, name: str | None) -> str:
        """Return the message for a window that cannot be forecast."""
        shown = ""
        if problem != kernel.CONSTANT:
            bad = ~np.isfinite(window) if problem == kernel.NOT_FINITE else window <= 0.0
            place = int(np.argmax(bad))
            shown = f" ({window[place]} at place {place})"
        whose = "" if name is None else f" of {name}"
        return f"the window{whose}, its last {self.lookback} values, {_PROBLEMS[problem]}{shown}"


def load(
    folder: Path | str,
    *,
    engine: str = "compiled",
    level: float | None = None,
    trust_model: bool = False,
) -> Forecaster:
    """Load a trained model, ready to forecast.

    Parameters
    ----------
    folder : Path or str
        An artefact, as training or import wrote it.
    engine, level, trust_model
        As for ``Forecaster``.

    Returns
    -------
    Forecaster

    Raises
    ------
    ConfigError
        As for ``Forecaster``.
    DataError
        The folder holds no artefact, a damaged one, or one of another version.
    """
    artefact = load_artefact(folder)
    return Forecaster(artefact, engine=engine, level=level, trust_model=trust_model)


def _of_bars(
    bars: Bars, symbol: str | None, as_of: str | dt.date | None
) -> tuple[Floats, str, str]:
    """Return closes, symbol and session of the last bar."""
    if as_of is not None:
        message = f"as_of is {as_of!r}; bars have times of their own: cut them with end=..."
        raise ConfigError(message)
    if symbol is None:
        if len(bars.symbols) != 1:
            message = f"symbol is None; {bars.name} holds {', '.join(bars.symbols)}: name one"
            raise ConfigError(message)
        symbol = bars.symbols[0]
    one = bars[symbol]
    return one.close, symbol, session_date(int(one.ts_close_ns[-1])).isoformat()


def _numbers(values: Any) -> Floats:  # noqa: ANN401 - checked here
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        message = f"values are {type(values).__name__}; expected numbers, the newest last"
        raise DataError(message) from None
