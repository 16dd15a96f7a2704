"""The page of docs/performance.md has every row that the system is described by."""

import re

from neural_trader.bench.page import PAGE, SECTIONS
from tests.tidy.tree import ROOT

TEXT = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def rows_of(title: str) -> list[list[str]]:
    """Return the cells of the rows of a section, its head and rule left out."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"docs/performance.md has no section {title!r}: write it anew with bench report"
    lines = [line for line in found[1].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_every_row_of_the_page_is_written_down() -> None:
    for section in SECTIONS:
        words = [re.sub(r" \(beyond .*\)$", "", row[0]) for row in rows_of(section.title)]
        assert words == [row.words for row in PAGE if row.section == section.name]


def test_every_row_is_measured_or_says_that_it_is_not() -> None:
    for section in SECTIONS:
        for row in rows_of(section.title):
            assert row[4] == "not measured" or re.fullmatch(r"\*\*[\d,.]+ ?[\w/%]*\*\*", row[4])


def test_every_section_has_its_command_and_the_page_its_machine() -> None:
    for section in SECTIONS:
        assert f"    {section.command}\n" in TEXT
    for name in ("processor", "load, a minute's mean", "commit", "measured at"):
        assert re.search(rf"^\| {re.escape(name)} \| \S", TEXT, re.MULTILINE)
