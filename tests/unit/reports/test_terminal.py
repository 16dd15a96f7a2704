import io
import re
import subprocess
import sys

import pytest
from rich.console import Console

from neural_trader.reports import print_result
from tests.reported import AWKWARD, CASES, run_case

EVERY = pytest.mark.parametrize("name", CASES)


def printed(name: str, width: int, *, color: bool = False) -> str:
    out = io.StringIO()
    system = "standard" if color else None
    print_result(
        run_case(name),
        Console(file=out, width=width, force_terminal=color, color_system=system),  # type: ignore[arg-type]
    )
    return out.getvalue()


@EVERY
@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_figure_and_note_fits(name: str, width: int) -> None:
    result, text = run_case(name), printed(name, width)
    lines = text.splitlines()
    assert lines[0] == f"{result.config.strategy.kind}  {' / '.join(result.symbols)}"
    assert [line for line in lines if len(line) > width] == []
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\x1b" not in text
    words = " ".join(text.split())
    for label, value in result.summary.rows:
        assert f"{label} {value}" in words
    for note in result.notes:
        assert f"- {note}" in words


def test_two_columns_where_they_fit() -> None:
    rows = len(run_case("pairs").summary.rows)
    assert printed("pairs", 80).splitlines().index("") == 1 + rows
    assert printed("pairs", 120).splitlines().index("") == 1 + -(-rows // 2)


def test_nothing_is_lost_in_a_window_that_is_too_narrow() -> None:
    assert printed("pairs", 20).count("94,125.7814") == 1


def test_losses_are_red_where_there_is_color() -> None:
    text = printed("pairs", 80, color=True)
    assert re.search(r"\x1b\[31m *-5\.87 %\x1b\[0m", text)
    assert not re.search(r"\x1b\[31m *94,125", text)


def test_names_from_users_are_no_markup() -> None:
    assert " / ".join(AWKWARD) in printed("awkward names", 80)


def test_standard_output_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(run_case("no trade"))
    assert capsys.readouterr().out.startswith("pairs  KO / PEP\n")


def test_the_room_is_entered_without_rich_or_polars() -> None:
    program = "import sys, neural_trader.reports; print({'rich', 'polars'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
