"""A file is written whole or not at all."""

from pathlib import Path

import pytest

import neural_trader as nt
from neural_trader.core.files import write_whole


def test_a_file_takes_its_place_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with write_whole(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail() -> None:
        with write_whole(path) as file:
            file.write(b"half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_of_the_data(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with pytest.raises(nt.DataError, match=r"cannot write .*a\.bin: No space"), write_whole(path):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(nt.DataError, match="is a folder; give a file name"), write_whole(tmp_path):
        pass
    missing = tmp_path / "none" / "a.bin"
    with pytest.raises(nt.DataError, match="choose a folder that exists"), write_whole(missing):
        pass
