"""The portfolio's bench as its users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "bench", "portfolio", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_metrics_are_measured_beside_numpy(tmp_path: Path) -> None:
    file = tmp_path / "portfolio.json"
    done = bench("--case", "metrics_51x252", "--rounds", "1", "--json", "--output", str(file))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads(file.read_text())
    assert report["provenance"]["config"] == {"rounds": 1}
    rows = {row["params"]["quantity"]: row for row in report["rows"]}
    assert set(rows) == {"all 47", "common 27", "allocations"}
    for quantity, row in rows.items():
        assert row["case"] == "metrics_51x252"
        assert row["checked"]
        if quantity != "allocations" or row["reason"] is None:
            assert row["low"] <= row["value"] <= row["high"]
            assert row["ratio"] == pytest.approx(row["baseline"] / row["value"])
    assert (rows["all 47"]["params"]["target"], rows["common 27"]["claim"]) == (0.35, 8.0)


def test_memory_is_measured_as_a_table_and_peers_say_where_they_are() -> None:
    done = bench("--case", "memory_10", "--rounds", "1", "--peers")
    assert done.returncode == 0, done.stderr
    assert "memory_10" in done.stdout
    assert "held" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--case", "metrics"), "case is 'metrics'; expected one of metrics_51x252"),
        (("--output", "nowhere/x.json"), "its folder does not exist"),
        (("--rounds", "0"), "--rounds"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: tuple[str, ...], words: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
