"""The wheel test notices packages that lack something, hold too much, or answer wrongly."""

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts import wheel_test
from scripts.wheel_test import CheckError

RIGHT = {"trades": 2, "fills": 8, "final_equity": 99_486.60967492}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project that has all a project needs."""
    root = tmp_path / "project"
    package = root / "src" / "neural_trader"
    for name in (*wheel_test.SDIST_FILES, "tests/test_it.py", "docs/page.md"):
        write(root / name)
    for name in ("__init__.py", "py.typed", "data/samples/a.parquet", "_kernels/pairs.pyi"):
        write(package / name)
    for name in ("pairs.py", "pairs.c", "pairs.cpython-311-x.so", "built.json"):
        write(package / "_kernels" / name)
    write(package / "__pycache__" / "it.cpython-311.pyc")
    monkeypatch.setattr(wheel_test, "ROOT", root)
    monkeypatch.setattr(wheel_test, "PACKAGE", package)
    return root


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


def wheel_of(tree: Path, *, without: str = "", extra: str = "") -> Path:
    """Return a wheel of the small project."""
    path = tree / "it.whl"
    names = {str(file.relative_to(tree / "src")) for file in wheel_test.shipped(tree / "src")}
    kernels = "neural_trader/_kernels"
    names |= {f"{kernels}/pairs.cpython-311-x.so", f"{kernels}/built.json"}
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted((names - {without}) | ({extra} if extra else set())):
            archive.writestr(name, "")
    return path


def sdist_of(tree: Path, *, without: str = "", extra: str = "") -> Path:
    """Return a tarball of the small project."""
    path = tree.parent / "it.tar.gz"
    names = {str(file.relative_to(tree)) for file in wheel_test.shipped(tree)}
    with tarfile.open(path, "w:gz") as archive:
        for name in sorted((names - {without}) | ({extra} if extra else set())):
            archive.addfile(tarfile.TarInfo(f"neural_trader-0.1.0/{name}"))
    return path


def test_whole_packages_pass(tree: Path) -> None:
    wheel_test.check_sdist(sdist_of(tree))
    wheel_test.check_wheel(wheel_of(tree))


@pytest.mark.parametrize("name", ["Makefile", "tests/test_it.py", "src/neural_trader/py.typed"])
def test_a_tarball_that_lacks_something_is_named(tree: Path, name: str) -> None:
    with pytest.raises(CheckError, match=f"lacks {name}"):
        wheel_test.check_sdist(sdist_of(tree, without=name))


@pytest.mark.parametrize(
    "name", ["src/neural_trader/_kernels/pairs.c", "src/a/__pycache__/b.pyc", "src/a/b.so"]
)
def test_a_tarball_that_holds_something_built_is_named(tree: Path, name: str) -> None:
    with pytest.raises(CheckError, match=f"holds {name}"):
        wheel_test.check_sdist(sdist_of(tree, extra=name))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("neural_trader/_kernels/pairs.pyi", "lacks neural_trader/_kernels/pairs.pyi"),
        ("neural_trader/_kernels/pairs.cpython-311-x.so", "lacks the compiled kernel pairs"),
        ("neural_trader/_kernels/built.json", "lacks neural_trader/_kernels/built.json"),
        ("neural_trader/data/samples/a.parquet", "lacks neural_trader/data/samples/a.parquet"),
    ],
)
def test_a_wheel_that_lacks_something_is_named(tree: Path, name: str, said: str) -> None:
    with pytest.raises(CheckError, match=said):
        wheel_test.check_wheel(wheel_of(tree, without=name))


@pytest.mark.parametrize("name", ["neural_trader/_kernels/pairs.c", "tests/test_it.py"])
def test_a_wheel_that_holds_a_stranger_is_named(tree: Path, name: str) -> None:
    with pytest.raises(CheckError, match=f"holds {name}"):
        wheel_test.check_wheel(wheel_of(tree, extra=name))


def test_the_right_answer_passes() -> None:
    wheel_test.check_answer(dict(RIGHT), "warm")


@pytest.mark.parametrize(
    ("name", "value"),
    [("trades", 3), ("fills", None), ("final_equity", 99_486.61), ("final_equity", "99486.6097")],
)
def test_a_wrong_answer_is_named(name: str, value: object) -> None:
    with pytest.raises(CheckError, match=f"the cold backtest answers {name}"):
        wheel_test.check_answer(RIGHT | {name: value}, "cold")


def test_a_command_that_fails_is_quoted() -> None:
    program = "import sys; print('the last words'); sys.exit(7)"
    with pytest.raises(CheckError, match=r"exit code 7:\nthe last words"):
        wheel_test.run([sys.executable, "-c", program], "it")
