"""Forecasts as columns: each row from the bars up to it, and none that the model has seen."""

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.forecast import Forecaster, forecast_column
from tests.made_forecasts import made_artefact, made_network

BARS = nt.load("sp500-closes", symbols=["KO", "PEP"], start="2012-06-01", end="2014-12-31")


def forecaster() -> Forecaster:
    return Forecaster(made_artefact(made_network(width=8, pools=(4, 1))))


@pytest.mark.parametrize("symbol", ["KO", "PEP"])
def test_a_row_is_the_forecast_of_its_bar(symbol: str) -> None:
    made, closes = forecaster(), BARS[symbol].close
    column = forecast_column(made, BARS, symbol)
    assert column.shape == (len(closes), 5)
    first = int(np.argmax(np.isfinite(column[:, 0])))
    # The model was made with bars up to the end of 2012.
    assert nt.core.sessions.session_date(int(BARS[symbol].ts_close_ns[first])).isoformat() == (
        "2013-01-02"
    )
    assert np.isnan(column[:first]).all()
    assert np.isfinite(column[first:]).all()
    for t in (first, first + 100, len(closes) - 1):
        wanted = made.forecast(closes[: t + 1], symbol=symbol).forecast
        np.testing.assert_allclose(column[t], wanted, rtol=1e-6)


def test_the_future_changes_no_row_before_it() -> None:
    whole = forecast_column(forecaster(), BARS, "KO")
    for end in ("2013-03-28", "2014-06-30"):
        cut = nt.load("sp500-closes", symbols=["KO"], start="2012-06-01", end=end)
        part = forecast_column(forecaster(), cut, "KO")
        np.testing.assert_allclose(part, whole[: len(part)], rtol=1e-6)


def test_bars_that_the_model_has_seen_have_no_forecast() -> None:
    early = nt.load("sp500-closes", symbols=["KO"], end="2012-12-31")
    assert np.isnan(forecast_column(forecaster(), early, "KO")).all()
    short = nt.load("sp500-closes", symbols=["KO"], start="2013-01-02", end="2013-03-01")
    assert np.isnan(forecast_column(forecaster(), short, "KO")).all()


def test_windows_that_do_not_move_or_have_a_gap_are_no_forecast() -> None:
    days = np.arange("2013-01-01", "2013-10-01", dtype="datetime64[D]")
    closes = 50.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(1).standard_normal(len(days))))
    closes[80:150] = closes[80]
    bars = nt.load({"time": days, "symbol": ["KO"] * len(days), "close": closes})
    column = forecast_column(forecaster(), bars, "KO")
    empty = np.isnan(column[:, 0])
    assert np.flatnonzero(empty[59:]).tolist() == list(range(80, 91))


def test_what_cannot_be_known_is_an_error() -> None:
    made = made_artefact(card={}, series=())
    made = made._replace(provenance=made.provenance._replace(train_end="", as_of=""))
    with pytest.raises(ConfigError, match="imported"):
        forecast_column(Forecaster(made), BARS, "KO")
    column = forecast_column(Forecaster(made), BARS, "KO", trained_until="2013-12-31")
    assert np.isnan(
        column[: np.searchsorted(BARS["KO"].ts_close_ns, 1388534399999999999) + 1]
    ).all()
    assert np.isfinite(column[-1]).all()
    with pytest.raises(DataError, match="JNJ"):
        forecast_column(forecaster(), BARS, "JNJ")
