"""The performance page as files: complete, self-contained, escaped, the same bytes."""

import re
from pathlib import Path
from typing import Any

import pytest

from neural_trader.bench.page import PAGE, SECTIONS
from neural_trader.bench.page_view import show_page
from neural_trader.bench.rows import Row
from neural_trader.core import DataError
from neural_trader.reports import write_performance
from neural_trader.reports.performance_drawings import Mark, dots, speed_ups
from neural_trader.reports.performance_page import render_html
from neural_trader.reports.performance_text import render_markdown
from tests.unit.bench.test_page_view import make_report, make_row


def make_page(**more: Any) -> dict[str, Any]:
    """Return a page on which every row that has a source is measured."""
    rows = [
        make_row(row.id, (row.rust or 2.0) / 2.0, row.unit, samples=[1.0, 1.1, 1.2], limit=0.5)
        for row in PAGE
        if not isinstance(row.source, str)
    ]
    return show_page(make_report(*rows, **more))


def test_every_row_stands_on_both() -> None:
    page = make_page()
    markdown, html = render_markdown(page), render_html(page)
    for section in SECTIONS:
        assert f"## {section.title}" in markdown
        assert f'id="{section.name}"' in html
        assert f"    {section.command}" in markdown
    words = [row["words"] for section in page["sections"] for row in section["rows"]]
    assert len(words) == len(PAGE)
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    for text in words:
        assert any(line.startswith(f"| {text} |") for line in lines), text
    assert html.count('<th scope="row">') == len(PAGE) + len(page["machine"]) + len(
        page["provenance"]
    )


def test_what_is_not_measured_says_why() -> None:
    page = show_page(make_report(make_row("signals.time", 3.0)))
    for text in (render_markdown(page), render_html(page)):
        assert "it takes a deployment and months of its log" in text or "no such row" in text
        assert text.count("not measured") >= len(PAGE) - 1


def test_the_page_asks_for_nothing() -> None:
    html = render_html(make_page())
    assert len(html) < 1_000_000
    assert "<script" not in html
    assert not re.search(r"(?:src|href)=\"(?!#)", html)
    assert "http" not in html.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in html


def test_it_has_its_drawings() -> None:
    html = render_html(make_page())
    labels = set(re.findall(r'aria-label="([^"]+)"', html))
    assert {
        "How many times better than the Rust claim each row is",
        "Latency of an order by quantile",
        "Latency under load",
        "Speed-up by workers",
    } <= labels


def test_words_of_a_report_are_escaped() -> None:
    row = Row(
        case="signals",
        params={"row": "signals.time"},
        value=None,
        unit="ms",
        reason="<b>no</b> & | none",
    )
    page = show_page(make_report(row))
    assert "&lt;b&gt;no&lt;/b&gt; &amp; | none" in render_html(page)
    assert "<b>no</b> & \\| none" in render_markdown(page)


def test_files_are_the_same_bytes_and_whole(tmp_path: Path) -> None:
    first = write_performance(make_page(), tmp_path / "out")
    before = [path.read_bytes() for path in first]
    assert [path.name for path in first] == ["performance.md", "performance.html"]
    second = write_performance(make_page(), tmp_path / "out")
    assert [path.read_bytes() for path in second] == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "performance.html",
        "performance.md",
    ]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot make the folder"):
        write_performance(make_page(), tmp_path / "no" / "such")


def test_dots_stand_in_the_order_of_their_values() -> None:
    marks = [Mark("ours", 0.1, "a"), Mark("claim", 10.0, "b"), Mark("base", 0.0, "zero")]
    drawn = dots([("P50", marks)], "a label", unit="ms")
    (ours,) = re.findall(r'<circle class="ours" cx="([\d.]+)"', drawn)
    (claim,) = re.findall(r'<path class="claim" d="M([\d.]+)', drawn)
    assert float(ours) < float(claim)
    assert "base" not in drawn
    assert dots([("P50", [])], "a label", unit="ms") == ""


def test_speed_ups_rise_with_their_values_and_shade_what_is_beyond() -> None:
    lines = {"ours": [(1, 1.0), (2, 1.9), (4, 2.0)]}
    drawn = speed_ups(lines, "a label", 2)
    heights = [
        float(y) for y in re.findall(r'<circle class="ours" cx="[\d.]+" cy="([\d.]+)"', drawn)
    ]
    assert heights == sorted(heights, reverse=True)
    assert "beyond the 2 cores" in drawn
    assert "beyond" not in speed_ups(lines, "a label", 8)
    assert speed_ups({"ours": [(1, 1.0)]}, "a label", 2) == ""
