"""What the system costs: from needs, a headroom and a table of prices."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from neural_trader.app.cli.bench_cost import bench_cost
from neural_trader.app.cli.main import cli
from neural_trader.bench.cost import (
    DAYS_KEPT,
    HEADROOM,
    NEEDS,
    ORDERS_A_DAY,
    PEAK_RATE,
    SYSTEM_MB,
    need_rows,
    price,
    read_needs,
)
from neural_trader.bench.prices import Need, choose_instance, read_prices
from neural_trader.bench.rows import Report
from neural_trader.core import DataError, NeuralTraderError

TABLE = """
date = "2020-01-31"
source = "made up"
hours_per_month = 100
disk_per_gb_month = 0.5
[[instances]]
name = "big"
vcpus = 8
memory_gib = 8
per_hour = 2.0
[[instances]]
name = "credits"
vcpus = 4
memory_gib = 4
per_hour = 0.5
sustained = 0.1
sure = false
[[instances]]
name = "small"
vcpus = 2
memory_gib = 4
per_hour = 1.0
"""
MEASURED = {
    "cpu of an order": 200.0,
    "cpu of an order at the peak": 100.0,
    "cpu while idle": 1.0,
    "memory of the gateway": 40.0,
    "memory of a backtest": 50.0,
    "memory of a model": 60.0,
    "disk a day": 10.0,
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(TABLE)
    return path


@pytest.fixture
def needs() -> Report:
    rows = need_rows({name: [value] for name, value in MEASURED.items()})
    machine = {"processor": "p", "cores": 2, "system": "s", "python": "3", "load_1min": 0.0}
    provenance = {"version": "0", "commit": None, "config": {"rounds": 1}}
    return Report(machine=machine, provenance=provenance, rows=rows)


@pytest.fixture
def report(needs: Report, tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(msgspec.json.encode(needs))
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["bench", "cost", *map(str, arguments)])


def test_the_cost_is_that_of_the_definition(needs: Report, table: Path) -> None:
    found = price(needs, read_prices(table), 2.0)
    rows = {row.params["quantity"]: row for row in found.rows}
    assert rows["cpu of a day"].value == pytest.approx(ORDERS_A_DAY * 2e-4 / 864.0 + 1.0)
    assert rows["cpu at the peak"].value == PEAK_RATE * 1e-4
    assert rows["memory together"].value == SYSTEM_MB + 150.0
    assert rows["memory together"].params["with_headroom"] == 2 * SYSTEM_MB + 300.0
    instance = rows["instance"]
    assert instance.params["name"] == "credits"
    assert instance.params["sure"] is False
    assert instance.value == pytest.approx(0.5 * 100.0 + DAYS_KEPT * 0.01 * 0.5)
    assert (instance.unit, instance.claim) == ("USD/month", 62.0)


@pytest.mark.parametrize(
    ("need", "name"),
    [
        (Need(2.0, 0.4, 4_294.0), "credits"),
        (Need(2.0, 0.41, 4_294.0), "small"),
        (Need(2.1, 0.41, 100.0), "big"),
        (Need(1.0, 0.1, 4_295.0), "big"),
        (Need(8.1, 0.1, 1.0), None),
        (Need(1.0, 0.1, 9_000.0), None),
    ],
)
def test_the_cheapest_that_fits_is_chosen(need: Need, name: str | None, table: Path) -> None:
    found = choose_instance(need, read_prices(table))
    assert (found and found.name) == name


def test_where_none_fits_it_says_so(needs: Report, table: Path) -> None:
    instance = price(needs, read_prices(table), 1_000.0).rows[-1]
    assert instance.value is None
    assert instance.reason is not None
    assert "no instance" in instance.reason


def test_the_table_that_ships_has_the_instances_of_the_page() -> None:
    prices = read_prices()
    month = {one.name: one.per_hour * prices.hours_per_month for one in prices.instances}
    assert month["c5.large"] == pytest.approx(62.0, abs=0.5)
    assert month["c5.4xlarge"] == pytest.approx(500.0, rel=0.01)
    assert "edit it" in prices.source


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("vcpus = 8", "vcpus = 0", "$.instances[0].vcpus"),
        ("per_hour = 2.0", "per_hour = nan", ""),
        ("per_hour = 2.0", "per_hour = inf", "infinite"),
        ("per_hour = 2.0", "price = 2.0", "price"),
        ('"small"', '"big"', "'big' stands twice"),
        ('"2020-01-31"', '"lately"', "$.date"),
        ("sustained = 0.1", "sustained = 1.5", "sustained"),
        ("[[instances]]", "[instances", ""),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, says: str, table: Path) -> None:
    table.write_text(TABLE.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_prices(table)
    assert says in str(caught.value)
    assert str(table) in str(caught.value)


def test_the_command_reads_a_report(report: Path, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = run("--input", report, "--prices", table, "--headroom", "3", "--json", "--output", out)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found == json.loads(out.read_text())
    assert found["provenance"]["headroom"] == 3.0
    assert found["provenance"]["prices"] == {"date": "2020-01-31", "source": "made up"}
    assert any("made up" in line for line in found["provenance"]["assumptions"])
    # What was written can be read again.
    assert run("--input", out, "--prices", table).exit_code == 0


def test_the_table_for_people_has_need_instance_and_assumptions(report: Path) -> None:
    done = run("--input", report)
    assert done.exit_code == 0
    for word in [*NEEDS, "instance:", "USD/month", "edit it", "headroom"]:
        assert word.split()[0] in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--headroom", "0.5"),
        ("--headroom", "nan"),
        ("--headroom", "inf"),
        ("--headroom", "x"),
        ("--output", "/no/such/folder/x.json"),
        ("--prices", "/no/such.toml"),
        ("--input", "/no/such.json"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: tuple[str, ...], report: Path) -> None:
    done = run("--input", report, *arguments)
    assert done.exit_code != 0
    assert done.stdout == ""
    # Of the value of an option click tells itself; the rest is told by main.
    assert isinstance(done.exception, (NeuralTraderError, SystemExit))


def test_a_report_without_the_figures_is_refused(report: Path) -> None:
    found = json.loads(report.read_text())
    found["rows"] = found["rows"][1:]
    report.write_text(json.dumps(found))
    with pytest.raises(DataError, match="'cpu of an order'"):
        read_needs(report)
    report.write_text("[]")
    with pytest.raises(DataError, match="no report"):
        read_needs(report)


def test_the_command_and_the_page_leave_the_same_headroom() -> None:
    (option,) = [each for each in bench_cost.params if each.name == "headroom"]
    assert option.default == HEADROOM
