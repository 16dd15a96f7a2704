"""Tokens, gateway.toml and histograms."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.core import ConfigError
from neural_trader.execution import GatewayCollector, Grant, Histogram, hash_token, read_config
from neural_trader.execution.metrics import Metrics
from neural_trader.execution.tokens import find_grant
from tests.unit.execution.desk import GRANTS, TOKENS, Desk

MINIMAL = '[[instruments]]\nsymbol = "KO"\n[[accounts]]\nname = "main"\n'


class TestTokens:
    def test_a_token_opens_its_account_and_no_other(self) -> None:
        assert find_grant(TOKENS["read"], GRANTS) is GRANTS[1]
        assert find_grant(TOKENS["read"][:-1], GRANTS) is None
        assert find_grant("", GRANTS) is None

    @pytest.mark.parametrize("digest", ["", "ab", "x" * 64, hash_token("a")[:-2]])
    def test_what_is_no_hash_is_refused(self, digest: str) -> None:
        with pytest.raises(ConfigError, match="64 hexadecimal digits"):
            Grant(account="main", sha256=digest)


class TestConfig:
    def read(self, folder: Path, text: str) -> object:
        path = folder / "gateway.toml"
        path.write_text(text)
        return read_config(path)

    def test_defaults_are_safe(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.toml"
        path.write_text(MINIMAL)
        config = read_config(path)
        assert (config.gateway.host, config.gateway.port) == ("127.0.0.1", 7701)
        assert (config.venue.host, config.venue.port) == ("127.0.0.1", 7702)
        assert config.gateway.durability == "power-safe"
        assert config.opening_cash() == {"main": 10_000_000}
        assert config.account_limits()["main"] == config.limits

    def test_addresses_of_this_machine_and_those_with_certificates_are_taken(
        self, tmp_path: Path
    ) -> None:
        for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
            self.read(tmp_path, f'{MINIMAL}[gateway]\nhost = "{host}"\n[venue]\nhost = "{host}"\n')
        tls = 'host = "192.0.2.1"\ncert = "c"\n'
        self.read(tmp_path, f'{MINIMAL}[gateway]\n{tls}key = "k"\n[venue]\n{tls}')

    def test_an_account_may_have_limits_of_its_own(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.toml"
        path.write_text(
            f"[limits]\norder_qty_max = 7\ncollar_bps = 9\n{MINIMAL}"
            "[accounts.limits]\norder_qty_max = 3\n"
        )
        limits = read_config(path).account_limits()["main"]
        assert (limits.order_qty_max, limits.collar_bps) == (3, 9)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("nonsense", "is no TOML"),
            ("", "there is no account"),
            ('[[accounts]]\nname = "main"\n', "there is no instrument"),
            (f"{MINIMAL}[gateway]\nprot = 1\n", "prot"),
            (f'{MINIMAL}[gateway]\nhost = "0.0.0.0"\n', "give cert and key"),
            (f'{MINIMAL}[gateway]\nhost = ""\n', "the host is ''"),
            (f'{MINIMAL}[gateway]\nhost = "192.0.2.1"\ncert = "c"\n', "give cert and key"),
            (f'{MINIMAL}[venue]\nhost = "192.0.2.1"\n', "the venue's host is '192.0.2.1'"),
            (f'{MINIMAL}[venue]\nhost = "venue.example"\n', r"give cert in \[venue\]"),
            (f'{MINIMAL}[gateway]\ndurability = "maybe"\n', "maybe"),
            (f'{MINIMAL}[limits]\ngross_max = "-1"\n', "gross_max is '-1'"),
            (f'{MINIMAL}[accounts.limits]\ngros_max = "1"\n', "gros_max"),
            (f'{MINIMAL}[[accounts]]\nname = "main"\n', "account 'main' stands twice"),
            (f"{MINIMAL}[[instruments]]\nsymbol = 'X'\ntick_size = '0'\n", "tick_size of X is '0'"),
            *(
                (f"{MINIMAL}[gateway]\n{key} = {found}\n", rf"\[gateway\] {key} is {words}")
                for key, found, words in (
                    ("port", -1, "-1; expected 0 to 65,535"),
                    ("port", 65_536, "65,536; expected 0 to 65,535"),
                    ("metrics_port", 65_536, "65,536; expected 0 to 65,535"),
                    ("segment_mb", 0, "0; expected 1 to 1,024"),
                    ("segment_mb", 1_025, "1,025; expected 1 to 1,024"),
                    ("retention_mb", -1, "-1; expected 0 or more"),
                    ("sessions_max", 0, "0; expected 1 or more"),
                    ("requests_per_second", 0, "0; expected 1 or more"),
                )
            ),
            (f"{MINIMAL}[venue]\nport = 0\n", r"\[venue\] port is 0; expected 1 to 65,535"),
            (f"{MINIMAL}[venue]\ntimeout_ms = 0\n", r"\[venue\] timeout_ms is 0; expected 1 to"),
            (f"{MINIMAL}cash = '0.001'\n", "main: cash is '0.001'; expected .* minor_unit 0.01"),
            (f"{MINIMAL}cash = '-1'\n", "main: cash is '-1'; expected decimal text of 0 to"),
            (f"{MINIMAL}cash = '1e999999'\n", "main: cash is '1e999999'; expected"),
            (f"{MINIMAL}cash = 'x'\n", "main: cash is 'x'; expected"),
            *(
                (f"minor_unit = '{unit}'\n{MINIMAL}", f"minor_unit is '{unit}'; expected decimal")
                for unit in ("0", "-0.01", "NaN", "x", "1e-999999", "1e99")
            ),
            (
                f"{MINIMAL}[[instruments]]\nsymbol = '{33 * 'X'}'\n",
                "of 33 characters; expected 1 to",
            ),
            (f"{MINIMAL}[[instruments]]\nsymbol = ''\n", "symbol is '', of 0 characters"),
            *(
                (f"{MINIMAL}[[instruments]]\nsymbol = 'X'\n{key} = '{size}'\n", f"{key} of X is '")
                for key in ("tick_size", "lot_size")
                for size in ("-1", "0", "x", "Infinity", "1e-999999")
            ),
            (f"{MINIMAL}[[tokens]]\naccount = 'x'\nsha256 = '{'a' * 64}'\n", "account 'x'"),
        ],
    )
    def test_a_mistake_is_named(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(ConfigError, match=words) as caught:
            self.read(tmp_path, text)
        assert str(caught.value).startswith(str(tmp_path / "gateway.toml"))

    def test_a_missing_file_says_how_to_write_one(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="neural-trader new gateway"):
            read_config(tmp_path / "none.toml")


class TestHistogram:
    @given(st.lists(st.integers(0, 10**12), min_size=1, max_size=200), st.sampled_from([0.5, 0.99]))
    def test_a_quantile_is_within_a_thirtieth(self, values: list[int], share: float) -> None:
        histogram = Histogram()
        for value in values:
            histogram.add(value)
        wanted = sorted(values)
        exact = wanted[max(-(-int(share * 1_000) * len(values) // 1_000) - 1, 0)]
        assert exact <= histogram.quantile(share) <= max(exact * 33 // 32 + 1, exact)
        assert (histogram.count, histogram.max) == (len(values), max(values))

    def test_nothing_has_no_quantile(self) -> None:
        assert Histogram().quantile(0.5) == 0

    def test_it_stays_small(self) -> None:
        histogram = Histogram()
        for value in range(0, 10_000_000, 97):
            histogram.add(value)
        assert len(histogram.buckets) < 64 * 20


def test_prometheus_sees_what_happened() -> None:
    desk = Desk()
    order = desk.submit("KO", 100)
    desk.accept(order.no)
    metrics = Metrics()
    metrics.answers = desk.gateway.venue.answers_ns
    metrics.commits += [1_000, 2_000]
    metrics.work_up()
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(GatewayCollector(desk.gateway, metrics))
    text = generate_latest(registry).decode()
    assert 'neural_trader_events_total{kind="Accepted"} 1.0' in text
    assert "neural_trader_open_orders 1.0" in text
    assert "neural_trader_venue_up 1.0" in text
    assert "neural_trader_commit_seconds_count 2.0" in text
    assert 'neural_trader_accept_seconds_quantile{quantile="0.5"}' in text
