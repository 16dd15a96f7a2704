"""Every command, option, exit code and make target is documented."""

import os
import re
from collections.abc import Iterator

import click
import pytest

from neural_trader.app.cli.main import EXIT_CODES, cli
from tests.tidy.tree import ROOT

CLI_PAGE = ROOT / "docs" / "cli.md"


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command under its full name; a group before its members."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member is not None, f"{path} lists {name} and does not have it"
            yield from commands(member, f"{path} {name}")


@pytest.fixture(scope="module")
def tree() -> dict[str, click.Command]:
    return dict(commands(cli, "neural-trader"))


@pytest.fixture(scope="module")
def leaves(tree: dict[str, click.Command]) -> dict[str, click.Command]:
    return {path: one for path, one in tree.items() if not isinstance(one, click.Group)}


def section(path: str) -> str:
    """Return the part of the page below the heading that holds a command's full name."""
    found = re.search(
        rf"^(#+)[^\n]*?{re.escape(path)}`?\s*$(.*?)(?=^#|\Z)",
        CLI_PAGE.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"docs/cli.md has no heading that ends in {path}"
    return found[2]


def options(command: click.Command) -> list[click.Option]:
    """Return the options of a command."""
    return [one for one in command.params if isinstance(one, click.Option)]


def test_every_command_and_option_says_what_it_does(tree: dict[str, click.Command]) -> None:
    bare = [path for path, command in tree.items() if not command.help]
    bare += [
        f"{path} {option.opts[0]}"
        for path, command in tree.items()
        for option in options(command)
        if not option.help
    ]
    assert bare == []


def test_every_command_is_documented_with_every_option(tree: dict[str, click.Command]) -> None:
    missing = [
        f"{path} {name}"
        for path, command in tree.items()
        for option in options(command)
        for name in option.opts
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", section(path))
    ]
    assert missing == []


def test_every_command_is_documented_with_an_example(leaves: dict[str, click.Command]) -> None:
    missing = [
        path
        for path in leaves
        if not re.search(rf"^\s*(?:\$ )?{re.escape(path)}(?: |$)", section(path), re.MULTILINE)
    ]
    assert missing == []


def test_every_command_prints_json(leaves: dict[str, click.Command]) -> None:
    without = [
        path
        for path, command in leaves.items()
        if "--json" not in {name for option in options(command) for name in option.opts}
    ]
    assert without == []


def test_every_exit_code_is_documented() -> None:
    rows = re.findall(r"^\|\s*`?(\d+)`?\s*\|", CLI_PAGE.read_text(), re.MULTILINE)
    assert {0, 1, 5, 130, *EXIT_CODES.values()} <= {int(code) for code in rows}


def test_make_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split())
    listed = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    assert listed == phony


def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
