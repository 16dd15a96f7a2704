"""One version everywhere, and one pin for everything that is installed."""

import re
import tomllib
from importlib.metadata import version
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from neural_trader.core.version import VERSION
from tests.tidy.tree import ROOT


def project() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins() -> dict[str, str]:
    """Return the constraints as name and version."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): pin for name, pin in pairs}


def test_one_version() -> None:
    changes = re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert project()["project"]["version"] == VERSION
    assert changes[0] in {VERSION, "Unreleased"}
    assert VERSION in changes
    assert version("neural-trader") == VERSION


def test_constraints_are_names_and_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.!+-]+", line)]
    assert odd == []


def test_every_requirement_is_pinned_within_its_range() -> None:
    table = project()
    wanted = [
        *table["build-system"]["requires"],
        *table["project"]["dependencies"],
        *(
            name
            for extra in ("dev", "pandas")
            for name in table["project"]["optional-dependencies"][extra]
        ),
    ]
    pinned = pins()
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])
