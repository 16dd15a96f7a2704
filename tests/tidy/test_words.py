"""The project speaks of itself alone: no paths or hosts of the machine on which it was written."""

import re
from pathlib import Path

import pytest

from tests.tidy.tree import files, name_of

TEXT = {"", ".cfg", ".css", ".csv", ".html", ".in", ".js", ".json", ".md", ".py", ".pyi", ".toml"}
TEXT |= {".c", ".txt", ".yaml", ".yml"}
BANNED = {
    "a path of one machine": re.compile(
        r"(?<![\w.~$}/])/(?:home|media|mnt|opt|private|root|tmp|Users|work)/(?!anyone\b|you\b)\w"
    ),
    "a package index": re.compile(
        r"https?://[^\s/]*(?:pypi|pythonhosted|artifactory|nexus)|--(?:extra-)?index-url"
        r"|--find-links|trusted-host",
        re.IGNORECASE,
    ),
    "an address of one network": re.compile(
        r"\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\b"
    ),
    "work left open": re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))"),
}
SAMPLES = {
    "a path of one machine": "see /" + "home/anna/prices.csv",
    "a package index": "pip install --" + "index-url somewhere",
    "an address of one network": "ssh 192.168" + ".0.7",
    "work left open": "# TO" + "DO: later",
}


@pytest.mark.parametrize("kind", BANNED)
def test_no_file_holds(kind: str) -> None:
    found = []
    for path in files():
        if path.suffix in TEXT and path != Path(__file__):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if BANNED[kind].search(line):
                    found.append(f"{name_of(path)}:{number}: {line.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize("kind", BANNED)
def test_the_search_finds(kind: str) -> None:
    assert BANNED[kind].search(SAMPLES[kind])
