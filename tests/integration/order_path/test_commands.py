"""The commands of the order path, as a user types them, against processes that run."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import neural_trader as nt
from tests.order_path import TOKENS, Running, free_port, write_config


class Shell:
    """A venue, a gateway and a command line with a token."""

    def __init__(self, folder: Path, *, limits: str = "", gateway: str = "") -> None:
        self.folder = folder
        self.venue = Running(folder, "venue", "--port", "0", "--symbols", "KO,PEP", "--speed", "0")
        self.config = write_config(folder, free_port(), limits=limits, gateway=gateway)
        self.start()

    def start(self) -> None:
        """Start the gateway, and wait until it trades."""
        venue = f"127.0.0.1:{self.venue.port}"
        self.gateway = Running(self.folder, "serve", "--config", str(self.config), "--venue", venue)
        until = time.monotonic() + 10.0
        while self.run("order", "send", "KO", "+1")[0] != 0:
            assert time.monotonic() < until, self.gateway.log.read_text()

    def run(
        self, *arguments: str, holder: str = "trade", json_: bool = True
    ) -> tuple[int, Any, str]:
        """Run a command; returns exit code, what it printed, and its error line."""
        address = ("--gateway", f"127.0.0.1:{self.gateway.port}")
        done = subprocess.run(
            [sys.executable, "-m", "neural_trader", *arguments, *address]
            + (["--json"] if json_ else []),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"NEURAL_TRADER_TOKEN": TOKENS[holder]},
        )
        said = json.loads(done.stdout) if json_ and done.stdout else done.stdout
        return done.returncode, said, done.stderr

    def stop(self) -> None:
        """End both."""
        assert self.gateway.stop() == 0
        self.venue.stop()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    one = Shell(tmp_path_factory.mktemp("shell"), limits="order_qty_max = 500\n")
    yield one
    one.stop()


def test_an_order_is_sent_changed_listed_and_canceled(shell: Shell) -> None:
    code, order, _ = shell.run("order", "send", "PEP", "10", "--limit", "52.00")
    assert (code, order["status"], order["qty"], order["limit"]) == (0, "accepted", "10", "52.00")
    no = str(order["no"])
    code, order, _ = shell.run("order", "replace", no, "--limit", "51.50", "--qty", "12")
    assert (code, order["limit"], order["qty"]) == (0, "51.50", "12")
    code, listed, _ = shell.run("order", "list")
    assert [(item["no"], item["qty"]) for item in listed] == [(order["no"], "12")]
    assert "limit 51.50 GTC: accepted" in shell.run("order", "list", json_=False)[1]
    assert shell.run("order", "cancel", no)[1] == {"no": order["no"], "is_canceled": True}
    code, _, error = shell.run("order", "cancel", no)
    assert (code, "it is not open" in error) == (4, True)
    assert shell.run("order", "list")[1] == []
    assert shell.run("order", "replace", no, "--limit", "51")[0] == 4


def test_a_denied_order_exits_with_4_and_its_figures(shell: Shell) -> None:
    code, order, error = shell.run("order", "send", "KO", "501")
    assert code == 4
    assert (order["reason"], order["found"], order["allowed"]) == ("order_qty", 501, 500)
    assert "denied: order_qty" in error


def test_negative_quantities_and_sales(shell: Shell) -> None:
    assert shell.run("order", "send", "KO", "-1")[1]["qty"] == "-1"
    assert shell.run("order", "send", "KO", "1", "--tif", "ioc")[1]["status"] == "filled"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("order", "send", "XX", "1"), "does not list 'XX'; it lists KO, PEP"),
        (("order", "send", "KO", "1.5"), "no whole number of steps of 1"),
        (("order", "send", "KO", "1", "--limit", "54.205"), "no whole number of steps of 0.01"),
        (("order", "send", "KO", "many"), "expected a decimal other than 0"),
    ],
)
def test_a_mistake_is_one_line(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    code, _, error = shell.run(*arguments)
    assert (code, words in error, error.count("\n")) == (2, True, 1)


def test_positions_show_what_is_held(shell: Shell) -> None:
    code, found, _ = shell.run("positions", holder="read")
    assert code == 0
    assert found["name"] == "main"
    (position,) = [item for item in found["positions"] if item["symbol"] == "KO"]
    assert int(position["qty"]) >= 0
    assert "account main: cash" in shell.run("positions", json_=False)[1]


def test_the_kill_switch_stops_all_but_what_reduces(shell: Shell) -> None:
    shell.run("order", "send", "KO", "5")
    shell.run("order", "send", "PEP", "1", "--limit", "52.00")
    assert shell.run("kill-switch", "on")[1]["kill_switch"] == "on"
    try:
        assert shell.run("order", "list")[1] == []
        code, order, _ = shell.run("order", "send", "KO", "1")
        assert (code, order["reason"]) == (4, "kill_switch")
        assert shell.run("order", "send", "KO", "-2", "--reduce-only")[1]["status"] == "filled"
    finally:
        assert shell.run("kill-switch", "off")[1]["kill_switch"] == "off"


def test_without_a_token_the_message_says_where_to_get_one(shell: Shell) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neural_trader", "order", "list"],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "NEURAL_TRADER_TOKEN"},
    )
    assert (done.returncode, "neural-trader token new" in done.stderr) == (2, True)


def test_a_wrong_token_and_a_gateway_that_is_not_there_exit_with_10(shell: Shell) -> None:
    for port, token, words in (
        (shell.gateway.port, "x" * 64, "bad_token"),
        (free_port(), TOKENS["trade"], "is `neural-trader serve` running there?"),
    ):
        with (
            pytest.raises(nt.GatewayError, match=words),
            nt.BlockingClient(f"127.0.0.1:{port}", token=token, reply_timeout_s=0.5),
        ):
            pass
    done = subprocess.run(
        [
            *(sys.executable, "-m", "neural_trader", "order", "list"),
            *("--gateway", f"127.0.0.1:{shell.gateway.port}"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NEURAL_TRADER_TOKEN": "wrong"},
    )
    assert (done.returncode, "bad_token" in done.stderr) == (10, True)


def test_a_second_gateway_on_the_same_journal_is_refused(shell: Shell) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neural_trader", "serve", "--config", str(shell.config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (done.returncode, str(shell.gateway.process.pid) in done.stderr) == (9, True)


def test_limits_are_read_anew_at_sighup_and_a_mistake_changes_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path, limits="order_qty_max = 10\n")
    try:
        assert shell.run("order", "send", "KO", "11")[1]["reason"] == "order_qty"
        text = shell.config.read_text()
        shell.config.write_text(text.replace("order_qty_max = 10", "order_qty_max = ["))
        shell.gateway.process.send_signal(signal.SIGHUP)
        wait_for(shell, "limits not reloaded")
        assert shell.run("order", "send", "KO", "11")[1]["reason"] == "order_qty"
        shell.config.write_text(text.replace("order_qty_max = 10", "order_qty_max = 20"))
        shell.gateway.process.send_signal(signal.SIGHUP)
        wait_for(shell, "limits of 2 accounts changed")
        assert shell.run("order", "send", "KO", "11")[1]["status"] == "filled"
        shell.gateway.kill()
        shell.start()
        assert shell.gateway.said["epoch"] == 2
        assert "KO" in str(shell.run("positions")[1])
    finally:
        shell.stop()


def wait_for(shell: Shell, words: str) -> None:
    """Wait until the gateway has logged something."""
    until = time.monotonic() + 10.0
    while words not in shell.gateway.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_metrics_are_served_on_this_machine(tmp_path: Path) -> None:
    port = free_port()
    shell = Shell(tmp_path, gateway=f"metrics_port = {port}")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        shell.stop()
    assert 'neural_trader_events_total{kind="Filled"}' in text
    assert "neural_trader_venue_up 1.0" in text


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        capture_output=True,
        check=True,
    )
    beyond = f'host = "0.0.0.0"\ncert = "{cert}"\nkey = "{key}"'
    config = write_config(tmp_path, free_port(), gateway=beyond)
    gateway = Running(tmp_path, "serve", "--config", str(config), "--venue", "127.0.0.1:1")
    try:
        tls = ssl.create_default_context(cafile=str(cert))
        with nt.BlockingClient(
            f"127.0.0.1:{gateway.port}", token=TOKENS["trade"], tls=tls
        ) as client:
            assert client.submit("KO", 1).reason == "venue_down"
        with (
            pytest.raises(nt.GatewayError),
            nt.BlockingClient(
                f"127.0.0.1:{gateway.port}", token=TOKENS["trade"], reply_timeout_s=1.0
            ),
        ):
            pass
        # Its place cannot be taken by one that would go on there in the clear.
        text = config.read_text()
        config.write_text(text.replace(beyond, ""))
        done = serve("--config", str(config), "--takeover")
        assert (done.returncode, "which others can reach" in done.stderr) == (2, True), done.stderr
        config.write_text(text)
        with nt.BlockingClient(
            f"127.0.0.1:{gateway.port}", token=TOKENS["trade"], tls=tls
        ) as client:
            assert client.submit("KO", 1).reason == "venue_down"
    finally:
        assert gateway.stop() == 0


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a gateway that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (
            ("--host", "192.0.2.1"),
            "the host is '192.0.2.1', which others can reach; give cert and key",
        ),
        (
            ("--venue", "192.0.2.1:7702"),
            "the venue's host is '192.0.2.1', which is not this machine",
        ),
    ],
)
def test_no_option_leads_out_of_the_machine_in_the_clear(
    tmp_path: Path, option: tuple[str, str], words: str
) -> None:
    config = write_config(tmp_path, free_port())
    done = serve("--config", str(config), *option)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "journal").exists()


def test_new_gateway_and_new_tokens_fit_each_other(tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "neural_trader", *arguments, "--json"],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        return json.loads(done.stdout)

    made = run("new", "gateway")
    path = tmp_path / made["path"]
    reader = run("token", "new", "--scope", "read")
    path.write_text(
        path.read_text().replace("port = 7701", f"port = {free_port()}")
        + f'[[tokens]]\naccount = "main"\nscope = "read"\nsha256 = "{reader["sha256"]}"\n'
    )
    gateway = Running(tmp_path, "serve", "--venue", "127.0.0.1:1")
    try:
        for token, may_trade in ((made["token"], True), (reader["token"], False)):
            with nt.BlockingClient(f"127.0.0.1:{gateway.port}", token=token) as client:
                assert client._session.welcome is not None
                assert client._session.welcome.may_trade is may_trade
    finally:
        assert gateway.stop() == 0
    with pytest.raises(subprocess.CalledProcessError):
        run("new", "gateway")
