"""A disk that fails under a gateway that trades: it halts, says why, and nothing is lost."""

import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.execution.journal import verify
from neural_trader.execution.journal.reading import Tail
from tests.order_path import START_S, TOKENS, Running, free_port, wait_until, write_config
from tests.reliability.stack import Stack, stack

SPARE = "spare"
# Without this right, root too is held to the permissions of files.
DROP = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def halted(one: Stack) -> str:
    """Wait until the gateway has halted, and return the error that it ended with."""
    gateway = one.running.pop("gateway")
    assert gateway.wait() == 9
    error = gateway.log.read_text().splitlines()[-1]
    assert error.startswith(f"error: the journal {one.folder / 'journal'} ")
    return error


def go_on(one: Stack) -> None:
    """Start the gateway again, and hold all books to each other."""
    one.start("gateway")
    one.wait_for_fills(20)
    audit = one.finish()
    assert audit.faults == []
    assert audit.counts["Started"] == 2


def refusal(one: Stack, *program: str) -> str:
    """Start a gateway that does not come up, and return its error."""
    command = [sys.executable, *program, "-m", "neural_trader", "serve", "--config"]
    done = subprocess.run(
        [*command, str(one.config)], capture_output=True, text=True, timeout=START_S, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (9, "", 1)
    return done.stderr


def limited(one: Stack) -> None:
    """A file that grows no further: the write that reaches the limit is cut short."""
    pid = one.running["gateway"].process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (150_001, 150_001))


def full(one: Stack) -> None:
    """A disk without room for another segment."""
    (one.folder / "journal" / SPARE).symlink_to("/dev/full")


@pytest.mark.parametrize("durability", ["process-safe", "power-safe"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (limited, "could not be written: File too large"),
        pytest.param(
            full,
            "could not be written: No space left on device",
            marks=pytest.mark.skipif(
                not Path("/dev/full").exists(), reason="the full device is Linux's"
            ),
        ),
    ],
)
def test_a_write_that_fails_halts_the_gateway_and_loses_nothing(
    tmp_path: Path, durability: str, fault: Callable[[Stack], None], words: str
) -> None:
    with stack(tmp_path, 1, durability=durability) as one:
        fault(one)
        said = halted(one)
        assert words in said
        assert "See to the disk, then start anew; what was acknowledged is there" in said
        go_on(one)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a gateway has traded and ended in order."""
    folder = tmp_path_factory.mktemp("kept")
    with stack(folder, 2) as one:
        one.wait_for_fills(50)
        assert one.finish().faults == []
    return folder


@pytest.fixture
def one(kept: Path, tmp_path: Path) -> Iterator[Stack]:
    shutil.copytree(kept / "journal", tmp_path / "journal")
    yield Stack(tmp_path, 2)
    for path in (tmp_path / "journal", *(tmp_path / "journal").iterdir()):
        path.chmod(0o700)


def segment(one: Stack) -> Path:
    (path,) = (one.folder / "journal").glob("*.log")
    return path


def flip(path: Path, at: int) -> None:
    """Turn one bit."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def last_place(one: Stack) -> tuple[int, int]:
    """Return the byte after the last record, and its number."""
    with Tail(one.folder / "journal") as tail:
        while tail.read():
            pass
        return tail.at, tail.mark.seq - 1


@pytest.mark.parametrize("mode", [0o400, 0o000])
def test_a_segment_that_must_not_be_written(one: Stack, mode: int) -> None:
    segment(one).chmod(mode)
    said = refusal(one, "-c", DROP)
    assert f"cannot be opened: Permission denied ({segment(one)})" in said


def test_a_folder_that_must_not_be_written_is_refused_at_the_start(one: Stack) -> None:
    folder = one.folder / "journal"
    folder.chmod(0o500)
    assert f"cannot be opened: Permission denied ({folder})" in refusal(one, "-c", DROP)


def test_a_flipped_bit_in_the_middle(one: Stack) -> None:
    path = segment(one)
    whole = path.read_bytes()
    flip(path, 1_000)
    said = refusal(one)
    place, number = re.findall(rf"{path} is damaged at byte (\d+): record (\d+) is not", said)[0]
    assert 0 < 1_000 - int(place) < 200
    assert int(number) > 1
    # Nothing was changed, and what the message says to do helps: here, the copy.
    assert path.read_bytes() != whole
    path.write_bytes(whole)
    running = Running(one.folder, "serve", "--config", str(one.config))
    assert running.stop() == 0


def test_a_flipped_bit_in_the_last_batch_is_cut_off_and_told(one: Stack) -> None:
    path = segment(one)
    end, number = last_place(one)
    flip(path, end - 1)
    running = Running(one.folder, "serve", "--config", str(one.config))
    assert re.search(
        r"ended with \d+ bytes that are no record, and they were",
        (one.folder / "serve.log").read_text(),
    )
    assert running.said["records"] < number
    assert running.stop() == 0
    assert verify(one.folder / "journal").torn_bytes == 0


# ------------------------------------------------------------------------------- two gateways
def test_a_second_gateway_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, free_port())
    first = Running(tmp_path, "serve", "--config", str(config))
    other = Stack(tmp_path, 1)
    said = refusal(other)
    assert f"is being written by process {first.process.pid}: one gateway writes a journal" in said
    assert "stop that one first" in said
    assert first.stop() == 0


def test_a_gateway_with_another_journal_is_refused_by_the_venue(tmp_path: Path) -> None:
    with stack(tmp_path, 3) as one:
        (tmp_path / "other").mkdir()
        config = write_config(tmp_path / "other", free_port())
        venue = f"127.0.0.1:{one.ports.venue}"
        other = Running(tmp_path / "other", "serve", "--config", str(config), "--venue", venue)
        with nt.BlockingClient(f"127.0.0.1:{other.port}", token=TOKENS["trade"]) as client:
            wait_until(lambda: "(other_gateway)" in other.log.read_text())
            order = client.submit("KO", 1)
            assert (order.status, order.reason) == ("denied", "venue_down")
        assert "give this one a venue of its own" in other.log.read_text()
        assert other.stop() == 0
        # The first one has not noticed anything.
        one.wait_for_fills(20)
        audit = one.finish()
    assert audit.faults == []
    assert audit.counts["Denied"] == 0


def test_an_older_copy_of_the_journal_is_refused_by_the_venue(tmp_path: Path) -> None:
    with stack(tmp_path, 4) as one:
        one.running["trader"].process.terminate()
        one.running["trader"].line()
        one.running["gateway"].stop()
        shutil.copytree(tmp_path / "journal", tmp_path / "other" / "journal")
        for _ in range(2):
            one.start("gateway")
            one.running["gateway"].stop()
        one.start("gateway")
        config = write_config(tmp_path / "other", free_port())
        venue = f"127.0.0.1:{one.ports.venue}"
        other = Running(tmp_path / "other", "serve", "--config", str(config), "--venue", venue)
        wait_until(lambda: "(old_epoch)" in other.log.read_text())
        assert "one on an older copy of its journal; stop it" in other.log.read_text()
        assert other.stop() == 0
