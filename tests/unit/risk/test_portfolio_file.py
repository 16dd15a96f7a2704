import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.core import ConfigError, DataError
from neural_trader.risk import Portfolio, portfolio_schema, read_portfolio
from neural_trader.risk.valuation import book_value, exposures, gains, position_values
from tests.tidy.tree import ROOT
from tests.unit.risk.desk import LINEAR, PUT, WITH_OPTION, figures, on_sample


def changed(**option: Any) -> dict[str, Any]:
    """Return the portfolio with an option whose fields are changed; None drops one."""
    fields = {name: value for name, value in (PUT | option).items() if value is not None}
    return {"positions": [{"symbol": "KO", "qty": 10, "option": fields}]}


def test_the_file_of_the_documents_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(WITH_OPTION))
    found = read_portfolio(path)
    assert isinstance(found, Portfolio)
    assert found == read_portfolio(WITH_OPTION) == read_portfolio(found)
    assert found.symbols == ("KO", "PEP")
    assert found.cash == 50_000.0
    option = found.positions[2].option
    assert option is not None
    assert (option.strike, option.expiry) == (55.0, dt.date(2023, 1, 20))


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"positions": [{"symbol": "KO"}]}, r"\$\.positions\[0\]"),
        ({"positions": [{"symbol": "KO", "qty": "many"}]}, r"\$\.positions\[0\]\.qty"),
        ({"positions": [{"symbol": "KO", "qty": True}]}, r"\$\.positions\[0\]\.qty"),
        ({"positions": [{"symbol": "KO", "qty": 1e300}]}, r"\$\.positions\[0\]\.qty"),
        ({"positions": [{"symbol": "", "qty": 1}]}, r"\$\.positions\[0\]\.symbol"),
        ({"positions": [{"symbol": "KO", "qty": 1, "side": "buy"}]}, r"side.*\$\.positions\[0\]"),
        ({"positions": []}, r"\$\.positions"),
        ({"cash": 1}, "positions"),
        ({"cash": "rich", "positions": [{"symbol": "KO", "qty": 1}]}, r"\$\.cash"),
        ({"money": 1, "positions": [{"symbol": "KO", "qty": 1}]}, "money"),
        ([], "Expected `object`"),
        (changed(type="straddle"), r"\$\.positions\[0\]\.option\.type"),
        (changed(style="bermudan"), r"\$\.positions\[0\]\.option\.style"),
        (changed(style="american"), r"\$\.positions\[0\]\.option\.style is 'american'"),
        (changed(strike=0), r"\$\.positions\[0\]\.option\.strike"),
        (changed(strike=None), r"strike.*\$\.positions\[0\]\.option"),
        (changed(multiplier=-1), r"\$\.positions\[0\]\.option\.multiplier"),
        (changed(expiry="soon"), r"\$\.positions\[0\]\.option\.expiry"),
        (changed(iv=0), r"\$\.positions\[0\]\.option\.iv"),
        (changed(iv=22), r"\$\.positions\[0\]\.option\.iv"),
        (changed(rate=4), r"\$\.positions\[0\]\.option\.rate"),
        (changed(iv=None), r"\$\.positions\[0\]\.option\.iv is missing"),
        (changed(vol_source="guess", iv=None), r"\$\.positions\[0\]\.option\.vol_source"),
        (changed(vol_source="historical"), r"\$\.positions\[0\]\.option has \"iv\" and"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(content: Any, path: str, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=path):
        read_portfolio(file)


@pytest.mark.parametrize("text", ["", "{", '{"positions": [{"symbol": "KO", "qty": NaN}]}', "\xff"])
def test_what_is_no_json_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"p\.json"):
        read_portfolio(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the portfolio"):
        read_portfolio(tmp_path / "nowhere.json")
    with pytest.raises(DataError, match="cannot read the portfolio"):
        read_portfolio(tmp_path)
    with pytest.raises(ConfigError, match="portfolio is a int"):
        read_portfolio(7)  # type: ignore[arg-type]
    with pytest.raises(DataError):
        read_portfolio({"positions": [{"symbol": "KO", "qty": float("nan")}]})


def test_an_expired_option_is_told() -> None:
    with pytest.raises(DataError, match=r"\$\.positions\[0\]\.option\.expiry is 2022-12-28"):
        on_sample(changed(expiry="2022-12-28"))
    assert on_sample(changed(expiry="2022-12-29")).book.options.years[0] == pytest.approx(1 / 365)


@pytest.mark.parametrize("where", ["option", "portfolio"])
def test_historical_volatility_is_that_of_the_returns(where: str) -> None:
    held = changed(iv=None, vol_source="historical" if where == "option" else None)
    if where == "portfolio":
        held["vol_source"] = "historical"
    situation = on_sample(held, window=250)
    wanted = situation.history.returns[:, 0].std(ddof=1) * np.sqrt(252.0)
    assert situation.book.options.volatility[0] == pytest.approx(wanted, rel=1e-12)


def test_equal_options_add_up() -> None:
    entry = changed()["positions"][0]
    both = on_sample({"positions": [entry, entry | {"qty": -4}]})
    assert both.book.options.units.tolist() == [600.0]
    none = on_sample({"positions": [entry, entry | {"qty": -10}]})
    assert len(none.book.options.units) == 0
    assert figures(none).var == 0.0


def test_a_long_put_hedges_its_shares() -> None:
    """Deep in the money a put is a short sale of the shares: together they hardly move."""
    shares = {"symbol": "KO", "qty": 1_000}
    put = {"symbol": "KO", "qty": 10, "option": PUT | {"strike": 150, "iv": 0.1}}
    alone = figures(on_sample({"positions": [shares]}))
    hedged = figures(on_sample({"positions": [shares, put]}))
    assert abs(hedged.var) < 0.02 * alone.var


def test_gains_are_revalued_and_values_add_up() -> None:
    situation = on_sample(WITH_OPTION)
    book = situation.book
    still = gains(book, np.zeros((1, 2)))
    assert still.tolist() == [[0.0, 0.0]]
    assert book_value(book) == pytest.approx(50_000.0 + position_values(book).sum())
    small = 1e-6
    slope = (gains(book, np.full((1, 2), small)) - gains(book, np.full((1, 2), -small))) / 2 / small
    assert slope[0] == pytest.approx(exposures(book), rel=1e-6)
    # A price of 0: the put pays its discounted strike.
    ruin = gains(book, np.array([[-1.0, 0.0], [-3.0, 0.0]]))
    paid = 1_000.0 * 55.0 * np.exp(-0.04 * 23.0 / 365.0)
    assert ruin[0, 0] == pytest.approx(paid - position_values(book)[0], rel=1e-9)
    assert ruin[1, 0] == ruin[0, 0]


def test_time_takes_value_from_options() -> None:
    situation = on_sample(changed(strike=63, expiry="2023-01-20"))
    assert gains(situation.book, np.zeros((1, 1)), passed=1 / 252)[0, 0] < 0.0
    gone = gains(situation.book, np.zeros((1, 1)), passed=1.0)[0, 0]
    price, held = situation.book.prices[0], 1_000.0
    assert gone + position_values(situation.book)[0] == pytest.approx(max(63 - price, 0) * held)


def test_the_schema_is_the_shipped_one() -> None:
    shipped = json.loads((ROOT / "docs" / "portfolio.schema.json").read_text())
    assert shipped == portfolio_schema()
    fields = shipped["$defs"]["OptionTerms"]["properties"]
    assert set(fields) >= set(PUT)
    assert shipped["$defs"]["PositionEntry"]["additionalProperties"] is False


@pytest.mark.parametrize("name", ["portfolio.json", "portfolio_with_options.json"])
def test_the_examples_are_measured(name: str) -> None:
    found = figures(on_sample(ROOT / "examples" / name))
    assert found.es > found.var > 0.0


def test_linear_prices_are_those_of_the_data() -> None:
    situation = on_sample(LINEAR)
    assert situation.book.prices.tolist() == situation.history.closes[-1].tolist()
