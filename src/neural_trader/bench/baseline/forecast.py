"""N-HiTS inference by PyTorch as it is written there: modules, eager, no gradient, one thread."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from neural_trader.bench.baseline.timing import present

Floats = NDArray[np.float64]


class Block(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Pool the window, run it through dense layers, and forecast both ways."""

    def __init__(self, block: Any) -> None:  # noqa: ANN401 - a block of weights
        super().__init__()
        self.pool = nn.MaxPool1d(block.pool, stride=block.pool, ceil_mode=True)
        layers: list[nn.Module] = []
        for layer in block.hidden:
            layers += [dense(layer), nn.ReLU()]
        self.hidden = nn.Sequential(*layers)
        self.backcast, self.forecast = dense(block.backcast), dense(block.forecast)

    def forward(self, rest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return backcast (B, L) and forecast (B, H) of windows (B, L)."""
        inner = self.hidden(self.pool(rest.unsqueeze(1)).squeeze(1))
        return self.backcast(inner), self.forecast(inner)


def dense(weights: Any) -> nn.Linear:  # noqa: ANN401 - weights and biases
    """Return a linear layer with these weights, (inputs, outputs)."""
    layer = nn.Linear(*weights.weight.shape)
    layer.weight.data = torch.from_numpy(weights.weight.T.copy())
    layer.bias.data = torch.from_numpy(weights.bias.copy())
    return layer


def prepare(width: int = 64, rows: int = 1) -> dict[str, Any]:
    """Return the network of the neural bench as PyTorch modules, and windows of prices."""
    from neural_trader.bench.neural_cases import made_artefact, made_windows

    torch.set_num_threads(1)  # of a network that small two threads are slower than one
    artefact = made_artefact(width)
    blocks = nn.ModuleList([Block(block) for block in artefact.network.blocks]).eval()
    (offsets,) = artefact.offsets["nhits"]
    return {
        "blocks": blocks,
        "windows": made_windows(rows),
        "scale": artefact.normalization.scale,
        "offsets": (offsets.lower, offsets.upper),
    }


def run(
    blocks: nn.ModuleList, windows: Floats, scale: float, offsets: tuple[Floats, Floats]
) -> dict[str, Any]:
    """Return forecast and interval, (B, H) each, of windows of prices (B, L)."""
    logs = np.log(windows)
    last = logs[:, -1:]
    with torch.inference_mode():
        rest = torch.from_numpy(((logs - last) / scale).astype(np.float32))
        total: torch.Tensor | None = None
        for block in blocks:
            backcast, forecast = block(rest)
            rest = rest - backcast
            total = forecast if total is None else total + forecast
    if total is None:
        message = "a network has at least one block"
        raise ValueError(message)
    middle = last + scale * total.numpy().astype(np.float64)
    moves = np.diff(logs, axis=1) ** 2
    weights = 0.94 ** np.arange(moves.shape[1] - 1, -1, -1)
    volatility = np.sqrt(moves @ weights / weights.sum())[:, np.newaxis]
    lower, upper = (np.exp(middle + volatility * offset) for offset in offsets)
    return {
        "forecast": np.exp(middle).tolist(),
        "lower": lower.tolist(),
        "upper": upper.tolist(),
    }


if __name__ == "__main__":
    present("forecast", prepare, run)
