"""The cases ask for the work that their names promise, anew in every run."""

from itertools import pairwise

import pytest

from neural_trader.bench.cases import CASES, CLI_ANSWER, CLI_ARGUMENTS, Case, find_case

IDS = [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_bars_are_as_many_as_the_row_says(case: Case) -> None:
    bars = case.bars()
    assert list(bars.symbols) == case.symbols
    assert [len(bars[symbol].close) for symbol in case.symbols] == [
        case.params["bars"] for _ in case.symbols
    ]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_no_two_runs_have_the_same_parameters(case: Case) -> None:
    runs = {repr(case.strategy(run)) for run in range(case.runs + 1)}
    assert len(runs) == case.runs + 1


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_row_names_the_parameters_of_the_run(case: Case) -> None:
    strategy = case.strategy(0)
    named = {name: value for name, value in case.params.items() if name not in ("symbols", "bars")}
    assert named == {name: getattr(strategy, name) for name in named}


def test_the_timed_command_line_is_the_case_that_it_is_compared_with() -> None:
    case, options = find_case(CLI_ANSWER), dict(pairwise(CLI_ARGUMENTS))
    assert case.year
    assert options["--start"] == "2021-01-01"
    assert options["--symbols"].split(",") == case.symbols
    strategy = case.strategy(0)
    for name in ("lookback", "entry", "exit", "gross"):
        assert float(options[f"--{name}"]) == float(getattr(strategy, name))
