"""The C programs are built where a compiler is, and are missed with a reason where none is."""

import shutil
from pathlib import Path

import pytest

from neural_trader.bench.limits import build_limits
from neural_trader.core import BenchError


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_library_is_built_into_the_folder(tmp_path: Path) -> None:
    library = build_limits(tmp_path)
    assert library.parent == tmp_path
    assert library.read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def test_without_a_compiler_there_is_no_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match=r"no C compiler \(cc, gcc or \$CC\)"):
        build_limits(tmp_path)


def test_a_compiler_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'out of order' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    with pytest.raises(BenchError, match="broken failed: out of order"):
        build_limits(tmp_path)
