"""The compiled kernels are those of the sources beside them."""

import hashlib
import importlib
import json

import pytest

from tests.tidy.tree import PACKAGE, ROOT

KERNELS = sorted((PACKAGE / "_kernels").glob("[a-z]*.py"))
NAMES = [path.stem for path in KERNELS]


def test_there_are_kernels() -> None:
    assert NAMES


def test_what_was_built_is_what_stands_here() -> None:
    built = json.loads((PACKAGE / "_kernels" / "built.json").read_text())
    now = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (*KERNELS, *sorted(KERNELS[0].parent.glob("[a-z]*.pxd")), ROOT / "setup.py")
    }
    assert built == now, "a kernel changed since it was built: make setup"


@pytest.mark.parametrize("name", NAMES)
def test_the_compiled_form_is_the_one_imported(name: str) -> None:
    kernel = importlib.import_module(f"neural_trader._kernels.{name}")
    assert not str(kernel.__file__).endswith(".py")


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_stands_beside_it(name: str) -> None:
    assert (PACKAGE / "_kernels" / f"{name}.pyi").is_file()
