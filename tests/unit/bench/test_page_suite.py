"""A run of the page: rounds into rows, what is missing, what is wrong, what is interrupted."""

from collections.abc import Callable
from typing import Any

import pytest

from neural_trader.bench import page_suite
from neural_trader.bench.page_baseline import ask_program, figure_of
from neural_trader.bench.page_jobs import JOBS, Missing, Round
from neural_trader.bench.page_suite import choose_page, page_steps_of, run_page
from neural_trader.bench.rows import Report, Row
from neural_trader.core import BenchError, ConfigError

Made = Callable[[Round], list[Row]]


def made(case: str, unit: str, values: list[float], **params: Any) -> Made:
    """Return a part that gives a value a round."""
    left = iter(values)

    def job(_: Round) -> list[Row]:
        return [Row(case=case, params=params, value=next(left), unit=unit, checked=True)]

    return job


@pytest.fixture(autouse=True)
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run no baseline program: what is tested here are the rounds around them."""
    monkeypatch.setattr(page_suite, "ask_program", lambda *_: "not asked")


def run(section: str, rounds: int = 3) -> Report:
    return run_page([section], rounds=rounds, step=lambda _: None)[0]


def test_rounds_become_a_row_in_the_unit_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    base = iter([300.0, 400.0, 500.0])

    def job(now: Round) -> list[Row]:
        assert now.cases == ["signals"]
        params = {"quantity": "time"}
        row = Row(case="signals", params=params, value=2.0, unit="us", checked=True)
        return [page_suite._changed(row, baseline=next(base))]

    monkeypatch.setitem(JOBS, "signals", job)
    monkeypatch.setattr(page_suite, "has_program", lambda _: False)
    report = run("signals")
    (row,) = report.rows
    assert (row.value, row.unit, row.claim) == (0.002, "ms", 12.0)
    assert row.baseline == pytest.approx(0.4)
    assert row.ratio == pytest.approx(200.0)
    assert row.samples == [0.002] * 3
    assert row.checked
    assert row.params["row"] == "signals.time"
    assert row.params["baseline"] == "the plain-Python reference"
    assert report.provenance["config"] == {"rounds": 3, "mode": "quick", "sections": ["signals"]}


def test_of_several_placements_the_best_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def job(_: Round) -> list[Row]:
        return [
            Row(
                case=f"window_{window}",
                params={"quantity": "throughput", "placement": place, "orders": 10},
                value=value,
                unit="orders/s",
                checked=True,
            )
            for window in (1, 4, 8)
            for place, value in (("one core", 100.0 * window), ("apart", 70.0 * window))
        ]

    monkeypatch.setitem(JOBS, "orders", job)
    rows = run("throughput").rows
    assert [row.value for row in rows] == [100.0, 400.0, 800.0]
    assert {row.params["work"] for row in rows} == {"10 orders a round, one core"}


def test_what_is_not_there_is_not_measured_and_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def job(_: Round) -> list[Row]:
        asked.append(1)
        reason = "there is none"
        raise Missing(reason)

    monkeypatch.setitem(JOBS, "data", job)
    rows = run("data").rows
    assert [(row.value, row.reason, row.checked) for row in rows] == [
        (None, "there is none", False)
    ] * 5
    assert len(asked) == 1


def test_a_figure_without_a_value_keeps_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"quantity": "wall"}
    row = Row(case="cli_help", params=params, value=None, unit="ms", reason="no clock")
    monkeypatch.setitem(JOBS, "startup", lambda _: [row])
    assert run("startup").rows[0].reason == "no clock"


def test_a_unit_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOBS, "startup", made("cli_help", "MB", [1.0], quantity="wall"))
    with pytest.raises(BenchError, match=r"'MB'.*'ms'"):
        run("startup", 1)


def test_a_wrong_answer_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def job(_: Round) -> list[Row]:
        message = "the answer is wrong"
        raise BenchError(message)

    monkeypatch.setitem(JOBS, "signals", job)
    with pytest.raises(BenchError, match="the answer is wrong"):
        run("signals")


def test_an_interrupt_leaves_the_complete_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(9))

    def job(now: Round) -> list[Row]:
        if next(count) == 2:
            raise KeyboardInterrupt
        return made("cli_help", "ms", [4.0], quantity="wall")(now)

    monkeypatch.setitem(JOBS, "startup", job)
    report, interrupted = run_page(["startup"], rounds=5, step=lambda _: None)
    assert interrupted
    assert report.provenance["config"]["rounds"] == 2
    assert report.rows[0].samples == [4.0, 4.0]


def test_an_interrupt_in_the_first_round_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def job(_: Round) -> list[Row]:
        raise KeyboardInterrupt

    monkeypatch.setitem(JOBS, "startup", job)
    with pytest.raises(KeyboardInterrupt):
        run("startup")


def test_a_baseline_program_stands_before_the_baseline_of_a_suite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def job(_: Round) -> list[Row]:
        params = {"quantity": "time"}
        row = Row(case="signals", params=params, value=2.0, unit="us", checked=True)
        return [page_suite._changed(row, baseline=5.0)]

    monkeypatch.setitem(JOBS, "signals", job)
    monkeypatch.setattr(page_suite, "has_program", lambda name: name == "signals")
    figures = {"time_ms": 3.0, "cpu_ms": 1.0}
    monkeypatch.setattr(page_suite, "ask_program", lambda *_: figures)
    (row,) = run_page(["signals"], rounds=2, is_full=True, step=lambda _: None)[0].rows
    assert (row.baseline, row.params["baseline"]) == (3.0, "baseline/signals.py")
    assert row.ratio == pytest.approx(1_500.0)


def test_a_quick_run_asks_a_program_only_where_there_is_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def ask(name: str, _: str) -> dict[str, float]:
        asked.append(name)
        return {"time_ms": 8.0}

    monkeypatch.setitem(JOBS, "signals", made("signals", "us", [2.0, 2.0], quantity="time"))
    monkeypatch.setitem(JOBS, "startup", made("cli_help", "ms", [4.0, 2.0], quantity="wall"))
    monkeypatch.setattr(page_suite, "has_program", lambda _: True)
    monkeypatch.setattr(page_suite, "ask_program", ask)
    report, _ = run_page(["signals", "startup"], rounds=2, step=lambda _: None)
    assert asked == ["startup"]
    assert [row.baseline for row in report.rows] == [None, 8.0]
    assert report.rows[1].ratio == pytest.approx(3.0)


def test_a_case_that_cannot_be_measured_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"quantity": "time"}
    row = Row(case="vectors", params=params, value=None, unit="ms", reason="no AVX2 here")
    monkeypatch.setitem(JOBS, "techniques", lambda _: [row])
    rows = {row.params["row"]: row for row in run("techniques", 1).rows}
    assert rows["techniques.simd"].reason == "no AVX2 here"
    assert rows["techniques.pooling"].reason == "the part that measures it gave no such figure"


def test_a_baseline_program_that_fails_leaves_that_of_the_suite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(JOBS, "signals", made("signals", "us", [2.0], quantity="time"))
    monkeypatch.setattr(page_suite, "has_program", lambda _: True)
    monkeypatch.setattr(page_suite, "ask_program", lambda *_: "failed with exit code 1")
    (row,) = run_page(["signals"], rounds=1, is_full=True, step=lambda _: None)[0].rows
    assert (row.baseline, row.ratio) == (None, None)


def test_a_program_that_is_not_there_says_so() -> None:
    assert ask_program("nothing_of_that_name") == "no baseline program"


@pytest.mark.parametrize(
    ("figures", "name", "found"),
    [
        ({"time_ms": 2.0}, "time", (2_000.0, "us")),
        ({"p999_us": 4.0}, "p99.9", (4.0, "us")),
        ({"peak_rss_mb": 9.0}, "peak_rss", (9.0, "MB")),
        ({"orders_per_s": 80.0}, "orders", (80.0, "orders/s")),
        ({"allocations": 7.0}, "allocations", (7.0, "")),
        ({"time_ms": 2.0}, "cpu", None),
    ],
)
def test_figures_are_found_by_name_and_unit(
    figures: dict[str, float], name: str, found: tuple[float, str] | None
) -> None:
    assert figure_of(figures, name) == found


def test_an_unknown_section_is_refused_with_all_names() -> None:
    with pytest.raises(ConfigError, match=r"'nope'.*backtest.*cost"):
        choose_page(["nope"])


def test_steps_are_the_parts_of_the_rows() -> None:
    rows = choose_page([])
    whole = page_steps_of(rows, rounds=1, is_full=True)
    assert whole >= len(JOBS)
    assert page_steps_of(rows, rounds=3, is_full=True) == 3 * whole
    assert page_steps_of(rows, rounds=3, is_full=False) < 3 * whole
