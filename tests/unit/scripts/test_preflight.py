"""The preflight names each missing thing in one line, on machines made poor on purpose."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import preflight

SCRIPT = Path(preflight.__file__)
NOW = (3, 11, 7)


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, body: str = "exit 0") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={"PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_python_3_6_can_read_it() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_a_machine_with_everything_passes_in_silence(bin_folder: Path) -> None:
    program(bin_folder, "cc")
    program(bin_folder, "make")
    environ = {"PATH": str(bin_folder), "CC": "cc"}
    missing = [one.what for one in preflight.everything(environ, NOW, None)]
    # Headers and venv are this interpreter's own: whatever it lacks is not this test's subject.
    assert not [what for what in missing if "compiler" in what or "make is" in what]


def test_an_empty_path_names_compiler_and_make_without_a_traceback() -> None:
    done = run(PATH="")
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert all(line.startswith("preflight: ") for line in lines)
    assert [line for line in lines if "no C compiler" in line and "build-essential" in line]
    assert [line for line in lines if "make is not on PATH" in line and "dnf install make" in line]


def test_the_debian_packages_are_listed_for_scripts() -> None:
    done = run("--debian", PATH="")
    assert done.returncode == 0
    assert {"build-essential", "make"} <= set(done.stdout.split())


def test_an_empty_path_without_cc_names_another_compiler_that_is_there(bin_folder: Path) -> None:
    program(bin_folder, "clang")
    missing = preflight.check_compiler({"PATH": str(bin_folder)}, "gcc -pthread")
    assert missing is not None
    assert "looked for gcc" in missing.what
    assert "make CC=clang" in missing.what


def test_a_compiler_that_fails_is_quoted(bin_folder: Path) -> None:
    program(bin_folder, "cc", "echo 'fatal error: stdio.h: No such file' >&2; exit 1")
    missing = preflight.check_compiler({"PATH": str(bin_folder), "CC": "cc"}, "gcc")
    assert missing is not None
    assert "fatal error: stdio.h" in missing.line()
    assert "glibc-devel" in missing.line()


def test_cc_with_arguments_is_split(bin_folder: Path) -> None:
    program(bin_folder, "cc", 'test "$1" = -pipe')
    assert preflight.check_compiler({"PATH": str(bin_folder), "CC": "cc -pipe"}, "gcc") is None
    missing = preflight.check_compiler({"PATH": str(bin_folder), "CC": "cc -other"}, "gcc")
    assert missing is not None
    assert "exit code 1" in missing.what


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 9), (3, 10, 14)])
def test_an_old_python_is_named_and_nothing_else_of_it_is_looked_for(
    version: tuple[int, int, int], bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bin_folder, "cc")
    program(bin_folder, "make")
    monkeypatch.setattr(preflight, "check_headers", lambda _: preflight.Missing("no headers"))
    environ = {"PATH": str(bin_folder), "CC": "cc"}
    (missing,) = preflight.everything(environ, version, None)
    assert f"is Python {'.'.join(map(str, version))}" in missing.what
    assert "3.11 or newer" in missing.what
    assert "\n" not in missing.line()


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 1), (4, 0, 0)])
def test_a_new_enough_python_passes(version: tuple[int, int, int]) -> None:
    assert preflight.check_version(version) is None


def test_missing_headers_name_the_folder_and_the_package(tmp_path: Path) -> None:
    missing = preflight.check_headers({"include": str(tmp_path)})
    assert missing is not None
    assert str(tmp_path) in missing.what
    assert "python3-dev" in missing.line()
    assert "python3-devel" in missing.line()
    (tmp_path / "Python.h").touch()
    assert preflight.check_headers({"include": str(tmp_path)}) is None


def test_a_python_without_ensurepip_needs_python3_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> object:
        return None if name == "ensurepip" else object()

    monkeypatch.setattr(importlib.util, "find_spec", find)
    missing = preflight.check_venv()
    assert missing is not None
    assert "ensurepip" in missing.what
    assert "python3-venv" in missing.line()


@pytest.mark.parametrize(
    ("config", "fits"),
    [
        ("home = /usr/bin\nversion = 3.11.2\n", True),
        ("version = 3.12.1\n", False),
        ("version = 3.1\n", False),
        ("home = /usr/bin\n", False),
    ],
)
def test_an_environment_of_another_python_is_not_reused(
    tmp_path: Path, config: str, fits: bool
) -> None:
    (tmp_path / "pyvenv.cfg").write_text(config)
    missing = preflight.check_environment(tmp_path, NOW)
    assert (missing is None) == fits


def test_a_folder_that_is_no_environment_yet_is_fine(tmp_path: Path) -> None:
    assert preflight.check_environment(tmp_path / "new", NOW) is None


def test_a_wrong_option_is_refused() -> None:
    done = run("--nonsense", PATH=os.defpath)
    assert done.returncode == 2
    assert "unrecognized arguments: --nonsense" in done.stderr
