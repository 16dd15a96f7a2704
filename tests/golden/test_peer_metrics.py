"""Our metrics are held to what empyrical, quantstats and skfolio said of the bundled prices."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rivals.metrics import compare
from benchmarks.rivals.metrics.conventions import BENCHMARK, RULES, SERIES, START, cases, returns
from neural_trader.portfolio import METRICS

TOLD: dict[str, Any] = json.loads(
    (Path(__file__).parent / "peer-metrics.json").read_text(encoding="utf-8")
)
OURS = {name: cases(of) for name, of in returns().items()}
FIGURES = [
    (name, peer, rule.figure) for name in OURS for peer, rules in RULES.items() for rule in rules
]
PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "peer", "figure"), FIGURES)
def test_a_figure_of_theirs_is_ours_by_the_rule(name: str, peer: str, figure: str) -> None:
    theirs = TOLD["figures"][name][peer]
    assert compare.differences(peer, figure, OURS[name], theirs) == ""


def test_every_figure_has_a_rule_and_the_data_are_those() -> None:
    assert (TOLD["series"], TOLD["benchmark"], TOLD["start"]) == (list(SERIES), BENCHMARK, START)
    assert set(TOLD["versions"]) == set(RULES)
    for name in OURS:
        for peer, rules in RULES.items():
            for figures in TOLD["figures"][name][peer]:
                assert [rule.figure for rule in rules] == list(figures)


def test_a_rule_with_a_reason_is_needed() -> None:
    """Where a reason is given, no figure of ours would do without it, but by another name."""
    for peer, rules in RULES.items():
        for rule in (one for one in rules if one.why and "which is our" not in one.why):
            same = [metric for metric in METRICS if is_ours(peer, rule.figure, metric)]
            assert same == [], f"{peer} {rule.figure}"


def is_ours(peer: str, figure: str, metric: str) -> bool:
    pairs = [
        (case.ours[metric], one[figure])
        for name, own in OURS.items()
        for case, one in zip(own, TOLD["figures"][name][peer], strict=True)
    ]
    return all(abs(here - there) <= compare.TOLERANCE * abs(there) for here, there in pairs)


def test_every_reason_stands_on_the_page() -> None:
    for peer, rules in RULES.items():
        for rule in rules:
            if rule.why:
                assert f"{peer} `{rule.figure}`" in PAGE, f"{peer} {rule.figure}"
                assert rule.why in PAGE, rule.why


def test_a_difference_is_found() -> None:
    theirs = json.loads(json.dumps(TOLD["figures"]["daily"]["skfolio"]))
    theirs[1]["mean"] *= 1.0 + 1e-6
    assert "DIFFERS for XOM" in compare.differences("skfolio", "mean", OURS["daily"], theirs)
