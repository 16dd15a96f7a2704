import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_trader.core import DataError
from neural_trader.forecast import (
    Artefact,
    Baseline,
    Block,
    Dense,
    Network,
    NHiTSConfig,
    Normalization,
    Offsets,
    Provenance,
    load_artefact,
    save_artefact,
)

LOOKBACK, HORIZON, LEVELS = 10, 3, (0.1, 0.5, 0.9)


def dense(rng: np.random.Generator, inputs: int, outputs: int) -> Dense:
    weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
    return Dense(weight, rng.normal(size=outputs).astype(np.float32))


def made(seed: int = 1) -> Artefact:
    rng = np.random.default_rng(seed)
    blocks = tuple(
        Block(
            pool,
            "max",
            (dense(rng, -(-LOOKBACK // pool), 7), dense(rng, 7, 5)),
            dense(rng, 5, LOOKBACK),
            dense(rng, 5, HORIZON * len(LEVELS)),
        )
        for pool in (4, 1)
    )
    offsets = tuple(
        Offsets(level, -rng.random(HORIZON), np.array([1.0, 2.0, np.inf])) for level in (0.8, 0.9)
    )
    return Artefact(
        Network(LOOKBACK, HORIZON, LEVELS, "monotone", blocks),
        NHiTSConfig(horizon=HORIZON, lookback=LOOKBACK, pools=(4, 1), knots_every=(4, 1)),
        ("KO", "PEP"),
        Normalization("log", 0.02),
        Baseline("drift", np.zeros((LOOKBACK, HORIZON)), rng.random((2, HORIZON))),
        {"nhits": offsets, "drift": offsets[:1]},
        {"gate": {"passed": ["PEP"]}, "verdict": "so so"},
        Provenance("prices", "ab", ("survivors",), "2000-01-03", "2009-12-31", "2010-12-31", "1"),
    )


def same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and np.array_equal(one, two)
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    return bool(one == two)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    folder = save_artefact(made(), tmp_path / "model")
    assert same(load_artefact(folder), made())
    assert sorted(path.name for path in folder.iterdir()) == ["artefact.json", "weights.npz"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_same_artefact_is_the_same_bytes(tmp_path: Path) -> None:
    one, two = (save_artefact(made(), tmp_path / name) for name in ("one", "two"))
    for name in ("artefact.json", "weights.npz"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_the_source_of_a_series_is_what_passed_for_it() -> None:
    artefact = made()
    assert artefact.source("PEP") == "nhits"
    assert artefact.source("KO") == "drift"
    assert artefact._replace(card={}).source("PEP") == "drift"


def test_a_new_artefact_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    save_artefact(made(1), tmp_path / "model")
    save_artefact(made(2), tmp_path / "model")
    assert same(load_artefact(tmp_path / "model"), made(2))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("which", ["fresh", "swap"])
def test_the_old_artefact_stays_when_the_new_one_cannot_be_written(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_artefact(made(1), tmp_path / "model")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if (which == "swap") == self.name.endswith(".part") and not self.name.endswith(".old"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(DataError, match="No space left"):
        save_artefact(made(2), tmp_path / "model")
    assert same(load_artefact(tmp_path / "model"), made(1))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_nothing_of_somebody_else_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("one")
    with pytest.raises(DataError, match="exists and is no artefact"):
        save_artefact(made(), folder)
    with pytest.raises(DataError, match="exists and is no artefact"):
        save_artefact(made(), folder / "chapter.txt")
    assert (folder / "chapter.txt").read_text() == "one"
    with pytest.raises(DataError, match="is no folder"):
        save_artefact(made(), folder / "chapter.txt" / "two")
    load_artefact(save_artefact(made(), tmp_path / "not" / "yet" / "there"))
    (tmp_path / "empty").mkdir()
    save_artefact(made(), tmp_path / "empty")
    load_artefact(tmp_path / "empty")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_artefact(made(), tmp_path / "model")


def rewrite(folder: Path, arrays: dict[str, Any] | None = None, **changes: Any) -> None:
    """Change a file as a forger would, who mends the hash too."""
    plain = json.loads((folder / "artefact.json").read_text())
    if arrays is not None:
        data = io.BytesIO()
        np.savez(data, allow_pickle=True, **arrays)
        (folder / "weights.npz").write_bytes(data.getvalue())
        plain["weights_sha256"] = hashlib.sha256(data.getvalue()).hexdigest()
    for name, value in changes.items():
        plain[name] = value
    (folder / "artefact.json").write_text(json.dumps(plain))


def arrays_of(folder: Path) -> dict[str, Any]:
    with np.load(folder / "weights.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "something else"}, "no forecast of neural-trader"),
        ({"format": 2}, "has format 2; this version reads format 1"),
        ({"format": "1"}, "has format '1'"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"series": 3}, "Expected `array`"),
        ({"config": {"horizon": 0}}, "horizon is 0"),
        ({"normalization": {"kind": "log", "scale": 0.0}}, "the scale is 0.0"),
        ({"normalization": {"kind": "sqrt", "scale": 1.0}}, "the normalization is 'sqrt'"),
        ({"provenance": {"data": "x"}}, "damaged"),
        ({"series": ["KO"]}, r"baseline.bias has the shape \(2, 3\); expected \(1, 3\)"),
        ({"offsets": {}}, "which nothing asks for"),
        ({"offsets": {"nhits": [0.8, 0.9], "drift": [0.8, 0.9]}}, "is missing"),
    ],
)
def test_a_folder_that_says_what_it_must_not_is_refused(
    changes: dict[str, Any], words: str, folder: Path
) -> None:
    rewrite(folder, **changes)
    with pytest.raises(DataError, match=words):
        load_artefact(folder)


def test_arrays_that_are_not_what_they_must_be_are_refused(folder: Path) -> None:
    good = arrays_of(folder)
    name = "block0.0.weight"
    for wrong, words in (
        (good[name].astype(np.float64), "is float64; expected float32"),
        (good[name][:-1], "has the shape"),
        (np.full_like(good[name], np.nan), "NaN or infinity"),
        (np.array([{"a": 1}], dtype=object), "damaged"),
    ):
        rewrite(folder, good | {name: wrong})
        with pytest.raises(DataError, match=words):
            load_artefact(folder)
    rewrite(folder, {key: value for key, value in good.items() if key != name})
    with pytest.raises(DataError, match=r"'block0\.0\.weight' is missing"):
        load_artefact(folder)


def test_every_torn_or_flipped_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("weights.npz", "artefact.json"):
        data = (folder / name).read_bytes()
        for cut in (0, 1, len(data) // 2, len(data) - 1):
            broken = tmp_path / "broken"
            shutil.copytree(folder, broken)
            (broken / name).write_bytes(data[:cut])
            with pytest.raises(DataError, match=r"damaged|SHA-256"):
                load_artefact(broken)
            shutil.rmtree(broken)
    flipped = bytearray((folder / "weights.npz").read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (folder / "weights.npz").write_bytes(flipped)
    with pytest.raises(DataError, match="SHA-256 differs"):
        load_artefact(folder)


def test_a_folder_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neural train --output"):
        load_artefact(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot read"):
        load_artefact(tmp_path / "file")
