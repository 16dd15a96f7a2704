"""A saved result comes back whole, and a file that is not one is told apart."""

import json
import signal
import subprocess
import sys
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from tests.made_bars import make_bars
from tests.reported import run_case

RUNS = [
    "pairs of one year",
    "pairs, open at the end",
    "sma-cross, open at the end",
    "no trade",
    "one bar",
    "ruined",
    "at opens",
    "awkward names",
]


@cache
def small() -> nt.Result:
    """Return a run whose file is small enough to damage it at every byte."""
    closes = {"A": [10.0, 10, 11, 12, 11, 9, 8, 9]}
    return nt.backtest(nt.SmaCross("A", fast=1, slow=2, gross=0.5), make_bars(closes))


@pytest.mark.parametrize("name", RUNS)
def test_what_is_loaded_is_what_was_saved(name: str, tmp_path: Path) -> None:
    run = run_case(name)
    path = run.save(tmp_path / "run.ntr")
    again = nt.load_result(str(path))
    assert again.config == run.config
    assert again.provenance == run.provenance
    assert again.outcome.is_ruined == run.outcome.is_ruined
    assert again.skipped == run.skipped
    for mine, other in zip(run.outcome[:4], again.outcome[:4], strict=True):
        np.testing.assert_array_equal(mine, other)
    assert again.trips == run.trips
    np.testing.assert_equal(again.metrics, run.metrics)
    assert again.summary[1:] == run.summary[1:]
    for table in ("equity", "fills", "round_trips", "signals"):
        assert again.to_polars(table).equals(run.to_polars(table))


def test_equal_results_are_equal_files(tmp_path: Path) -> None:
    first = small().save(tmp_path / "first")
    loaded = nt.load_result(first)
    assert loaded.save(tmp_path / "second").read_bytes() == first.read_bytes()


def test_no_byte_of_a_file_can_change_unseen(tmp_path: Path) -> None:
    run = small()
    whole = run.save(tmp_path / "whole").read_bytes()
    path = tmp_path / "damaged"
    refused = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            read = nt.load_result(path)
        except nt.DataError as error:
            refused += str(path) in str(error)
            continue
        # An archive has bytes that mean nothing, such as the time of a member.
        assert read.provenance == run.provenance, position
        for mine, other in zip(run.outcome[:4], read.outcome[:4], strict=True):
            np.testing.assert_array_equal(mine, other, str(position))
    assert refused > 0.7 * len(whole)


def test_a_shape_that_shrank_is_seen(tmp_path: Path) -> None:
    """An array read short would end before the archive compares its checksum."""
    path = run_case("pairs of one year").save(tmp_path / "run")
    whole = path.read_bytes()
    begin = whole.index(b"signals.npy")
    path.write_bytes(whole[:begin] + whole[begin:].replace(b"(3, 252)", b"(1, 252)", 1))
    assert path.read_bytes() != whole
    with pytest.raises(nt.DataError, match=r"signals\.npy is longer than its array"):
        nt.load_result(path)


@pytest.mark.parametrize("part", [0, 1, 100, 0.3, 0.7, 0.99])
def test_a_file_that_was_cut_off(part: float, tmp_path: Path) -> None:
    whole = small().save(tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(whole[: int(part * len(whole)) if isinstance(part, float) else part])
    with pytest.raises(nt.DataError, match="is not a saved result or is damaged"):
        nt.load_result(path)


def archive(**arrays: Any) -> bytes:
    buffer = BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def array_file() -> bytes:
    buffer = BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


def zipped_text() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("meta.npy", "hello")
    return buffer.getvalue()


def meta(value: object) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


FOREIGN = {
    "nothing": b"",
    "text": b"date,KO\n2021-01-04,1\n",
    "an array": array_file(),
    "an archive of text": zipped_text(),
    "an archive of arrays": archive(x=np.ones(3)),
    "a list": archive(meta=meta([])),
    "a number": archive(meta=meta(3)),
    "no JSON": archive(meta=np.zeros(3, dtype=np.uint8)),
    "no format": archive(meta=meta({})),
    "a head alone": archive(meta=meta({"format": "neural-trader result 1"})),
    "an unknown strategy": archive(
        meta=meta({"format": "neural-trader result 1", "config": {"strategy": {"kind": "magic"}}})
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(FOREIGN[kind])
    with pytest.raises(nt.DataError, match="foreign is not a saved result or is damaged"):
        nt.load_result(path)


def test_a_file_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "newer"
    path.write_bytes(archive(meta=meta({"format": "neural-trader result 9"})))
    with pytest.raises(nt.DataError, match=r"has the format 'neural-trader result 9'; this .* 1'"):
        nt.load_result(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "pickle"
    path.write_bytes(archive(meta=np.array([{"format": 1}], dtype=object)))
    with pytest.raises(nt.DataError, match="is not a saved result"):
        nt.load_result(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(nt.DataError, match="no such file; expected a result"):
            nt.load_result(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(nt.DataError, match="cannot write"):
        small().save(tmp_path / "none" / "run")


KILLED = """
import os, signal, sys
import numpy as np
import neural_trader as nt

run = nt.load_result(sys.argv[1])
write, left = np.lib.format.write_array, [int(sys.argv[2])]

def die(*arguments, **options):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    write(*arguments, **options)

np.lib.format.write_array = die
run.save(sys.argv[1])
"""


@pytest.mark.parametrize("member", [1, 4])
def test_a_kill_in_the_middle_leaves_the_old_file(member: int, tmp_path: Path) -> None:
    path = small().save(tmp_path / "run")
    before = path.read_bytes()
    command = [sys.executable, "-c", KILLED, str(path), str(member)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert nt.load_result(path).final_equity == small().final_equity
