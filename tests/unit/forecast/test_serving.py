"""What is served: the same numbers by every engine, the baseline where it is due, or an error."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.forecast import (
    Artefact,
    Batch,
    Forecast,
    Forecaster,
    load,
    save_artefact,
)
from neural_trader.forecast.normalization import trailing_volatility
from tests.differential.test_nhits import plainly
from tests.made_forecasts import made_artefact, made_network, made_prices

ENGINES = ["compiled", "numpy", "onnx"]


def forecaster(artefact: Artefact | None = None, **options: Any) -> Forecaster:
    if options.get("engine") == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    return Forecaster(artefact or made_artefact(), **options)


def by_hand(artefact: Artefact, window: Any, level: float = 0.9) -> tuple[Any, Any, Any]:
    """Compute forecast and interval of a window from the definitions, in float64."""
    x, scale = np.log(window), artefact.normalization.scale
    heads = plainly(artefact.network, ((x - x[-1]) / scale)[None].astype(np.float32))[0]
    middle = x[-1] + scale * heads.reshape(artefact.network.horizon, -1)[:, 1]
    (offsets,) = [one for one in artefact.offsets["nhits"] if one.level == level]
    reach = trailing_volatility(x)
    return tuple(
        np.exp(y) for y in (middle, middle + reach * offsets.lower, middle + reach * offsets.upper)
    )


def ends(found: Forecast | Batch) -> tuple[Any, Any]:
    """Return lower and upper ends that must be there."""
    assert found.lower is not None
    assert found.upper is not None
    return found.lower, found.upper


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_a_forecast_is_what_its_artefact_defines(engine: str, level: float) -> None:
    window = made_prices()[0]
    found = forecaster(engine=engine, level=level).forecast(window, symbol="KO")
    parts = by_hand(made_artefact(), window, level)
    for mine, wanted in zip((found.forecast, *ends(found)), parts, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-6)
    assert (found.symbol, found.source, found.level) == ("KO", "nhits", level)
    assert found.horizon == 5
    assert found.verdict == "It beats drift on KO. Survivors."


@pytest.mark.parametrize("rows", [1, 2, 20, 500])
@pytest.mark.parametrize("kind", ["log", "level", "none", "identity", "standard", "minmax1"])
def test_engines_agree_to_a_millionth_on_log_prices(rows: int, kind: str) -> None:
    prices = made_prices(rows)
    artefact = made_artefact(kind=kind, passed=("KO", "PEP"))
    windows = prices if kind == "log" else np.log(prices)
    symbols = ["KO", "PEP"] * (rows // 2) + ["KO"] * (rows % 2)
    batches = [forecaster(artefact, engine=e).forecast_many(windows, symbols) for e in ENGINES]
    for part in ("forecast", "lower", "upper"):
        logs = [np.log(getattr(b, part)) if kind == "log" else getattr(b, part) for b in batches]
        # A network of random weights gives heads of 10 and more for levels that are not normalized.
        size = max(1.0, float(np.abs(logs[0]).max())) if kind in ("none", "identity") else 1.0
        for other in logs[1:]:
            assert np.abs(other - logs[0]).max() <= 1e-6 * size
    # One by one they are the same, too.
    one = forecaster(artefact).forecast(windows[-1], symbol=symbols[-1])
    near: Any = {"rtol": 1e-6, "atol": 1e-6 * size}
    np.testing.assert_allclose(one.forecast, batches[0].forecast[-1], **near)
    np.testing.assert_allclose(ends(one)[1], ends(batches[0])[1][-1], **near)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_baseline_stands_in_where_the_gate_was_not_passed(engine: str) -> None:
    window = made_prices()[0]
    made = made_artefact()
    found = forecaster(engine=engine).forecast(window, symbol="PEP")
    assert found.source == "drift"
    x = np.log(window)
    wanted = np.exp(x[-1] + (x - x[-1]) @ made.baseline.weight + made.baseline.bias[1])
    np.testing.assert_allclose(found.forecast, wanted, rtol=1e-12)
    reach = made.offsets["drift"][1].upper * trailing_volatility(x)
    np.testing.assert_allclose(ends(found)[1], wanted * np.exp(reach), rtol=1e-12)
    trusted = forecaster(engine=engine, trust_model=True).forecast(window, symbol="PEP")
    assert trusted.source == "nhits"
    assert trusted.verdict.endswith("because it was asked for.")
    np.testing.assert_allclose(trusted.forecast, by_hand(made, window)[0], rtol=1e-6)


def test_a_batch_mixes_sources_row_by_row() -> None:
    windows, symbols = made_prices(40), ["KO", "PEP", "PEP", "KO"] * 10
    mine = forecaster()
    batch = mine.forecast_many(windows, symbols)
    assert batch.sources.tolist() == ["nhits", "drift", "drift", "nhits"] * 10
    for row, symbol in enumerate(symbols):
        one = mine.forecast(windows[row], symbol=symbol)
        for part in ("forecast", "lower", "upper"):
            np.testing.assert_allclose(getattr(batch, part)[row], getattr(one, part), rtol=1e-6)


def test_bars_are_read_to_their_last_close() -> None:
    bars = nt.load("sp500-closes", symbols=["KO", "PEP"], end="2020-06-30")
    mine = forecaster()
    found = mine.forecast(bars, symbol="KO")
    assert found.as_of == "2020-06-30"
    wanted = mine.forecast(bars["KO"].close[-60:], symbol="KO", as_of="2020-06-30")
    np.testing.assert_array_equal(found.forecast, wanted.forecast)
    assert wanted.as_of == "2020-06-30"
    with pytest.raises(ConfigError, match="holds KO, PEP"):
        mine.forecast(bars)
    with pytest.raises(ConfigError, match="as_of"):
        mine.forecast(bars, symbol="KO", as_of="2020-06-30")


def test_more_than_a_window_changes_nothing_and_inputs_stay() -> None:
    mine, window = forecaster(), made_prices()[0]
    kept = window.copy()
    wanted = mine.forecast(window, symbol="KO").forecast
    longer = np.concatenate([[math.nan, 5.0], window])
    np.testing.assert_array_equal(mine.forecast(longer, symbol="KO").forecast, wanted)
    np.testing.assert_array_equal(mine.forecast(window.tolist(), symbol="KO").forecast, wanted)
    strided = np.repeat(window, 2)[::2]
    np.testing.assert_array_equal(mine.forecast(strided, symbol="KO").forecast, wanted)
    read_only = window.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(mine.forecast(read_only, symbol="KO").forecast, wanted)
    np.testing.assert_array_equal(window, kept)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("symbol", ["KO", "PEP"])
class TestRefusals:
    def test_a_gap(self, engine: str, symbol: str) -> None:
        window = made_prices()[0]
        window[17] = math.nan
        with pytest.raises(DataError, match=rf"of {symbol}.* not finite.*\(nan at place 17\)"):
            forecaster(engine=engine).forecast(window, symbol=symbol)
        with pytest.raises(DataError, match=r"row 0.* not finite"):
            forecaster(engine=engine).forecast_many(window[None], [symbol])

    def test_prices_that_do_not_move(self, engine: str, symbol: str) -> None:
        with pytest.raises(DataError, match="does not move"):
            forecaster(engine=engine).forecast(np.full(60, 7.0), symbol=symbol)
        with pytest.raises(DataError, match=r"row 0.* does not move"):
            forecaster(engine=engine).forecast_many(np.full((1, 60), 7.0), [symbol])

    def test_prices_of_nothing(self, engine: str, symbol: str) -> None:
        window = made_prices()[0]
        window[3] = 0.0
        with pytest.raises(DataError, match=r"not above 0.*\(0.0 at place 3\)"):
            forecaster(engine=engine).forecast(window, symbol=symbol)
        with pytest.raises(DataError, match="not above 0"):
            forecaster(engine=engine).forecast_many(window[None], [symbol])

    def test_too_few(self, engine: str, symbol: str) -> None:
        mine = forecaster(engine=engine)
        several: list[Any] = [made_prices()[0][:59], [], made_prices(2)]
        for values in several:
            with pytest.raises(DataError, match="last 60 of one series"):
                mine.forecast(values, symbol=symbol)
        for windows in (made_prices(2)[:, :59], made_prices()[0]):
            with pytest.raises(DataError, match=r"expected \(B, 60\)"):
                mine.forecast_many(windows, [symbol])


def test_quantiles_are_those_of_the_network_and_cannot_cross() -> None:
    made, windows = made_artefact(made_network(levels=(0.1, 0.3, 0.5, 0.7, 0.9))), made_prices(40)
    found = forecaster(made).quantiles(windows)
    assert found.shape == (40, 5, 5)
    assert (np.diff(found, axis=2) >= 0.0).all()
    middle = forecaster(made).forecast_many(windows, ["KO"] * 40).forecast
    np.testing.assert_allclose(found[:, :, 2], middle, rtol=1e-6)
    x = np.log(windows[7])
    raw = plainly(made.network, ((x - x[-1]) / 0.02)[None].astype(np.float32))[0].reshape(5, 5)
    step = 0.02 * np.log1p(np.exp(raw[:, 3]))
    np.testing.assert_allclose(np.log(found[7, :, 3] / found[7, :, 2]), step, atol=1e-6)
    with pytest.raises(DataError, match="does not move"):
        forecaster(made).quantiles(np.full((1, 60), 7.0))


def test_no_windows_are_no_forecasts() -> None:
    batch = forecaster().forecast_many(np.empty((0, 60)), [])
    assert batch.forecast.shape == (0, 5)
    assert batch.sources.tolist() == []


def test_unknown_names() -> None:
    mine, window = forecaster(), made_prices()[0]
    with pytest.raises(DataError, match="did you mean PEP"):
        mine.forecast(window, symbol="PEPP")
    with pytest.raises(ConfigError, match="knows KO, PEP"):
        mine.forecast(window)
    with pytest.raises(ConfigError, match="knows KO, PEP"):
        mine.forecast_many(window[None])
    with pytest.raises(DataError, match="unknown symbol 'XOM'"):
        mine.forecast_many(made_prices(2), ["KO", "XOM"])
    with pytest.raises(DataError, match="1 symbols for 2 windows"):
        mine.forecast_many(made_prices(2), ["KO"])
    words: Any = ["high", "low"]
    with pytest.raises(DataError, match="expected numbers"):
        mine.forecast(words, symbol="KO")
    with pytest.raises(ConfigError, match="engine is 'torch'"):
        Forecaster(made_artefact(), engine="torch")
    for level in (0.95, 95, True, math.nan):
        with pytest.raises(ConfigError, match=r"calibrated to 0\.8, 0\.9"):
            Forecaster(made_artefact(), level=level)


def test_an_artefact_of_nobody_s_judgement_serves_its_network_and_says_so() -> None:
    made = made_artefact(card={}, series=())._replace(offsets={})
    found = forecaster(made).forecast(made_prices()[0])
    assert (found.source, found.lower, found.upper, found.level) == ("nhits", None, None, None)
    assert found.verdict.startswith("Not evaluated")
    np.testing.assert_allclose(
        found.forecast, by_hand(made_artefact(), made_prices()[0])[0], rtol=1e-6
    )
    assert forecaster(made).forecast(made_prices()[0], symbol="ANY").symbol == "ANY"
    with pytest.raises(ConfigError, match="no intervals"):
        forecaster(made, level=0.9)


def test_a_folder_serves_what_was_saved(tmp_path: Path) -> None:
    folder = save_artefact(made_artefact(), tmp_path / "model")
    found = load(folder).forecast(made_prices()[0], symbol="KO")
    wanted = forecaster().forecast(made_prices()[0], symbol="KO")
    np.testing.assert_array_equal(found.forecast, wanted.forecast)
    assert found.provenance["engine"] == "compiled"
    assert found.provenance["train_end"] == "2009-12-31"
    text = (folder / "artefact.json").read_text().replace('"format": 1', '"format": 2')
    (folder / "artefact.json").write_text(text)
    with pytest.raises(DataError, match="format 2"):
        load(folder)
    with pytest.raises(DataError, match="there is no"):
        load(tmp_path / "nowhere")


def test_a_network_with_the_newest_value_first_survives_the_disk(tmp_path: Path) -> None:
    made = made_artefact(made_network(lookback=61, newest_first=True))
    window = made_prices(1, 61)[0]
    wanted = forecaster(made).forecast(window, symbol="KO").forecast
    found = load(save_artefact(made, tmp_path / "model")).forecast(window, symbol="KO").forecast
    np.testing.assert_array_equal(found, wanted)
    other = made._replace(network=made.network._replace(newest_first=False))
    assert (forecaster(other).forecast(window, symbol="KO").forecast != wanted).any()


PROGRAM = """
import json, sys
import numpy as np
from neural_trader.forecast import load
made = load(sys.argv[1], engine=sys.argv[2])
found = made.forecast(np.linspace(50.0, 60.0, 60), symbol="KO")
found.forecast, made.forecast_many(np.linspace([50.0], [60.0], 60).T, ["PEP"])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_serving_never_imports_torch(engine: str, tmp_path: Path) -> None:
    folder = save_artefact(made_artefact(), tmp_path / "model")
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
    command = [sys.executable, "-c", PROGRAM, str(folder), engine]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert loaded & {"torch", "pandas", "polars", "scipy", "neuralforecast"} == set()
    if engine != "onnx":
        assert loaded & {"onnx", "onnxruntime"} == set()
