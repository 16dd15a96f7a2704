"""Evaluation cards as text and as a page."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import neural_trader as nt
from neural_trader.core import ConfigError, DataError
from neural_trader.reports import print_card
from neural_trader.reports.card_page import render_card
from tests.made_cards import judged_artefact, made_card
from tests.made_forecasts import made_artefact


def printed(card: dict[str, Any], width: int = 120) -> str:
    text = StringIO()
    print_card(card, Console(file=text, width=width))
    return text.getvalue()


def test_the_verdict_comes_first_and_the_figures_follow() -> None:
    card = made_card()
    text = printed(card)
    assert " ".join(text.split()).startswith(card["verdict"])
    for words in ("skill over drift", "Diebold-Mariano, naive", "rank IC", "Sharpe net of 10 bps"):
        assert words in text
    rows = {line.split()[0]: line.split()[-1] for line in text.splitlines() if line[:1] == "S"}
    assert {name: rows[name] for name in ("S0", "S1", "S2", "S3")} == {
        "S0": "nhits", "S1": "drift", "S2": "nhits", "S3": "drift",
    }  # fmt: skip


def test_undefined_figures_are_said_to_be_so() -> None:
    card = made_card()
    card["skill"]["naive"] = {"value": None, "lower": None, "upper": None}
    card["trading"] = {"reason": "values of any sign have no returns"}
    card["cross_section"] = {"reason": "1 series"}
    text = printed(card)
    assert re.search(r"skill over naive +undefined", text)
    assert "n/a: values of any sign" in text
    assert "n/a: 1 series" in text


def test_a_network_that_was_not_judged_has_no_card() -> None:
    with pytest.raises(DataError, match="imported, and not judged"):
        print_card({})
    with pytest.raises(DataError, match="imported, and not judged"):
        render_card(made_artefact(card={}))


def test_a_page_is_one_file_that_asks_nobody(tmp_path: Path) -> None:
    artefact = judged_artefact()
    path = nt.report(artefact, tmp_path / "card.html")
    page = path.read_text()
    assert page == render_card(artefact)
    assert artefact.card["verdict"] in page
    assert page.count('<svg class="plot"') == 1 + 2 + 2
    assert "survivors: they are known today" in page
    assert "3 different trainings were judged" in page
    assert "http:" not in page
    assert "https:" not in page
    assert "NaN" not in page
    assert "None" not in page


def test_names_are_escaped() -> None:
    artefact = judged_artefact()
    card = dict(artefact.card)
    evil = "<script>alert(1)</script>"
    card["by_series"] = {evil: card["by_series"]["S0"]}
    card["fan"] = card["fan"] | {"series": {evil: card["fan"]["series"]["S0"]}}
    card["series"], card["verdict"] = [evil], evil
    assert "<script" not in render_card(artefact._replace(card=card))


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nt\.sweep or nt\.forecast\.train returned"):
        nt.report({"verdict": "good"}, tmp_path / "x.html")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
