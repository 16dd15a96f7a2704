"""Save a run to one file and read it back: NumPy arrays and JSON, no pickle."""

import json
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from neural_trader.backtesting.recorded import Recorded
from neural_trader.backtesting.run import Config, Outcome, Run
from neural_trader.backtesting.window import Window
from neural_trader.core import (
    Bars,
    Block,
    Costs,
    DataError,
    Instrument,
    Matching,
    NeuralTraderError,
)
from neural_trader.core.files import write_whole
from neural_trader.strategies import STRATEGIES

if TYPE_CHECKING:
    import zipfile

FORMAT: Final = "neural-trader result 1"

# What reading raises, depending on which byte of an archive is wrong or what a stranger put there.
_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NeuralTraderError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def save_run(run: Run, path: Path) -> Path:
    """Write a run and the bars it saw.

    Parameters
    ----------
    run : Run
    path : Path
        A file; its folder must exist. It is replaced only by a complete new file.

    Raises
    ------
    DataError
        The folder is not there or cannot be written to.
    """
    import zipfile

    window, outcome, bars = run.window, run.outcome, run.bars
    meta = {
        "format": FORMAT,
        "config": run.provenance["config"],
        "name": bars.name,
        "basis": bars.basis,
        "labels": list(bars.labels),
        "data_hash": bars.data_hash,
        "symbols": list(window.block.symbols),
        "rows": list(window.rows),
        "first": window.first,
        "is_ruined": outcome.is_ruined,
        "peak": [outcome.peak_leverage, outcome.peak_bar],
        "skipped": list(outcome.skipped),
    }
    arrays: dict[str, Any] = {
        "meta": np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8),
        "ts_close_ns": window.ts_close_ns,
        "equity": outcome.equity,
        "where": outcome.where,
        "fills": outcome.fills,
        "signals": outcome.signals,
    }
    arrays |= {f"field_{name}": values for name, values in window.block.fields.items()}
    with write_whole(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, values in arrays.items():
            # A ZipInfo of its own carries no time: equal results are equal files.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)
    return path


def read_run(path: Path) -> Run:
    """Read a run that ``save_run`` wrote.

    Raises
    ------
    DataError
        The file is not there, damaged, or not a saved result.
    """
    import zipfile

    if not path.is_file():
        message = f"{path}: no such file; expected a result written by Result.save"
        raise DataError(message)
    try:
        # A file that is no archive would be read as an array, and one of objects as a pickle.
        with zipfile.ZipFile(path) as archive:
            arrays = {
                name.removesuffix(".npy"): _read_array(archive, name) for name in archive.namelist()
            }
        meta = json.loads(arrays["meta"].tobytes())
        found = meta["format"]
        run = _rebuild(meta, arrays) if found == FORMAT else None
    except (*_DAMAGE, zipfile.BadZipFile) as error:
        message = (
            f"{path} is not a saved result or is damaged ({type(error).__name__}: {error}); run "
            "the backtest again"
        )
        raise DataError(message) from None
    if run is None:
        message = f"{path} has the format {found!r}; this version reads {FORMAT!r}"
        raise DataError(message)
    return run


def _read_array(archive: "zipfile.ZipFile", name: str) -> np.ndarray[Any, np.dtype[Any]]:
    with archive.open(name) as member:
        array: np.ndarray[Any, np.dtype[Any]] = np.lib.format.read_array(member)
        # Its end is where an archive compares the checksum of what was read.
        if member.read(1):
            message = f"{name} is longer than its array"
            raise ValueError(message)
        return array


def _rebuild(meta: dict[str, Any], arrays: dict[str, Any]) -> Run:
    """Make the run that was saved; what is missing or of another kind raises as it comes."""
    plain = meta["config"]
    kind = plain["strategy"].pop("kind")
    own = plain["strategy"]
    by_rate = {"fee_bps": plain["fee_bps"], "slippage_bps": plain["slippage_bps"]}
    config = Config(
        msgspec.convert(own, Recorded) if kind == Recorded.kind else STRATEGIES[kind](**own),
        plain["capital"],
        msgspec.convert(plain.get("costs", by_rate), Costs),
        plain["start"],
        plain["end"],
        plain["warmup"],
        plain["fill_at"].removeprefix("next "),
        plain["max_leverage"],
        msgspec.convert(plain.get("matching", {}), Matching),
        tuple(msgspec.convert(plain.get("instruments", []), list[Instrument])),
    )
    fields = {
        name.removeprefix("field_"): values
        for name, values in arrays.items()
        if name.startswith("field_")
    }
    block = Block(tuple(meta["symbols"]), arrays["ts_close_ns"], fields)
    bars = Bars((block,), name=meta["name"], basis=meta["basis"], labels=tuple(meta["labels"]))
    # The file holds the bars that the run saw, which may be fewer than were loaded for it.
    bars.remember_hash(meta["data_hash"])
    window = Window(
        block.ts_close_ns,
        fields["close"],
        # The bars of a strategy in Python may have been several calendars': closes show them all.
        fields.get(config.fill_at, fields["close"]),
        config.fill_at,
        tuple(meta["rows"]),
        meta["first"],
        block,
    )
    outcome = Outcome(
        arrays["equity"],
        arrays["where"],
        arrays["fills"],
        arrays["signals"],
        meta["is_ruined"],
        meta["peak"][0],
        meta["peak"][1],
        tuple(meta["skipped"]),
    )
    return Run(config, bars, window, outcome)
