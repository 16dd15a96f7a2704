"""A strategy of one's own from the command line: written, run, checked for look-ahead."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DATA = ("--data", "sp500-closes", "--symbols", "KO,PEP", "--start", "2015-01-02")
PEEKS = '''
import neural_trader as nt

class Peeks(nt.Strategy):
    """Loads the bars itself, and looks at tomorrow's close."""

    def on_start(self, ctx):
        bars = nt.load("sp500-closes", symbols=["KO"])["KO"]
        self.closes = dict(zip(bars.ts_close_ns.tolist()[:-1], bars.close.tolist()[1:]))

    def on_bar(self, ctx):
        tomorrow = self.closes.get(ctx.ts_close_ns, 0.0)
        ctx.target_qty("KO", 100 if tomorrow > ctx.close("KO") else 0)
'''
PLANS = """
import numpy as np
import neural_trader as nt

class Plans:
    def __init__(self, shift: int = 0) -> None:
        self.shift = shift

    def plan(self, bars):
        close = bars["KO"].close
        above = close > nt.indicators.SMA(20).batch(close)
        weights = np.roll(above, -self.shift).astype(float)
        times = bars["KO"].ts_close_ns.astype("datetime64[ns]")
        return nt.TargetWeights({"time": times, "KO": weights})
"""


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
    )


class TestNew:
    def test_what_is_written_runs_and_does_not_see_the_future(self, tmp_path: Path) -> None:
        done = run("new", "strategy", "mean-reversion", cwd=tmp_path)
        assert done.returncode == 0
        assert "mean_reversion.py holds the strategy MeanReversion" in done.stdout
        done = run("backtest", "--strategy", "mean_reversion.py", *DATA, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["fills"] > 10
        assert answer["provenance"]["config"]["strategy"]["name"] == "MeanReversion"
        done = run("check", "lookahead", "mean_reversion.py", *DATA, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "no look-ahead found" in done.stdout

    def test_a_file_that_is_there_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text("# precious")
        done = run("new", "strategy", "mine", cwd=tmp_path)
        assert done.returncode == 2
        assert "is kept" in done.stderr
        assert (tmp_path / "mine.py").read_text() == "# precious"

    @pytest.mark.parametrize("name", ["", "123", "-", "class!", "None"])
    def test_a_name_that_is_none(self, tmp_path: Path, name: str) -> None:
        done = run("new", "strategy", "--", name, cwd=tmp_path)
        if done.returncode == 0:
            # "class!" becomes Class, which is a name.
            assert name == "class!"
            return
        assert done.returncode == 2
        assert not list(tmp_path.iterdir())


class TestCheck:
    def test_the_first_bar_that_saw_the_future_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "peeks.py").write_text(PEEKS)
        done = run("check", "lookahead", "peeks.py", *DATA, cwd=tmp_path)
        assert done.returncode == 8
        assert "saw the future: its decision of 2015-" in done.stderr
        done = run("check", "lookahead", "peeks.py", *DATA, "--json", cwd=tmp_path)
        assert done.returncode == 8
        answer = json.loads(done.stdout)
        assert answer["looks_ahead"] is True
        assert answer["first_bar"].startswith("2015-")

    @pytest.mark.parametrize(("shift", "code"), [(0, 0), (1, 8), (5, 8), (-1, 0)])
    def test_a_plan_that_is_shifted_the_wrong_way(
        self, tmp_path: Path, shift: int, code: int
    ) -> None:
        (tmp_path / "plans.py").write_text(PLANS)
        # A shift of -1 also rolls the last bar to the front, which the start leaves out.
        done = run("check", "lookahead", "plans.py", "--set", f"shift={shift}", *DATA, cwd=tmp_path)
        assert done.returncode == code, done.stderr


class TestFiles:
    @pytest.mark.parametrize(
        ("text", "more", "code", "told"),
        [
            ("x = (", (), 7, "mine.py:1: SyntaxError"),
            ("1 / 0", (), 7, "mine.py:1: ZeroDivisionError"),
            ("x = 1", (), 2, "holds no strategy"),
            (PEEKS, ("--set", "speed=3"), 2, "it takes none"),
            (PLANS, ("--set", "shift"), 2, "NAME=VALUE"),
            (PLANS, ("--lookback", "60"), 2, "use --set lookback=60"),
            (PEEKS.replace("on_bar", "on_bars"), (), 2, "did you mean on_bar?"),
            (PEEKS + PEEKS.replace("Peeks", "Others"), (), 2, "name one"),
            (PEEKS.replace("tomorrow >", "tomorow >"), (), 7, "mine.py:13: NameError"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(
        self, tmp_path: Path, text: str, more: tuple[str, ...], code: int, told: str
    ) -> None:
        (tmp_path / "mine.py").write_text(text)
        done = run("backtest", "--strategy", "mine.py", *DATA, *more, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        assert told in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1

    def test_one_of_several_can_be_named(self, tmp_path: Path) -> None:
        (tmp_path / "mine.py").write_text(PEEKS + PEEKS.replace("Peeks", "Others"))
        done = run("backtest", "--strategy", "mine.py:Others", *DATA, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["provenance"]["config"]["strategy"]["name"] == "Others"

    @pytest.mark.parametrize(
        ("name", "told"),
        [("none.py", "no file"), ("pair", "expected pairs"), ("m.py:X", "no file")],
    )
    def test_a_strategy_that_is_none(self, tmp_path: Path, name: str, told: str) -> None:
        done = run("backtest", "--strategy", name, *DATA, cwd=tmp_path)
        assert done.returncode == 2
        assert told in done.stderr
