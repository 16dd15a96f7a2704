"""A trained forecast on disk: a folder of arrays and JSON, and nothing that runs when it is read.

``artefact.json`` says what the forecast is, where it comes from and how it was judged, and has the
SHA-256 of ``weights.npz``, which holds the arrays.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import ConfigError, DataError
from neural_trader.forecast.baselines import Baseline
from neural_trader.forecast.config import NHiTSConfig
from neural_trader.forecast.network import Block, Dense, Network
from neural_trader.forecast.normalization import SCALERS, Normalization

FORMAT: Final = 1
MODEL: Final = "nhits"
"""The source of forecasts that come from the network."""
_KIND: Final = "neural-trader forecast"
_JSON: Final = "artefact.json"
_WEIGHTS: Final = "weights.npz"
_BLOCKS_MAX: Final = 64

Floats = NDArray[np.float64]


class Offsets(NamedTuple):
    """How far an interval reaches around a forecast, in trailing volatilities.

    Attributes
    ----------
    level : float
        The part of truths that it is to cover, 0.9 for 90 %.
    lower, upper : float64 arrays, shape (H,)
        The interval of step h is ``forecast[h] + volatility * lower[h]`` to the same with
        ``upper[h]``, in transformed values. Infinite where there were too few errors to tell.
    """

    level: float
    lower: Floats
    upper: Floats


class Provenance(NamedTuple):
    """Where a forecast comes from.

    Attributes
    ----------
    data : str
        The name of the data; ``data_sha256`` is that of what was taken from them.
    labels : tuple of str
        What every result made from these data must say, such as "survivors".
    train_start, train_end : str
        Session dates of the first and the last bar that the network was made with, the validation
        part included; empty where they are not known.
    as_of : str
        Session date of the last bar that anything in the artefact was made with.
    version : str
        Of neural-trader, or of what an imported network was trained with.
    """

    data: str
    data_sha256: str
    labels: tuple[str, ...]
    train_start: str
    train_end: str
    as_of: str
    version: str


class Artefact(NamedTuple):
    """A trained forecast, with all that its users must know.

    Attributes
    ----------
    network : Network
    config : NHiTSConfig
    series : tuple of str, length S
        What it was trained on, in the order of the baseline's rows; empty for an imported network.
    normalization : Normalization
    baseline : Baseline
        What is served for a series for which the network did not pass.
    offsets : dict of str to tuple of Offsets
        By source, ``"nhits"`` and the baseline's name: an entry a level, rising; may be empty.
    card : dict
        The evaluation card as JSON values; empty for an imported network, which was not judged.
    provenance : Provenance
    """

    network: Network
    config: NHiTSConfig
    series: tuple[str, ...]
    normalization: Normalization
    baseline: Baseline
    offsets: dict[str, tuple[Offsets, ...]]
    card: dict[str, Any]
    provenance: Provenance

    def source(self, series: str) -> str:
        """Return who forecasts a series: ``"nhits"`` where it passed, else the baseline's name."""
        passed = self.card.get("gate", {}).get("passed", [])
        return MODEL if series in passed else self.baseline.name


# ------------------------------------------------------------------------------------- writing
def save(artefact: Artefact, folder: str | Path) -> Path:
    """Write an artefact.

    Parameters
    ----------
    artefact : Artefact
    folder : str or Path
        Made anew, and the folders above it where they are missing. An artefact that stands there is
        replaced, and kept until the new one is complete. A leading ``~`` is the user's home.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    DataError
        Something that is no artefact stands there, or it cannot be written.
    """
    folder = Path(folder).expanduser()
    check_output(folder)
    arrays = _arrays(artefact)
    weights = io.BytesIO()
    np.savez(weights, **arrays)  # type: ignore[arg-type] # the stub takes them for its options
    text = json.dumps(_plain(artefact, weights.getvalue()), indent=1, allow_nan=False)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        fresh.mkdir(parents=True)
        for name, data in ((_WEIGHTS, weights.getvalue()), (_JSON, text.encode())):
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        # Crash: up to here the old artefact stands where it stood.
        if folder.exists():
            folder.rename(old)
        # Crash: between these two lines the old one stands complete under its name with .old.
        fresh.rename(folder)
    except OSError as error:
        message = (
            f"cannot write {folder}: {error.strerror}; choose a folder within one that is yours "
            "and has room"
        )
        raise DataError(message) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old.exists() and not folder.exists():
            with contextlib.suppress(OSError):
                old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def check_output(folder: Path) -> None:
    """Refuse a place in which no artefact can stand: asked before hours of training.

    Raises
    ------
    DataError
        A file stands where a folder would have to be, or something there is no artefact.
    """
    above = next(one for one in folder.absolute().parents if one.exists())
    if not above.is_dir():
        message = f"{above} is no folder; choose another output"
        raise DataError(message)
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() and not (folder / _JSON).is_file():
        message = (
            f"{folder} exists and is no artefact; choose a new folder, so that nothing is lost"
        )
        raise DataError(message)


def _arrays(artefact: Artefact) -> dict[str, NDArray[Any]]:
    """Return every array under its name in the file."""
    found: dict[str, NDArray[Any]] = {
        "baseline.weight": artefact.baseline.weight,
        "baseline.bias": artefact.baseline.bias,
    }
    for place, block in enumerate(artefact.network.blocks):
        layers = [*block.hidden, block.backcast, block.forecast]
        for layer, dense in enumerate(layers):
            found[f"block{place}.{layer}.weight"] = dense.weight
            found[f"block{place}.{layer}.bias"] = dense.bias
    for source, ladder in artefact.offsets.items():
        for place, offsets in enumerate(ladder):
            found[f"offsets.{source}.{place}.lower"] = offsets.lower
            found[f"offsets.{source}.{place}.upper"] = offsets.upper
    return found


def _plain(artefact: Artefact, weights: bytes) -> dict[str, Any]:
    network = artefact.network
    return {
        "kind": _KIND,
        "format": FORMAT,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "config": msgspec.to_builtins(artefact.config),
        "series": list(artefact.series),
        "network": {
            "lookback": network.lookback,
            "horizon": network.horizon,
            "levels": list(network.levels),
            "heads": network.heads,
            "newest_first": network.newest_first,
            "blocks": [
                {"pool": block.pool, "pooling": block.pooling, "layers": len(block.hidden)}
                for block in network.blocks
            ],
        },
        "normalization": artefact.normalization._asdict(),
        "baseline": artefact.baseline.name,
        "offsets": {
            source: [offsets.level for offsets in ladder]
            for source, ladder in artefact.offsets.items()
        },
        "provenance": artefact.provenance._asdict(),
        "card": artefact.card,
    }


# ------------------------------------------------------------------------------------- reading
class _PlainBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pool: int
    pooling: str
    layers: int


class _PlainNetwork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lookback: int
    horizon: int
    levels: tuple[float, ...]
    heads: str
    blocks: tuple[_PlainBlock, ...]
    newest_first: bool = False


class _Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``artefact.json``, as it must be."""

    kind: str
    format: int
    weights_sha256: str
    config: NHiTSConfig
    series: tuple[str, ...]
    network: _PlainNetwork
    normalization: dict[str, Any]
    baseline: str
    offsets: dict[str, tuple[float, ...]]
    provenance: dict[str, Any]
    card: dict[str, Any]


def load(folder: str | Path) -> Artefact:
    """Read an artefact, and trust nothing in it.

    Parameters
    ----------
    folder : str or Path
        From :func:`save`. A leading ``~`` is the user's home.

    Raises
    ------
    DataError
        There is none, it is another version's, or it is damaged; the message says how.
    """
    folder = Path(folder).expanduser()
    text = _read(folder, _JSON)
    plain = _decode(folder, text)
    data = _read(folder, _WEIGHTS)
    if hashlib.sha256(data).hexdigest() != plain.weights_sha256:
        message = (
            f"{folder / _WEIGHTS} is not what {_JSON} was written for: its SHA-256 differs; train "
            "again, or copy the folder again as a whole"
        )
        raise DataError(message)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _build(plain, arrays)
    except (
        ArithmeticError,
        EOFError,
        LookupError,
        OSError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        message = f"{folder} is damaged: {error}; train again, or copy the folder again as a whole"
        raise DataError(message) from None


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError:
        message = (
            f"there is no {folder / name}; expected the folder of a trained forecast, as "
            "`neural-trader neural train --output` writes it"
        )
        raise DataError(message) from None
    except OSError as error:
        message = f"cannot read {folder / name}: {error.strerror}"
        raise DataError(message) from None


def _decode(folder: Path, text: bytes) -> _Plain:
    """Read the JSON; kind and format come first, since all else hangs on them."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"{folder / _JSON} is damaged: {error}; train again"
        raise DataError(message) from None
    if not isinstance(found, dict) or found.get("kind") != _KIND:
        message = f"{folder / _JSON} is no forecast of neural-trader: its kind is not {_KIND!r}"
        raise DataError(message)
    if found.get("format") != FORMAT:
        message = (
            f"{folder} has format {found.get('format')!r}; this version reads format {FORMAT}: "
            "train again, or use the version of neural-trader that wrote it"
        )
        raise DataError(message)
    try:
        return msgspec.convert(found, _Plain)
    except (ConfigError, msgspec.ValidationError) as error:
        message = f"{folder / _JSON} is damaged: {error}; train again"
        raise DataError(message) from None


def _build(plain: _Plain, arrays: dict[str, NDArray[Any]]) -> Artefact:
    """Put the parts together; whatever does not fit raises, with the reason."""
    take = _Taker(arrays)
    network = _build_network(plain.network, take)
    series, horizon = len(plain.series), network.horizon
    baseline = Baseline(
        plain.baseline,
        take.floats("baseline.weight", (network.lookback, horizon)),
        take.floats("baseline.bias", (series, horizon)),
    )
    offsets = {
        source: tuple(
            Offsets(
                level,
                take.floats(f"offsets.{source}.{place}.lower", (horizon,), finite=False),
                take.floats(f"offsets.{source}.{place}.upper", (horizon,), finite=False),
            )
            for place, level in enumerate(levels)
        )
        for source, levels in plain.offsets.items()
    }
    take.check_all_taken()
    normalization = Normalization(**plain.normalization)
    if normalization.kind not in ("log", "level", "none", *SCALERS):
        message = f"the normalization is {normalization.kind!r}"
        raise ValueError(message)
    if not (math.isfinite(normalization.scale) and normalization.scale > 0.0):
        message = f"the scale is {normalization.scale!r}"
        raise ValueError(message)
    given = dict(plain.provenance)
    given["labels"] = tuple(given["labels"])
    return Artefact(
        network,
        plain.config,
        plain.series,
        normalization,
        baseline,
        offsets,
        plain.card,
        Provenance(**given),
    )


def _build_network(plain: _PlainNetwork, take: "_Taker") -> Network:
    lookback, horizon, count = plain.lookback, plain.horizon, len(plain.levels)
    if not (lookback >= 1 and horizon >= 1 and count >= 1 and len(plain.blocks) <= _BLOCKS_MAX):
        message = f"a network of {lookback} to {horizon} bars with {count} heads"
        raise ValueError(message)
    if plain.heads not in ("plain", "monotone"):
        message = f"the heads are {plain.heads!r}"
        raise ValueError(message)
    blocks = []
    for place, block in enumerate(plain.blocks):
        if block.pooling not in ("max", "average") or not 1 <= block.pool <= lookback:
            message = f"block {place} pools {block.pool} bars by {block.pooling!r}"
            raise ValueError(message)
        inputs, dense = -(-lookback // block.pool), []
        for layer in range(block.layers):
            dense.append(take.dense(f"block{place}.{layer}", inputs, None))
            inputs = dense[-1].weight.shape[1]
        backcast = take.dense(f"block{place}.{block.layers}", inputs, lookback)
        forecast = take.dense(f"block{place}.{block.layers + 1}", inputs, horizon * count)
        pooling: Any = block.pooling
        blocks.append(Block(block.pool, pooling, tuple(dense), backcast, forecast))
    heads: Any = plain.heads
    return Network(lookback, horizon, plain.levels, heads, tuple(blocks), plain.newest_first)


class _Taker:
    """Takes arrays out of a file by name, and holds each to its type and shape."""

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = dict(arrays)

    def dense(self, name: str, inputs: int, outputs: int | None) -> Dense:
        weight = self._take(f"{name}.weight", np.dtype(np.float32))
        wanted = (inputs, weight.shape[-1] if outputs is None and weight.ndim else outputs)
        self._check(f"{name}.weight", weight, wanted)
        bias = self._take(f"{name}.bias", np.dtype(np.float32))
        self._check(f"{name}.bias", bias, wanted[1:])
        return Dense(weight, bias)

    def floats(self, name: str, shape: tuple[int, ...], *, finite: bool = True) -> Floats:
        found = self._take(name, np.dtype(np.float64))
        self._check(name, found, shape, finite=finite)
        return found

    def check_all_taken(self) -> None:
        if self._arrays:
            message = f"it holds {min(self._arrays)!r}, which nothing asks for"
            raise ValueError(message)

    def _take(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        if name not in self._arrays:
            message = f"the array {name!r} is missing"
            raise ValueError(message)
        found = self._arrays.pop(name)
        if found.dtype != dtype:
            message = f"{name} is {found.dtype}; expected {dtype}"
            raise ValueError(message)
        return np.ascontiguousarray(found)

    @staticmethod
    def _check(
        name: str, found: NDArray[Any], shape: tuple[int | None, ...], *, finite: bool = True
    ) -> None:
        if found.shape != shape:
            message = f"{name} has the shape {found.shape}; expected {shape}"
            raise ValueError(message)
        if np.isnan(found).any() or (finite and np.isinf(found).any()):
            message = f"{name} holds NaN or infinity"
            raise ValueError(message)
