"""The profiles of docs/tuning.md: what serve reads, and nothing but what the page says."""

from pathlib import Path

import msgspec
import pytest

from neural_trader.execution import read_config

PROFILES = Path(__file__).parents[3] / "examples" / "profiles"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("low-latency", {"durability": "process-safe"}),
        ("high-throughput", {"durability": "process-safe"}),
        ("low-memory", {"segment_mb": 8, "retention_mb": 64, "sessions_max": 32}),
    ],
)
def test_a_profile_differs_from_the_defaults_as_the_page_says(
    name: str, expected: dict[str, object]
) -> None:
    section = read_config(PROFILES / f"{name}.toml").gateway
    default = msgspec.structs.asdict(type(section)())
    found = msgspec.structs.asdict(section)
    assert {key: value for key, value in found.items() if value != default[key]} == expected
