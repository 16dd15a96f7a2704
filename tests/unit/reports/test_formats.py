import math

import pytest

from neural_trader.reports import formats


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234567.891, 2, "1,234,567.89"),
        (-1234.5, 2, "\u22121,234.50"),
        (-0.004, 2, "0.00"),
        (-0.0, 0, "0"),
        (0.005, 1, "0.0"),
        (math.nan, 2, "\u2013"),
        (-20.0, 0, "\u221220"),
    ],
)
def test_numbers(value: float, digits: int, text: str) -> None:
    assert formats.number(value, digits) == text


def test_percent_stays_on_its_line() -> None:
    assert formats.percent(-0.0587) == "\u22125.87\u00a0%"
    assert formats.percent(math.nan) == "\u2013"


@pytest.mark.parametrize(
    ("value", "name"),
    [(1.0, "gain"), (-1.0, "loss"), (0.001, ""), (-0.001, ""), (0.0, ""), (math.nan, "")],
)
def test_only_what_is_seen_to_differ_from_zero_has_a_tone(value: float, name: str) -> None:
    assert formats.tone(value) == name


def test_tables_escape_what_they_hold() -> None:
    text = formats.table("<a>", [("<b>", "<c>", "")]) + formats.head(["<d>"], {"<d>"})
    assert all(f"&lt;{letter}&gt;" in text for letter in "abcd")
