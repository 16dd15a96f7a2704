"""A bench says what is not installed, where an installation has no extras, and goes on."""

import json
import sys
from pathlib import Path

import pytest

from neural_trader.bench import data_child, techniques_work

MISSING = {"reason": "not installed: pip install aiohttp"}


@pytest.mark.parametrize("engine", ["ours", "one by one"])
def test_fetching_without_aiohttp_has_a_reason(
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.setattr(sys, "argv", ["data_child", engine, "fetch_100", "", str(tmp_path)])
    data_child.main()
    assert json.loads(capsys.readouterr().out) == MISSING


@pytest.mark.parametrize("variant", ["with", "without"])
def test_a_technique_without_its_library_has_a_reason(
    variant: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NEURAL_TRADER_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.setattr(sys, "argv", ["work", "concurrent_fetch", variant, str(tmp_path)])
    techniques_work.main()
    assert json.loads(capsys.readouterr().out) == MISSING
