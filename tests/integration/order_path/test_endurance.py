"""A short day of orders at a steady rate, with a restart of each kind in its middle."""

from pathlib import Path

import pytest

from tests.reliability.endurance import Endurance, tell


@pytest.mark.parametrize("durability", ["process-safe", "power-safe"])
def test_orders_go_on_over_restarts(
    tmp_path: Path, durability: str, capsys: pytest.CaptureFixture[str]
) -> None:
    day = Endurance(tmp_path, orders=3_000, restarts=3, rate=600, durability=durability)
    day.run()
    report = day.report()
    assert report["faults"] == []
    assert report["restarts"] == {"stopped": 1, "killed": 1, "taken over": 1}
    assert report["orders"] == report["filled"] + sum(report["ended"].values()) == 3_000
    assert report["filled"] > 1_000
    assert report["first_us"]["ack"]["count"] > 0
    assert len(report["memory_mb"]) == 4
    tell(report, day.quiet_s)
    assert "lost 0, doubled 0" in capsys.readouterr().out


def test_what_the_client_was_told_and_the_gateway_has_not_is_a_fault(tmp_path: Path) -> None:
    day = Endurance(tmp_path, orders=200, restarts=0, rate=400)
    hold = day._hold

    def lose_one(load: object) -> None:
        load.held["KO"] -= 1  # type: ignore[attr-defined]
        hold(load)  # type: ignore[arg-type]

    day._hold = lose_one  # type: ignore[method-assign]
    day.run()
    assert len(day.faults) == 1
    assert "positions are" in day.faults[0]
