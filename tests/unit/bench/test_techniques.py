"""Techniques as A/B: equal answers first, and a verdict only where every round says the same."""

import json
import math
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import neural_trader as nt
from neural_trader.app.cli.main import cli
from neural_trader.bench import techniques
from neural_trader.bench.techniques import (
    TECHNIQUE_NAMES,
    Technique,
    find_difference,
    judge,
    print_techniques_report,
    run_techniques_suite,
    technique_rows,
)
from neural_trader.bench.techniques_work import WORKS, average_by_loop
from neural_trader.core import BenchError, ConfigError

MADE = Technique("made", "with", "without", claims={"time": (10.0, "x"), "objects": (95.0, "%")})


def found(time: float, objects: float, answer: float = 1.0, **more: float) -> dict[str, Any]:
    figures = [
        ("time", "ms", time),
        ("objects", "", objects),
        *((k, "", v) for k, v in more.items()),
    ]
    return {
        "figures": [dict(zip(("quantity", "unit", "value"), one, strict=True)) for one in figures],
        "answer": {"sum": [answer]},
    }


def test_rows_have_value_baseline_ratio_and_the_claims_beside() -> None:
    taken = [
        (found(1.0, 0.0, extra=3.0), found(8.0, 100.0)),
        (found(2.0, 4.0), found(20.0, 100.0)),
        (found(2.0, 2.0), found(24.0, 100.0)),
    ]
    time, times, objects, fewer = technique_rows(MADE, taken, None)
    assert (time.value, time.baseline, time.ratio, time.samples) == (2.0, 20.0, 10.0, [1, 2, 2])
    assert (time.params["ratio_low"], time.params["ratio_high"]) == (8.0, 12.0)
    assert time.params["verdict"] == "helps"
    assert (times.value, times.unit, times.claim, times.samples) == (10.0, "x", 10.0, [8, 10, 12])
    assert (objects.value, objects.baseline, objects.params["verdict"]) == (2.0, 100.0, "")
    assert (fewer.value, fewer.unit, fewer.claim) == (98.0, "%", 95.0)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([1.2, 3.0], "helps"),
        ([1.2, 1.01], "no difference"),
        ([0.5, 1.3], "no difference"),
        ([0.5, 0.9], "costs"),
        ([2.0], "too few rounds"),
    ],
)
def test_a_verdict_needs_every_round(ratios: list[float], verdict: str) -> None:
    assert judge(ratios, len(ratios)) == verdict


def test_answers_are_compared_value_by_value() -> None:
    nan = math.nan
    assert find_difference({"a": [1.0, nan]}, {"a": [1.0, nan]}, 0.0) is None
    assert find_difference({"a": [1.0 + 1e-12]}, {"a": [1.0]}, 1e-9) is None
    for other in ({"a": [1.0]}, {"b": [1.0, 2.0]}, {"a": [1.0, nan]}, {"a": [1.0, 2.1]}):
        assert find_difference({"a": [1.0, 2.0]}, other, 1e-9) is not None


def test_an_answer_that_differs_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(module: str, name: str, variant: str, folder: str) -> dict[str, Any]:
        return found(1.0, 1.0, 1.0 if variant == "with" else 2.0)

    monkeypatch.setattr(techniques, "run_fresh", run)
    with pytest.raises(BenchError, match="made: with and without it the answers differ"):
        run_techniques_suite([MADE], rounds=1, step=lambda _: None)


def test_what_a_machine_cannot_do_is_a_row_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(techniques, "run_fresh", lambda *_: {"reason": "no such vectors"})
    report = run_techniques_suite([MADE], rounds=3, step=lambda _: None)
    (row,) = report.rows
    assert (row.value, row.reason, row.params["verdict"]) == (
        None,
        "no such vectors",
        "not measured",
    )
    print_techniques_report(report)
    assert "no such vectors" in " ".join(capsys.readouterr().out.split())


def test_the_plain_loop_is_a_moving_average() -> None:
    values = np.random.default_rng(3).normal(100.0, 5.0, 400)
    wanted = nt.indicators.SMA(20).batch(values)
    assert average_by_loop(values.tolist(), 20) == pytest.approx(wanted.tolist(), nan_ok=True)


def test_every_technique_has_both_variants() -> None:
    assert set(WORKS) == set(TECHNIQUE_NAMES)
    assert all(set(variants) == {"with", "without"} for variants in WORKS.values())


def test_a_pool_makes_no_objects_and_changes_no_answer() -> None:
    done = CliRunner().invoke(
        cli, ["bench", "techniques", "--case", "pooling", "--rounds", "1", "--json"]
    )
    assert done.exit_code == 0, done.output
    rows = {row["params"]["quantity"]: row for row in json.loads(done.stdout)["rows"]}
    assert rows["order objects for 40,000 orders"]["value"] == 0.0
    assert rows["order objects for 40,000 orders"]["baseline"] == 40_000.0
    assert rows["order objects for 40,000 orders, fewer"]["claim"] == 95.0
    time = rows["CPU of an order in the core"]
    assert time["value"] > 0.0
    assert time["params"]["verdict"] == "too few rounds"
    assert time["params"]["in_product"] is False


def test_a_name_that_is_not_known_is_refused() -> None:
    done = CliRunner().invoke(cli, ["bench", "techniques", "--case", "magic"])
    assert isinstance(done.exception, ConfigError)
    assert "zero_copy" in str(done.exception)
