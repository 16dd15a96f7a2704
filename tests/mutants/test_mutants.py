"""The tool that plants bugs: what it plants, where, and that the simulator finds it."""

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants.choice import GROUPS, all_mutants, bugs, choose, equivalents, source_of
from tests.mutants.operators import mutants_of
from tests.mutants.planting import Copy, PatchError, patched

FOUND_BY_SIMULATION = ("fill_booked_twice", "denied_order_sent", "silence_is_rejection")
SAMPLE = '''
"""A docstring with 1 + 1."""
SIZE: Final[dict[int, int]] = 3

class Desk:
    """Another, 2 < 3."""
    __slots__ = ("a", "b")

    def cut(self, data: list[int], at: int = 0) -> list[int]:
        """Say so."""
        known = len(data) + 1
        if at <= 5 and not data:
            log.info("%d of %d", at + 1, known)
            message = f"{known + 1} is too many"
            raise ValueError(message)
        data.sort()
        return data[at : min(at, 7)]
'''
OF_SAMPLE = [
    "desk.py:<module>:number:1:3→4",
    "desk.py:Desk.cut:number:1:0→1",
    "desk.py:Desk.cut:if:1:not",
    "desk.py:Desk.cut:if:1:True",
    "desk.py:Desk.cut:if:1:False",
    "desk.py:Desk.cut:boolean:1:and→or",
    "desk.py:Desk.cut:compare:1:<=→<",
    "desk.py:Desk.cut:number:2:5→6",
    "desk.py:Desk.cut:boolean:2:not→",
    "desk.py:Desk.cut:drop:1:pass",
    "desk.py:Desk.cut:return:1:None",
    "desk.py:Desk.cut:slice:1:from+1",
    "desk.py:Desk.cut:slice:2:to+1",
    "desk.py:Desk.cut:minmax:1:min→max",
    "desk.py:Desk.cut:number:3:7→8",
]


@pytest.fixture(scope="module")
def plot(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the package."""
    return Copy(tmp_path_factory.mktemp("mutants"))


@pytest.fixture
def copy(plot: Copy) -> Iterator[Copy]:
    yield plot
    plot.restore()


# ------------------------------------------------------------------------------------ named bugs
def test_there_are_eight_bugs_and_each_says_what_it_does() -> None:
    heads = [path.read_text().splitlines()[0] for path in bugs()]
    assert len(heads) == 8
    assert all(head.endswith(".") and not head.startswith("-") for head in heads)


@pytest.mark.parametrize("path", bugs(), ids=lambda path: path.stem)
def test_a_named_bug_still_applies(path: Path) -> None:
    for name, text in patched(path.read_text()).items():
        ast.parse(text, name)


@pytest.mark.parametrize("name", FOUND_BY_SIMULATION)
def test_the_simulator_finds_a_named_bug(name: str, copy: Copy) -> None:
    (path,) = (path for path in bugs() if path.stem == name)
    copy.plant(patched(path.read_text()))
    found = copy.try_tests("simulation", seeds_max=40, timeout_s=60.0)
    assert found.code == 1, found.said[-2_000:]
    assert "tests/simulation/" in found.failed


def test_where_nothing_is_planted_nothing_is_found(copy: Copy) -> None:
    outcome = copy.try_tests("conformance", seeds_max=2, timeout_s=60.0)
    assert outcome.code == 0, outcome.said[-2_000:]


def test_a_copy_that_cannot_be_imported_is_found_and_restored(copy: Copy) -> None:
    name = "src/neural_trader/__init__.py"
    good = (copy.folder / name).read_text()
    copy.plant({name: "raise SystemError"})
    assert copy.try_tests("conformance", seeds_max=1, timeout_s=60.0).code == 1
    copy.restore()
    assert (copy.folder / name).read_text() == good


def test_a_patch_is_found_lines_away_and_refused_where_its_text_is_gone(tmp_path: Path) -> None:
    old = [f"line {number}\n" for number in range(20)]
    new = [*old[:4], "more\n", *old[4:14], *old[15:]]
    patch = "Why.\n" + "".join(difflib.unified_diff(old, new, "a/one.txt", "b/one.txt"))
    for before in ([], ["above\n"] * 7):
        (tmp_path / "one.txt").write_text("".join(before + old))
        assert patched(patch, tmp_path) == {"one.txt": "".join(before + new)}
    (tmp_path / "one.txt").write_text("".join(old[:13] + old[16:]))
    with pytest.raises(PatchError, match="is not there"):
        patched(patch, tmp_path)


# ---------------------------------------------------------------------------------------- mutants
def test_a_mutant_is_one_change_under_a_name_that_counts_no_lines() -> None:
    assert [one.name for one in mutants_of("desk.py", SAMPLE)] == OF_SAMPLE
    moved = SAMPLE.replace("class Desk", "\n\nOTHER = '§'\n\nclass Desk")
    assert [one.name for one in mutants_of("desk.py", moved)] == OF_SAMPLE
    for source in (SAMPLE, moved):
        planted = {one.name: one.planted(source) for one in mutants_of("desk.py", source)}
        assert len(set(planted.values())) == len(OF_SAMPLE)
        assert "if (at < 5) and not data:" in planted["desk.py:Desk.cut:compare:1:<=→<"]
        assert "max(at, 7)" in planted["desk.py:Desk.cut:minmax:1:min→max"]


def test_every_mutant_of_the_order_path_is_a_program_and_another_one() -> None:
    names = []
    for found in all_mutants().values():
        for one in found:
            source = source_of(one.path)
            start = source.encode()[: one.start].decode().count("\n")
            assert one.planted(source) != source
            names.append(one.name)
            assert one.shown(source).startswith(f"line {start + 1}: ")
        # All of them would take seconds to parse.
        for one in found[::23]:
            ast.parse(one.planted(source_of(one.path)))
    assert len(set(names)) == len(names)


def test_the_choice_is_the_same_for_a_seed_and_even_over_the_groups() -> None:
    known = all_mutants()
    chosen = choose(known, 100, 1)
    assert chosen == choose(all_mutants(), 100, 1)
    assert chosen != choose(known, 100, 2)
    assert {group: len(found) for group, found in chosen.items()} == dict(
        zip(GROUPS, (34, 33, 33), strict=True)
    )


def test_what_is_listed_as_equivalent_is_there_with_a_reason() -> None:
    names = {one.name for found in all_mutants().values() for one in found}
    assert set(equivalents()) - names == set()
    assert [name for name, reason in equivalents().items() if len(reason.split()) < 5] == []
