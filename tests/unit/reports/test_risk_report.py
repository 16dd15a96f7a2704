import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.reports import print_risk, print_risk_backtest, print_stress, risk_report
from neural_trader.reports.formats import number
from neural_trader.risk import (
    RiskConfig,
    StressPlan,
    backtest_risk,
    measure_risk,
    read_situation,
    stress,
)
from tests.unit.risk.desk import LINEAR, WITH_OPTION, drawn, on_sample, prices


class Checker(HTMLParser):
    """Holds every tag to be closed in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(value is not None for name, value in attrs if name != "hidden")
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(situation: Any, path: Path, **how: Any) -> str:
    text = risk_report(situation, path, **how).read_text()
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert re.findall(r"\b(?:nan|inf)\b", text) == []
    return text


@pytest.mark.parametrize("method", ["historical", "normal", "fhs", "monte-carlo"])
def test_the_page_has_every_figure(method: Any, tmp_path: Path) -> None:
    situation = on_sample(WITH_OPTION, window=800)
    config = RiskConfig(method=method, simulations=2_000)
    plan = StressPlan(reverse=500.0)
    page = page_of(situation, tmp_path / "r.html", config=config, plan=plan, days=60)
    found = measure_risk(situation, config)
    for value in (found.var, found.es, *found.components.values(), *found.incremental.values()):
        assert number(value) in page
    assert ("± " in page) or method == "normal"
    for one in stress(situation, plan).losses:
        assert number(0.0 - one.loss) in page
    tested = backtest_risk(situation, config, window=400, start=None).tests
    assert tested["days"] == 400
    assert page.count('class="hit"') <= 60


def test_a_page_says_what_it_lacks(tmp_path: Path) -> None:
    returns = drawn(150, 1)
    returns[50] = -0.4
    held = {"positions": [{"symbol": "<A&B>", "qty": 1}]}
    situation = read_situation(held, prices(returns, ("<A&B>",)))
    page = page_of(situation, tmp_path / "r.html", config=RiskConfig(method="cornish-fisher"))
    assert "outside the domain" in page
    assert "&lt;A&amp;B&gt;" in page
    assert "<A&B>" not in page
    assert "left out: 1990 reaches from" in page
    assert "of 150 losses lie beyond" in page or "needs" in page


def test_a_page_of_nothing(tmp_path: Path) -> None:
    held = {"positions": [{"symbol": "KO", "qty": 0}]}
    page = page_of(on_sample(held), tmp_path / "r.html")
    assert "net to nothing" in page
    assert "no risk to test" in page


def test_what_cannot_be_leaves_no_file(tmp_path: Path) -> None:
    situation = on_sample(LINEAR, window=300)
    with pytest.raises(ConfigError, match="days is 0"):
        risk_report(situation, tmp_path / "r.html", days=0)
    with pytest.raises(DataError):
        risk_report(situation, tmp_path / "none" / "r.html", days=5)
    with pytest.raises(DataError, match="hold no tail"):
        risk_report(situation, tmp_path / "r.html", config=RiskConfig(confidence=0.9999))
    assert list(tmp_path.iterdir()) == []


def test_terminals_show_all(capsys: pytest.CaptureFixture[str]) -> None:
    situation = on_sample(LINEAR)
    found = measure_risk(situation, RiskConfig(method="evt"))
    print_risk(found)
    text = capsys.readouterr().out
    assert number(found.var) in text
    assert "threshold" in text
    assert "not defined: a closed form" in text
    print_stress(stress(situation, StressPlan(reverse=400.0)))
    assert "most likely way to lose 400.00: closed form, linear" in capsys.readouterr().out
    tested = backtest_risk(situation, RiskConfig(confidence=0.95), start="2022-01-03")
    print_risk_backtest(tested)
    text = capsys.readouterr().out
    assert f"{tested.tests['exceptions']} exceptions on 249 days" in text
    worst = np.argmax(tested.losses - tested.var)
    assert number(float(tested.losses[worst])) in text
    assert math.isfinite(tested.tests["z2"]["statistic"])
