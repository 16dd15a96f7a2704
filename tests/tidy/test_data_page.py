"""The data page names what the code recognizes and shows messages that really come."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from neural_trader.core import DataError
from neural_trader.data import load, samples
from neural_trader.data.layouts import (
    ADJUSTED_NAMES,
    FIELD_NAMES,
    INDEX_NAMES,
    SYMBOL_NAMES,
    TIME_NAMES,
    plain,
)

PAGE = (Path(__file__).parents[2] / "docs/data.md").read_text(encoding="utf-8")
CODE = {plain(text) for text in re.findall(r"`([^`\n]+)`", PAGE)}
NAMES: Mapping[str, tuple[str, ...]] = {
    "time": TIME_NAMES,
    "index": INDEX_NAMES[:-1],
    "symbol": SYMBOL_NAMES,
    "adjusted": ADJUSTED_NAMES,
    "close": FIELD_NAMES["close"][:1] + FIELD_NAMES["close"][2:],
    "volume": FIELD_NAMES["volume"],
    "open": FIELD_NAMES["open"],
}


@pytest.mark.parametrize("part", NAMES)
def test_every_name_that_is_recognized_stands_on_the_page(part: str) -> None:
    assert set(NAMES[part]) <= CODE


def test_every_sample_stands_on_the_page() -> None:
    for sample in samples():
        assert f"`{sample.name}`" in PAGE
        assert f"{sample.start} to {sample.end}" in PAGE


def test_the_message_on_the_page_is_the_one_that_comes(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    closes = (2, 3, -1.5, 0, -1)
    rows = "".join(f"KO,2021-01-{day:02},{close}\n" for day, close in enumerate(closes, start=4))
    path.write_text(f"symbol,date,close\n{rows}")
    with pytest.raises(DataError) as caught:
        load(path, cache=False)
    [shown] = re.findall(r"```\n(row 3 .*?)\n```", PAGE, flags=re.DOTALL)
    assert str(caught.value) == shown.replace("\n", " ")
