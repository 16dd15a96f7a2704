"""The lines of the documentation that need a venue and a gateway, as a reader would type them."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.order_path import Running, free_port
from tests.tidy.tree import ROOT

PAGES = ("README.md", "docs/cli.md", "docs/gateway.md", "docs/journal.md", "docs/venue.md")
COMMANDS = ("serve", "venue", "order", "positions", "kill-switch", "journal")


def documented(*commands: str) -> list[str]:
    """Return the lines of all pages, in their order, each once."""
    text = "".join((ROOT / page).read_text().replace("\\\n", " ") for page in PAGES)
    found = re.findall(r"^    neural-trader (.*)$", text, re.MULTILINE)
    return [line for line in dict.fromkeys(found) if line.startswith(commands)]


@pytest.fixture
def token(tmp_path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "neural_trader", "new", "gateway", "gateway.toml", "--json"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    made: str = json.loads(done.stdout)["token"]
    return made


def test_the_documented_lines_run(tmp_path: Path, token: str) -> None:
    venue = Running(tmp_path, "venue", "--port", "0", "--symbols", "KO,PEP", "--speed", "0")
    serve = ("serve", "--config", "gateway.toml", "--port", str(free_port()))
    gateway = Running(tmp_path, *serve, "--venue", f"127.0.0.1:{venue.port}")

    def run(line: str) -> None:
        words = shlex.split(line, comments=True)
        if words[0] != "journal":
            words += ["--gateway", f"127.0.0.1:{gateway.port}"]
        is_endless = "--follow" in words
        process = subprocess.Popen(
            [sys.executable, "-m", "neural_trader", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"NEURAL_TRADER_TOKEN": token},
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        if is_endless:
            process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
        assert process.returncode == (130 if is_endless else 0), (line, errors)
        assert first + rest, line

    try:
        orders = documented("order", "positions")
        changes = [
            line for line in orders if line.startswith(("order replace 3", "order cancel 3"))
        ]
        assert len(changes) == 2
        for line in orders:
            if line not in changes and line != "order send KO +100 --limit 54.20":
                run(line)
        # The third order of this reader rests.
        run("order send KO +100 --limit 53.20")
        for line in changes:
            run(line)
        run("order send KO +100 --limit 54.20")
        for line in documented("kill-switch", "journal"):
            run(line)
        (line,) = (line for line in documented("serve") if "--takeover" in line)
        old = gateway
        gateway = Running(tmp_path, *shlex.split(line), "--venue", f"127.0.0.1:{venue.port}")
        assert old.process.wait(10) == 0
        assert old.process.stdout is not None
        old.process.stdout.close()
    finally:
        assert gateway.stop() == 0
        assert venue.stop() == 0


@pytest.mark.parametrize(
    "line", [line for line in documented("venue", "serve") if "--takeover" not in line]
)
@pytest.mark.usefixtures("token")
def test_documented_servers_start_and_end(line: str, tmp_path: Path) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "serve":
        words += ["--venue", "127.0.0.1:1"]
    server = Running(tmp_path, *words, "--port", "0")
    assert server.stop() == 0
