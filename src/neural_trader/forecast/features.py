"""Forecasts as columns: at every bar what would have been forecast there, from bars up to it."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from neural_trader.core import Bars, ConfigError
from neural_trader.core.sessions import first_ns, session_day
from neural_trader.forecast.artefact import Artefact
from neural_trader.forecast.normalization import Floats
from neural_trader.forecast.serving import Forecaster


def first_unseen_ns(artefact: Artefact, trained_until: str | None = None) -> int:
    """Return the first nanosecond that an artefact has seen nothing of.

    Parameters
    ----------
    artefact : Artefact
    trained_until : str, optional
        The last session of the training, for an imported network, which does not know it.

    Raises
    ------
    ConfigError
        Nobody knows what it has seen, or a date is given for one that knows.
    """
    made = artefact.provenance
    # What was held out of the training still decided who forecasts, and how wide intervals are.
    known = max(made.train_end, made.as_of)
    if known and trained_until is not None:
        message = (
            f"trained_until is {trained_until!r}, but the model knows that it was made with bars "
            f"up to {known}; leave it out"
        )
        raise ConfigError(message)
    if not known and trained_until is None:
        message = (
            "the model was imported, and does not know what it has seen: say until when it was "
            "trained with trained_until='YYYY-MM-DD'"
        )
        raise ConfigError(message)
    last = known if trained_until is None else trained_until
    return first_ns(session_day(last, option="trained_until") + 1)


def forecast_column(
    forecaster: Forecaster, bars: Bars, symbol: str, *, trained_until: str | None = None
) -> Floats:
    """Return what would have been forecast at every bar.

    Parameters
    ----------
    forecaster : Forecaster
    bars : Bars
    symbol : str
    trained_until : str, optional
        The last session of the training, for an imported network, which does not know it.

    Returns
    -------
    float64, shape (T, H)
        Row t is made of closes up to bar t. NaN where there are too few, where the window does not
        move or has a gap, and at all bars that the model was made with: there its forecasts would
        know the future.

    Raises
    ------
    ConfigError
        Nobody knows what an imported network has seen.
    DataError
        An unknown symbol.

    Notes
    -----
    Timing: row t may be acted upon at bar t + 1.
    """
    one = bars[symbol]
    forecaster.source(symbol)
    found = np.full((len(one.close), forecaster.horizon), np.nan)
    first = int(
        np.searchsorted(one.ts_close_ns, first_unseen_ns(forecaster.artefact, trained_until))
    )
    first = max(first, forecaster.lookback - 1)
    if first >= len(found):
        return found
    # Look-ahead: the window of row t ends with bar t.
    windows = sliding_window_view(one.close, forecaster.lookback)[first - forecaster.lookback + 1 :]
    is_good = np.isfinite(windows).all(axis=1) & (np.ptp(windows, axis=1) > 0.0)
    if forecaster.artefact.normalization.kind == "log":
        is_good &= (windows > 0.0).all(axis=1)
    if is_good.any():
        count = int(is_good.sum())
        batch = forecaster.forecast_many(windows[is_good], [symbol] * count)
        found[first:][is_good] = batch.forecast
    return found
