"""Every case of every bench has one shape."""

import msgspec

from neural_trader.bench import Report, Row

FIELDS = (
    "case", "params", "value", "unit", "low", "high", "baseline", "ratio", "claim", "limit",
    "checked", "reason", "samples",
)  # fmt: skip


def test_a_row_has_the_published_fields_in_their_order() -> None:
    assert Row.__struct_fields__ == FIELDS
    assert Report.__struct_fields__ == ("machine", "provenance", "rows")


def test_what_was_not_measured_is_null_and_never_left_out() -> None:
    row = Row(case="c", params={"quantity": "time"}, value=None, unit="us", reason="no compiler")
    decoded = msgspec.json.decode(msgspec.json.encode(row))
    assert tuple(decoded) == FIELDS
    assert decoded["value"] is decoded["limit"] is decoded["claim"] is None
    assert decoded["checked"] is False
    assert decoded["reason"] == "no compiler"


def test_a_report_survives_its_json() -> None:
    row = Row(case="c", params={"engine": "e"}, value=1.5, unit="us", low=1.0, high=2.0)
    report = Report(machine={"cores": 2}, provenance={"version": "0"}, rows=[row])
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
