"""``neural-trader neural`` as its users call it; training needs PyTorch."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SMALL = (
    "--data", "sp500-closes", "--symbols", "KO,PEP,JNJ", "--start", "2014-01-01", "--horizon", "3",
    "--lookback", "16", "--width", "16", "--steps", "20", "--folds", "1", "--device", "cpu",
)  # fmt: skip

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="training needs PyTorch: make neural-test"
)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "neural_trader", "neural", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    done = run("train", *SMALL, "--end", "2021-12-31", "--output", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["output"] == str(folder)
    assert answer["sources"].keys() == {"KO", "PEP", "JNJ"}
    assert "survivors" in answer["verdict"]
    assert answer["card"]["trials"]["count"] == 1
    assert answer["provenance"]["train_end"] == "2021-12-31"
    assert answer["config"]["width"] == 16
    return folder


@needs_torch
def test_a_card_is_text_json_and_a_page(model: Path, tmp_path: Path) -> None:
    text = run("card", "--model", str(model))
    assert text.returncode == 0, text.stderr
    assert "Diebold-Mariano, drift" in text.stdout
    assert "survivors" in text.stdout
    plain = json.loads(run("card", "--model", str(model), "--json").stdout)
    assert plain["card"]["test"]["folds"] == 1
    page = tmp_path / "card.html"
    done = run("card", "--model", str(model), "--output", str(page))
    assert done.returncode == 0, done.stderr
    html = page.read_text()
    assert html.count('<svg class="plot"') == 3 + 2 + 2
    assert plain["verdict"] in html
    assert "NaN" not in html
    missing = run("card", "--model", str(model), "--output", str(tmp_path / "no" / "card.html"))
    assert missing.returncode == 3


@needs_torch
def test_later_bars_judge_it_again(model: Path) -> None:
    done = run("evaluate", "--model", str(model), "--data", "sp500-closes", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["test"]["from"] == "2022-01-03"
    assert answer["test"]["to"] == "2022-12-28"
    assert "survivors" in run("evaluate", "--model", str(model), "--data", "sp500-closes").stdout
    none = run("evaluate", "--model", str(model), "--data", "sp500-closes", "--end", "2021-12-31")
    assert none.returncode == 3
    assert "0 new bars" in none.stderr


@needs_torch
def test_the_same_training_is_the_same_bytes_and_no_new_trial(model: Path) -> None:
    other = model.with_name("again")
    words = (*SMALL, "--end", "2021-12-31", "--output", str(other), "--json")
    answer = json.loads(run("train", *words).stdout)
    assert answer["card"]["trials"]["count"] == 1
    for name in ("weights.npz", "artefact.json"):
        assert (other / name).read_bytes() == (model / name).read_bytes()
    wider = json.loads(run("train", *words, "--width", "8").stdout)
    assert wider["card"]["trials"]["count"] == 2


@needs_torch
def test_ctrl_c_saves_the_best_so_far(tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    words = [sys.executable, "-m", "neural_trader", "neural", "train", *SMALL]
    words += ["--steps", "1000000", "--width", "1024", "--output", str(folder)]
    terminal, other_end = os.openpty()
    with subprocess.Popen(words, stderr=other_end, stdout=subprocess.DEVNULL) as process:
        os.close(other_end)
        shown = b""
        # The bar shows the steps in all as soon as the first one is done.
        while b"/3000000" not in shown:
            shown += os.read(terminal, 4_096)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while part := os.read(terminal, 4_096):
                shown += part
    os.close(terminal)
    assert process.returncode == 130, shown
    assert b"interrupted: kept the network of step" in shown
    card = json.loads(run("card", "--model", str(folder), "--json").stdout)
    assert card["card"]["training"]["is_interrupted"] is True


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("--horizon", "0"), 2, "horizon is 0"),
        (("--horizon", "five"), 2, "not a valid integer"),
        (("--model", "lstm"), 2, "'lstm' is not 'nhits'"),
        (("--symbols", "KO,NOPE"), 3, "unknown symbol 'NOPE'"),
        (("--symbols", "KO,KO"), 2, "KO"),
        (("--data", "nothing"), 3, "nothing"),
        (("--test-start", "2099-01-01"), 2, "test_start is 2099-01-01"),
        (("--end", "2014-02-01"), 3, "need"),
        (("--device", "abacus"), 2, "expected auto, cpu or cuda"),
        (("--width", "0"), 2, "width is 0"),
        (("--output", "/dev/null/model"), 3, "is no folder"),
    ],
)
@needs_torch
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    change: tuple[str, str], code: int, words: str, tmp_path: Path
) -> None:
    done = run("train", *SMALL, "--output", str(tmp_path / "model"), *change)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "internal error" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    for words in (("card",), ("evaluate", "--data", "sp500-closes")):
        done = run(*words, "--model", str(tmp_path))
        assert done.returncode == 3
        assert "neural train --output" in done.stderr


def test_without_torch_the_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['neural-trader', 'neural', "
        f"'train', *{SMALL!r}, '--output', {str(tmp_path / 'm')!r}]; "
        "from neural_trader.app.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "neural-trader[forecast]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_and_the_root_do_not_import_torch() -> None:
    program = (
        "import sys; import neural_trader as nt; nt.forecast.train, nt.forecast.load\n"
        "from neural_trader.app.cli.main import cli\n"
        "for words in (['--help'], ['neural', '--help'], ['neural', 'train', '--help']):\n"
        "    cli.main(words, standalone_mode=False)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "evaluate" in done.stdout
