"""Reports in a real browser, used as a reader uses them."""

import html
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from tests.reported import CASES, run_case
from tests.tear_sheets import SHEETS, sheet_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on PATH: reports are not tried in a browser"
)

LIGHT, DARK = "rgb(251, 251, 250)", "rgb(20, 23, 27)"
LEGS = {LIGHT: ("31,95,191", "180,83,9"), DARK: ("125,178,255", "243,176,97")}
WIDE, NARROW = 1400, 390
LISTEN = """<script>
const problems = [];
addEventListener("error", (event) => problems.push(event.message));
addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => problems.push(event.violatedDirective));
console.error = console.warn = (...words) => problems.push(words.join(" "));
</script>"""
PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@cache
def open_report(name: str, width: int, *, dark: bool, folder: Path) -> dict[str, Any]:
    """Open a report in a frame of a width, use it, and return what the probe told."""
    made = sheet_of(name) if name in SHEETS else run_case(name)
    text = nt.report(made, folder / "report.html").read_text(encoding="utf-8")
    text = text.replace("<title>", f"{LISTEN}<title>", 1)
    text = text.replace("</body>", f"<script>{PROBE}</script></body>", 1)
    # A frame, since a window of a desktop browser has a least width.
    frame = f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{html.escape(text)}">'
    told = (
        "<script>addEventListener('message', (e) => document.body.dataset.told = e.data)</script>"
    )
    (folder / "frame.html").write_text(
        f"<!doctype html><meta charset=utf-8><body>{told}{frame}</iframe>", encoding="utf-8"
    )
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", f"--user-data-dir={folder / 'profile'}", "--window-size=1600,1000",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        "--virtual-time-budget=8000", "--dump-dom", (folder / "frame.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'data-told="([^"]*)"', done.stdout)
    assert found, f"the probe told nothing: {done.stderr[-2000:]}"
    answer: dict[str, Any] = json.loads(html.unescape(found[1]))
    return answer


VIEWS = [
    ("pairs", WIDE, False),
    ("pairs", NARROW, True),
    ("pairs of one year", NARROW, False),
    ("sma-cross, open at the end", WIDE, True),
    ("awkward names", NARROW, False),
]


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_run_opens_without_a_problem(name: str, folder: Path) -> None:
    told = open_report(name, WIDE, dark=False, folder=folder)
    assert told["problems"] == []
    assert len(told["drawn"]) == len(told["titles"]) >= 3
    assert all(told["drawn"])


@pytest.mark.parametrize(("name", "width", "dark"), VIEWS)
def test_charts_are_drawn_in_the_colors_of_the_view(
    name: str, width: int, dark: bool, folder: Path
) -> None:
    told = open_report(name, width, dark=dark, folder=folder)
    assert told["problems"] == []
    assert told["width"] == width
    assert told["overflow"] <= 0, "the page scrolls sideways"
    assert told["background"] == (DARK if dark else LIGHT)
    first, second = LEGS[told["background"]]
    prices = told["drawn"][0]
    assert prices.get(first, 0) > 100
    assert (prices.get(second, 0) > 100) == (len(run_case(name).symbols) == 2)


@pytest.mark.parametrize(("name", "width", "dark"), VIEWS)
def test_paper_is_light(name: str, width: int, dark: bool, folder: Path) -> None:
    printed = open_report(name, width, dark=dark, folder=folder)["printed"]
    assert printed["background"] == LIGHT
    assert printed["drawn"][0].get(LEGS[LIGHT][0], 0) > 100


def test_the_legend_tells_date_and_values(folder: Path) -> None:
    told = open_report("pairs of one year", WIDE, dark=False, folder=folder)
    prices, z, equity, drawdown, profits = told["legends"]
    result = run_case("pairs of one year")
    assert prices.split() == ["date2021-12-31KO56.64PEP166.88"]
    assert z == f"date2021-12-31z-score{result.signals['z_score'][-1]:.2f}".replace(
        "-0.", "\u22120."
    )
    assert equity.startswith("date2021-12-31equity99,486.61")
    assert drawdown == "date2021-12-31drawdown\u22120.51 %"
    assert profits == "date2021-10-19, no. 2P&L\u2212337.18"


def test_a_range_is_chosen_by_button_and_key_for_all_charts(folder: Path) -> None:
    told = open_report("pairs", WIDE, dark=False, folder=folder)
    assert told["disabled"] == ["earlier", "later", "farther", "all"]
    nearer = told["nearer"]
    assert nearer["disabled"] == []
    dates = {legend[:14] for legend in nearer["legends"][:4]}
    assert len(dates) == 1, "the charts show different ranges"
    assert "date1998" < dates.pop() < "date2020"
    assert nearer["drawn"] != told["drawn"]
    assert told["back"]["disabled"] == told["disabled"]
    assert told["back"]["legends"] == told["legends"]
    assert told["back"]["focused"], "drawing took the focus away"


def test_buy_and_hold_can_be_shown_by_key(folder: Path) -> None:
    told = open_report("pairs", WIDE, dark=False, folder=folder)
    assert told["pressed"] == ["false", "true"]
    color = LEGS[LIGHT][1]
    assert told["drawn"][2].get(color, 0) == 0
    assert told["toggled"][2].get(color, 0) > 100


@pytest.mark.parametrize("name", SHEETS)
def test_every_tear_sheet_opens_without_a_problem(name: str, folder: Path) -> None:
    told = open_report(name, WIDE, dark=False, folder=folder)
    assert told["problems"] == []
    assert told["overflow"] <= 0, "the page scrolls sideways"
    assert len(told["drawn"]) == len(told["titles"]) >= 2
    assert all(told["drawn"])


@pytest.mark.parametrize(
    ("name", "dark"), [("one series", True), ("all prices", False), ("names to escape", True)]
)
def test_a_tear_sheet_fits_a_phone_and_its_colors(name: str, dark: bool, folder: Path) -> None:
    told = open_report(name, NARROW, dark=dark, folder=folder)
    assert told["problems"] == []
    assert told["overflow"] <= 0, "the page scrolls sideways"
    assert told["background"] == (DARK if dark else LIGHT)
    growth = told["drawn"][0]
    assert growth.get(LEGS[told["background"]][0], 0) > 100
    assert told["printed"]["background"] == LIGHT


def test_a_line_of_a_tear_sheet_can_be_switched_off(folder: Path) -> None:
    told = open_report("late and early", WIDE, dark=False, folder=folder)
    assert told["pressed"] == ["true", "false"]
    color = LEGS[LIGHT][0]
    assert told["drawn"][0].get(color, 0) > 100
    assert told["toggled"][0].get(color, 0) == 0
