"""Networks and artefacts of random weights, as tests of serving need them."""

from typing import Any, Literal

import numpy as np

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
)

Pooling = Literal["max", "average"]


def made_network(
    *,
    lookback: int = 60,
    horizon: int = 5,
    width: int = 64,
    depth: int = 2,
    pools: tuple[int, ...] = (8, 4, 1),
    pooling: Pooling = "max",
    levels: tuple[float, ...] = (0.1, 0.5, 0.9),
    newest_first: bool = False,
    seed: int = 1,
) -> Network:
    """Return a network whose layers keep the size of what goes through them."""
    rng = np.random.default_rng(seed)

    def dense(inputs: int, outputs: int) -> Dense:
        weight = rng.standard_normal((inputs, outputs)) * np.sqrt(1.5 / inputs)
        return Dense(weight.astype(np.float32), (0.1 * rng.standard_normal(outputs)).astype("f4"))

    blocks = []
    for pool in pools:
        inputs, hidden = -(-lookback // pool), []
        for _ in range(depth):
            hidden.append(dense(inputs, width))
            inputs = width
        heads = dense(inputs, horizon * len(levels))
        blocks.append(Block(pool, pooling, tuple(hidden), dense(inputs, lookback), heads))
    return Network(
        lookback,
        horizon,
        levels,
        "monotone" if len(levels) > 1 else "plain",
        tuple(blocks),
        newest_first,
    )


def made_artefact(
    network: Network | None = None,
    *,
    series: tuple[str, ...] = ("KO", "PEP"),
    passed: tuple[str, ...] = ("KO",),
    kind: Any = "log",
    card: dict[str, Any] | None = None,
) -> Artefact:
    """Return an artefact whose network forecasts ``passed``, and drift the other series."""
    network = network or made_network()
    steps, rng = np.arange(1.0, network.horizon + 1), np.random.default_rng(2)
    weight = 0.01 * rng.standard_normal((network.lookback, network.horizon))
    bias = 1e-4 * steps * np.arange(1.0, len(series) + 1)[:, None]

    def offsets(level: float, size: float) -> Offsets:
        reach = size * np.sqrt(steps)
        return Offsets(level, -reach, 1.1 * reach)

    ladders: dict[str, tuple[Offsets, ...]] = {
        "nhits": (offsets(0.8, 1.3), offsets(0.9, 1.7)),
        "drift": (offsets(0.8, 1.2), offsets(0.9, 1.6)),
    }
    judged = {"gate": {"passed": list(passed)}, "verdict": "It beats drift on KO. Survivors."}
    return Artefact(
        network,
        NHiTSConfig(horizon=network.horizon, lookback=network.lookback),
        series,
        Normalization(kind, 0.02 if kind in ("log", "level") else 1.0),
        Baseline("drift", weight, bias),
        ladders,
        judged if card is None else card,
        Provenance("made up", "0" * 64, (), "2000-01-03", "2009-12-31", "2012-12-31", "0.1.0"),
    )


def made_prices(rows: int = 1, columns: int = 60, seed: int = 3) -> np.ndarray[Any, Any]:
    """Return prices (rows, columns) that move as stocks do."""
    rng = np.random.default_rng(seed)
    return 50.0 * np.exp(np.cumsum(0.015 * rng.standard_normal((rows, columns)), axis=1))
