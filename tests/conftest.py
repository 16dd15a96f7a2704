"""What every test shares: how hypothesis searches, and how golden results are kept."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Machines differ in speed, so no example may fail for being slow. Where CI is set, every run tries
# the same examples: a red run there can be repeated anywhere.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden results anew (make golden)"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Hold a text to the file of that name in tests/golden; with --update-golden, write it."""

    def hold(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        else:
            assert path.is_file(), f"{name} has never been written: make golden"
            assert text == path.read_text(encoding="utf-8"), "if this is meant: make golden"

    return hold
