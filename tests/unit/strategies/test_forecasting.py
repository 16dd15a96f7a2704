"""A strategy that follows forecasts: what it does, what it says, and that no future reaches it."""

import contextlib
import datetime as dt
import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.backtesting import Range, check_lookahead
from neural_trader.core import ConfigError, DataError
from neural_trader.forecast import Artefact, Forecaster, Panel, save_artefact
from tests.made_forecasts import made_artefact, made_network

START = "2013-06-03"
BARS = nt.load("sp500-closes", symbols=["KO", "PEP"], end="2014-12-31")


def artefact(**options: Any) -> Artefact:
    return made_artefact(made_network(width=8, pools=(4, 1)), passed=("KO", "PEP"), **options)


def run(strategy: nt.ForecastStrategy, **options: Any) -> Any:
    return nt.backtest(strategy, BARS, **({"start": START} | options))


def by_hand(
    made: Forecaster, symbol: str, bars: Any, *, enter: float = 0.0, short: bool = False
) -> list[tuple[int, float]]:
    """Return the bars at which the side changes, and the side, from the definitions."""
    closes, side, changes = bars[symbol].close, 0.0, []
    first = int(np.searchsorted(bars[symbol].ts_close_ns, stamp(START)))
    for t in range(first, len(closes)):
        found = made.forecast(closes[t - 59 : t + 1], symbol=symbol).forecast[-1]
        expected = found / closes[t] - 1.0
        wanted = side if side * expected > 0.0 else 0.0
        wanted = 1.0 if expected > enter else -1.0 if short and expected < -enter else wanted
        if wanted != side:
            changes.append((t, wanted))
            side = wanted
    return changes


def stamp(day: str) -> int:
    return int(np.datetime64(day, "ns").astype(np.int64))


@pytest.mark.parametrize(("enter", "short"), [(0.0, False), (0.03, False), (0.02, True)])
def test_it_holds_what_is_forecast_to_rise(enter: float, short: bool) -> None:
    made = artefact()
    result = run(nt.ForecastStrategy(made, enter=enter, short=short, size="100 shares"))
    table = result.columns("fills")
    places = np.searchsorted(BARS["KO"].ts_close_ns, table["time"].astype(np.int64))
    fills = list(zip(places.tolist(), table["symbol"], table["qty"].tolist(), strict=True))
    for symbol in ("KO", "PEP"):
        wanted, held = [], 0.0
        for t, side in by_hand(Forecaster(made), symbol, BARS, enter=enter, short=short):
            if t + 1 < len(BARS["KO"].close):
                wanted.append((t + 1, symbol, 100.0 * (side - held)))
                held = side
        assert len(wanted) > 10
        assert [fill for fill in fills if fill[1] == symbol] == wanted


def test_the_result_says_who_forecasts() -> None:
    made = made_artefact(made_network(width=8, pools=(4, 1)), passed=("KO",))
    result = run(nt.ForecastStrategy(made))
    assert "forecasts: KO by nhits; PEP by drift" in result.summary.notes
    assert "It beats drift on KO. Survivors." in result.summary.notes
    alone = run(nt.ForecastStrategy(made, symbols="KO"))
    assert "forecasts: KO by nhits" in alone.summary.notes
    trusted = run(nt.ForecastStrategy(Forecaster(made, trust_model=True)))
    assert "forecasts: KO, PEP by nhits" in trusted.summary.notes


def test_a_model_that_has_seen_the_run_is_refused() -> None:
    strategy = nt.ForecastStrategy(artefact())
    for start in (None, "2005-01-03", "2012-12-31"):
        with pytest.raises(ConfigError, match=r"made with bars up to 2012-12-31.*decides from"):
            run(strategy, start=start)
    assert run(strategy, start="2013-01-02").fill_count > 0
    # What was held out of the training decided who forecasts: it has been seen, too.
    made = artefact()
    later = made._replace(provenance=made.provenance._replace(train_end="2013-12-31"))
    with pytest.raises(ConfigError, match="up to 2013-12-31"):
        run(nt.ForecastStrategy(later))


def test_an_imported_model_says_until_when_it_was_trained() -> None:
    made = artefact(card={}, series=())._replace(offsets={})
    made = made._replace(provenance=made.provenance._replace(train_end="", as_of=""))
    with pytest.raises(ConfigError, match="trained_until='YYYY-MM-DD'"):
        run(nt.ForecastStrategy(made))
    with pytest.raises(ConfigError, match="up to 2013-07-01"):
        run(nt.ForecastStrategy(made, trained_until="2013-07-01"))
    with pytest.raises(ConfigError, match="session date"):
        run(nt.ForecastStrategy(made, trained_until="long ago"))
    result = run(nt.ForecastStrategy(made, trained_until="2012-12-31"))
    assert any(note.startswith("Not evaluated") for note in result.summary.notes)
    assert "forecasts: nhits" in result.summary.notes
    with pytest.raises(ConfigError, match="leave it out"):
        run(nt.ForecastStrategy(artefact(), trained_until="2012-12-31"))


class Trainer:
    """Trains nothing, but keeps what it was given; its weights hang on the last close it saw."""

    def __init__(self) -> None:
        self.panels: list[Panel] = []

    def __call__(self, panel: Panel) -> Artefact:
        self.panels.append(panel)
        seed = int(abs(panel.values[-1, 0]) * 1_000)
        made = made_artefact(
            made_network(width=8, pools=(4, 1), seed=seed),
            series=panel.series,
            passed=panel.series,
        )
        last = panel.date(len(panel.ts_close_ns) - 1)
        return made._replace(provenance=made.provenance._replace(train_end=last, as_of=last))


@pytest.mark.parametrize(
    ("refit", "months"),
    [(None, [6]), ("year", [6, 1]), ("quarter", [6, 7, 10, 1, 4, 7, 10])],
)
def test_refits_see_all_bars_up_to_now_and_none_after(refit: Any, months: list[int]) -> None:
    trainer = Trainer()
    result = run(nt.ForecastStrategy(trainer, refit))
    assert result.fill_count > 0
    days = [
        dt.date.fromisoformat(panel.date(len(panel.ts_close_ns) - 1)) for panel in trainer.panels
    ]
    assert [day.month for day in days] == months
    assert days[0] == dt.date.fromisoformat(START)
    for panel in trainer.panels:
        count = len(panel.ts_close_ns)
        np.testing.assert_array_equal(panel.values[:, 1], BARS["PEP"].close[:count])
        assert panel.series == ("KO", "PEP")
    strategy = result.provenance["config"]["strategy"]
    assert strategy["parameters"]["model"] == "trained in the run by Trainer()"
    (note,) = [note for note in result.summary.notes if note.startswith("forecasts: ")]
    assert ("once" if refit is None else f"every {refit}") in note


def maker(make: Callable[[], nt.Strategy]) -> Any:
    @contextlib.contextmanager
    def made(change: Any) -> Iterator[nt.Strategy]:
        yield make()

    return made


@pytest.mark.parametrize("refit", [None, "quarter"])
def test_the_check_for_look_ahead_finds_none(refit: Any) -> None:
    def strategy() -> nt.Strategy:
        if refit:
            return nt.ForecastStrategy(Trainer(), refit, enter=0.01, short=True)
        return nt.ForecastStrategy(artefact(), enter=0.01, short=True)

    asked = Range(START, "2014-06-30", "before", None)
    found = check_lookahead(maker(strategy), BARS, asked=asked)
    assert found.decisions > 20
    assert found.first_bar is None


def test_a_model_that_saw_the_future_would_be_found() -> None:
    """The check is not blind: weights that hang on a later close change decisions."""

    class Peeking(nt.ForecastStrategy):
        close = 0.0

        def on_start(self, ctx: nt.Context) -> None:
            super().on_start(ctx)
            later = made_network(width=8, pools=(4, 1), seed=int(self.close * 1_000))
            self._forecaster = Forecaster(artefact()._replace(network=later))

    @contextlib.contextmanager
    def made(change: Any) -> Iterator[nt.Strategy]:
        strategy = Peeking(artefact(), short=True)
        strategy.close = float(change(BARS)["KO"].close[-1])
        yield strategy

    asked = Range(START, "2014-06-30", "before", None)
    assert check_lookahead(made, BARS, asked=asked).first_bar is not None


def test_a_sweep_over_processes(tmp_path: Path) -> None:
    folder = str(save_artefact(artefact(), tmp_path / "model"))
    make = functools.partial(nt.ForecastStrategy, folder, size="100 shares")
    swept = nt.sweep(
        make, BARS, {"enter": [0.0, 0.02], "short": [False, True]}, start=START, workers=2
    )
    alone = run(nt.ForecastStrategy(folder, enter=0.02, short=True, size="100 shares"))
    assert swept.summary["trials"] == 4
    trials = [swept.trial(place) for place in range(4)]
    (row,) = [one for one in trials if one["parameters"] == {"enter": 0.02, "short": True}]
    assert row["final_equity"] == alone.final_equity


def test_a_window_without_a_forecast_keeps_the_position() -> None:
    strategy = nt.ForecastStrategy(artefact())
    closes = BARS["KO"].close.copy()

    class Ctx:
        def bars(self, symbol: str) -> Any:
            return BARS[symbol]._replace(close=closes)

    ctx: Any = Ctx()
    strategy.begin(ctx, ("KO",))
    assert math.isfinite(strategy.expected_return(ctx, "KO"))
    closes[-60:] = 7.0
    assert math.isnan(strategy.expected_return(ctx, "KO"))
    assert strategy._side(math.nan, 1.0) == 1.0
    closes = closes[:59]
    assert math.isnan(strategy.expected_return(ctx, "KO"))


def test_a_naive_forecast_is_no_return_at_all() -> None:
    made = artefact()
    naive = made.baseline._replace(
        name="naive",
        weight=np.zeros_like(made.baseline.weight),
        bias=np.zeros_like(made.baseline.bias),
    )
    card = {"gate": {"passed": []}, "verdict": "It beats nothing."}
    result = run(nt.ForecastStrategy(made._replace(baseline=naive, card=card), short=True))
    assert result.fill_count == 0
    assert "forecasts: KO, PEP by naive" in result.summary.notes


def test_parameters_outside_their_range(tmp_path: Path) -> None:
    made = artefact()
    with pytest.raises(ConfigError, match=r"enter is -0\.1"):
        nt.ForecastStrategy(made, enter=-0.1)
    with pytest.raises(ConfigError, match="refit is 'week'"):
        nt.ForecastStrategy(Trainer(), "week")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="trained already"):
        nt.ForecastStrategy(made, "year")
    with pytest.raises(ConfigError, match="imported"):
        nt.ForecastStrategy(Trainer(), trained_until="2012-12-31")
    with pytest.raises(ConfigError, match="model is 3"):
        nt.ForecastStrategy(3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="there is no"):
        nt.ForecastStrategy(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="unknown symbol 'JNJ'"):
        nt.backtest(
            nt.ForecastStrategy(made), nt.load("sp500-closes", symbols=["JNJ"]), start=START
        )


def test_the_same_object_runs_again() -> None:
    strategy = nt.ForecastStrategy(artefact())
    one, two = run(strategy), run(strategy)
    assert one.provenance == two.provenance
    np.testing.assert_array_equal(one.equity, two.equity)
    assert one.provenance["config"]["strategy"]["parameters"]["model"].startswith("made with 000")
