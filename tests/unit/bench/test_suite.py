"""A suite runs what is asked for, and an interrupt keeps the rounds that are complete."""

import platform
from collections.abc import Sequence

import pytest

from neural_trader.bench import choose_cases, run_suite, steps_of
from neural_trader.bench import suite as module
from neural_trader.bench.cases import CASES
from neural_trader.core import ConfigError

PROCESS = {"wall_ms": 1.0, "cpu_ms": 1.0, "peak_rss_mb": 1.0}


def names(chosen: Sequence[str]) -> tuple[list[str], list[str]]:
    cases, cli = choose_cases(chosen)
    return [case.name for case in cases], cli


def test_everything_is_chosen_unless_cases_are_named() -> None:
    assert names([]) == ([case.name for case in CASES], ["cli_backtest", "cli_help"])
    assert names(["sma_1y", "cli_help"]) == (["sma_1y"], ["cli_help"])


def test_an_unknown_case_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"case is 'pairs_2y'; expected one of pairs_1y, .*help"):
        choose_cases(["pairs_1y", "pairs_2y"])


def test_steps_count_every_process_of_a_round() -> None:
    cases, cli = choose_cases([])
    assert steps_of(cases, cli=cli, peers=[]) == 4 * 3 + 2
    assert steps_of([], cli=["cli_help"], peers=[]) == 1


def interrupted_in_round(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    rounds = iter(range(1, 10))

    def measure_cli(names: Sequence[str], *, step: object) -> dict[str, dict[str, float]]:
        if next(rounds) == last:
            raise KeyboardInterrupt
        return dict.fromkeys(names, PROCESS)

    monkeypatch.setattr(module, "measure_cli", measure_cli)


def test_an_interrupt_keeps_the_complete_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_in_round(monkeypatch, 3)
    report, was_interrupted = run_suite([], rounds=5, cli=["cli_help"], step=lambda _: None)
    assert was_interrupted
    assert report.provenance["config"]["rounds"] == 2
    assert [row.value for row in report.rows] == [1.0, 1.0, 1.0]


def test_an_interrupt_before_the_first_round_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_in_round(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        run_suite([], rounds=5, cli=["cli_help"], step=lambda _: None)


def test_a_report_says_on_what_and_with_what_it_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interrupted_in_round(monkeypatch, 2)
    report, was_interrupted = run_suite([], rounds=1, cli=["cli_help"], step=lambda _: None)
    assert not was_interrupted
    assert set(report.machine) == {
        "processor", "cores", "memory_gb", "system", "python", "load_1min",
    }  # fmt: skip
    assert set(report.provenance) == {
        "version", "commit", "config", "data_name", "data_hash", "measured_at", "packages",
        "python",
    }  # fmt: skip
    assert report.provenance["python"] == platform.python_version()
    assert report.provenance["data_hash"].startswith("sha256:")
