"""The same scenarios on a graphics processor, through torch: the same bits, normals to 1e-6.

Only losses are made there. What the tail is made of is drawn again by the kernels, since a scenario
depends on its number alone.
"""

import importlib.util
import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from neural_trader.core import ConfigError
from neural_trader.risk.scenarios import reference
from neural_trader.risk.scenarios.drawing import Pseudo, layers
from neural_trader.risk.scenarios.running import Run

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]

# Words held at a time: a hundred million of them need some gigabytes with what is made of them.
_WORDS: Final = 1 << 24
_HALF: Final = 1 << 53


def choose_device(asked: str, *, draws: str) -> str:
    """Return "cpu" or "cuda", or raise ConfigError where what was asked for is not there.

    Parameters
    ----------
    asked : str
        "cpu", "cuda" or "auto".
    draws : str
        Sobol points are made by the processor alone.
    """
    if asked == "cpu" or (asked == "auto" and draws != "pseudo"):
        return "cpu"
    missing = _missing()
    if asked == "auto":
        return "cpu" if missing else "cuda"
    if draws != "pseudo":
        message = "device is 'cuda' with Sobol points; those are made on the cpu: use device cpu"
        raise ConfigError(message)
    if missing:
        message = f"device is 'cuda', but {missing}; or use device cpu, or auto for what there is"
        raise ConfigError(message)
    return "cuda"


def _missing() -> str:
    """Return what stands between here and a graphics processor, or nothing."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed: pip install 'neural-trader[cuda]'"
    import torch

    if not torch.cuda.is_available():
        return (
            f"torch {torch.__version__} finds no CUDA device here: check the driver, and that this "
            "build of torch has CUDA"
        )
    return ""


def run_losses_on(run: Run, count: int, device: str) -> Floats:
    """Return the loss of every scenario, made on a device of torch and brought here.

    Parameters
    ----------
    run : Run
        Its source must be pseudo-random.
    count : int
    device : str
        As torch names it: "cuda", or "cpu" to compare.

    Returns
    -------
    float64 array, shape (count,)
        NaN where a linear price could fall below zero, as ``kernel.linear`` leaves it.
    """
    import torch

    at = torch.device(device)
    losses = torch.empty(count, dtype=torch.float64, device=at)
    columns = run.steps * (len(run.mean) + 1)
    chunk = max(1, _WORDS // columns)
    for begin in range(0, count, chunk):
        end = min(begin + chunk, count)
        losses[begin:end] = _losses(run, begin, end, at)
    return np.ascontiguousarray(losses.cpu().numpy())


def draw_on(source: Pseudo, first: int, stop: int, *, steps: int, n: int, device: str) -> Floats:
    """Return normals of scenarios, shape (stop - first, steps, n), to compare with the kernel's."""
    import torch

    words = _words(source.stream, range(first, stop), steps * (n + 1), torch.device(device))
    words = words.reshape(stop - first, steps, n + 1)
    return np.asarray(_normals(words[:, :, :n].reshape(-1)).cpu()).reshape(stop - first, steps, n)


def _losses(run: Run, first: int, stop: int, at: "torch.device") -> "torch.Tensor":
    import torch

    source = run.source
    if not isinstance(source, Pseudo):
        message = "only pseudo-random scenarios are drawn on a device"
        raise TypeError(message)
    count, n = stop - first, len(run.mean)
    words = _words(source.stream, range(first, stop), run.steps * (n + 1), at)
    words = words.reshape(count, run.steps, n + 1)
    normals = _normals(words[:, :, :n].reshape(-1)).reshape(count, run.steps, n)
    stretches = torch.ones((count, run.steps), dtype=torch.float64, device=at)
    if math.isfinite(source.degrees):
        stretches = _stretches(words[:, :, n].reshape(-1), source.degrees)
        stretches = stretches.reshape(count, run.steps)
    if run.is_linear:
        drift = float(run.terms[0])
        gains = drift + stretches[:, 0] * (normals[:, 0] @ _there(run.loads, at))
        return torch.where(stretches[:, 0] >= run.limit, torch.nan, -gains)
    growth = torch.ones((count, n), dtype=torch.float64, device=at)
    mean, matrix = _there(run.mean, at), _there(run.factor.matrix, at)
    for step in range(run.steps):
        returns = mean + (stretches[:, step, None] * normals[:, step]) @ matrix.T
        growth = growth * torch.clamp(1.0 + returns, min=0.0)
    gains = (growth - 1.0) @ _there(run.holdings.positions, at)
    for place, under in enumerate(run.holdings.under):
        gains = gains + _option_gains(run.holdings.options[place], growth[:, int(under)])
    return -gains


def _there(values: Floats, at: "torch.device") -> "torch.Tensor":
    import torch

    return torch.as_tensor(values, dtype=torch.float64, device=at)


def _option_gains(option: Floats, growth: "torch.Tensor") -> "torch.Tensor":
    """Return what an option gains; its columns are those of ``revaluation``."""
    import torch

    steep, start, spread, spot, strike, sign, units, before = (float(value) for value in option)
    asset = spot * growth
    if steep == 0.0:
        return units * (torch.clamp(sign * (asset - strike), min=0.0) - before)
    d1 = torch.log(torch.clamp(growth, min=1e-30)) * steep + start
    up = torch.special.ndtr(sign * d1)
    down = torch.special.ndtr(sign * (d1 - spread))
    return units * (sign * (asset * up - strike * down) - before)


def _signed(x: int) -> int:
    """Return 64 bits as torch has them: signed."""
    return x - (1 << 64) if x >= 1 << 63 else x


def _mix(x: "torch.Tensor") -> "torch.Tensor":
    x = (x ^ ((x >> 30) & ((1 << 34) - 1))) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ ((x >> 27) & ((1 << 37) - 1))) * _signed(0x94D049BB133111EB)
    return x ^ ((x >> 31) & ((1 << 33) - 1))


def _words(stream: int, ids: range, columns: int, at: "torch.device") -> "torch.Tensor":
    """Return the words of scenarios, shape (len(ids), columns)."""
    import torch

    golden = _signed(reference.GOLDEN)
    counters = torch.arange(ids.start + 1, ids.stop + 1, dtype=torch.int64, device=at)
    keys = _mix(counters * golden + _signed(stream))
    places = torch.arange(1, columns + 1, dtype=torch.int64, device=at)
    return _mix(keys[:, None] + places[None, :] * golden)


def _uniforms(words: "torch.Tensor") -> "torch.Tensor":
    return (((words >> 11) & (_HALF - 1)).double() + 0.5) * (1.0 / _HALF)


def _normals(words: "torch.Tensor") -> "torch.Tensor":
    """Return the normal of every word: the ziggurat, all at once, then those outside the cores."""
    import torch

    at = words.device
    widths, cores, heights = (torch.as_tensor(table, device=at) for table in layers())
    again = _signed(reference.AGAIN)

    def candidates(
        words: "torch.Tensor",
    ) -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor", "torch.Tensor"]:
        layer = words & (reference.LAYERS - 1)
        place = ((words >> 10) & (2 * _HALF - 1)) - _HALF
        return layer, place, place.double() * widths[layer], place.abs() < cores[layer]

    layer, place, found, is_inside = candidates(words)
    left = torch.nonzero(~is_inside).squeeze(1)
    word, layer, place, x = words[left], layer[left], place[left], found[left]
    while len(left):
        word = _mix(word + again)
        y = heights[layer] + _uniforms(word) * (heights[layer + 1] - heights[layer])
        is_tail = layer == 0
        is_done = (y < _exp(-0.5 * x * x)) | is_tail
        if bool(is_tail.any()):
            signs = torch.where(place[is_tail] >= 0, 1.0, -1.0).double()
            x[is_tail] = signs * _beyond(word[is_tail])
        found[left[is_done]] = x[is_done]
        left, word = left[~is_done], _mix(word[~is_done] + again)
        layer, place, x, is_inside = candidates(word)
        found[left[is_inside]] = x[is_inside]
        keep = ~is_inside
        left, word, layer, place, x = left[keep], word[keep], layer[keep], place[keep], x[keep]
    return found


def _exp(x: "torch.Tensor") -> "torch.Tensor":
    """Return the exponential as the kernel computes it, so that the same places are taken."""
    y = x * 0.03125
    q = y * y
    even = ((((1.0 / 40320.0) * q + 1.0 / 720.0) * q + 1.0 / 24.0) * q + 0.5) * q + 1.0
    odd = (((1.0 / 5040.0) * q + 1.0 / 120.0) * q + 1.0 / 6.0) * q + 1.0
    y = even + y * odd
    for _ in range(5):
        y = y * y
    return y


def _beyond(word: "torch.Tensor") -> "torch.Tensor":
    """Return normals beyond the last layer."""
    import torch

    again = _signed(reference.AGAIN)
    found = torch.empty(len(word), dtype=torch.float64, device=word.device)
    left = torch.arange(len(word), device=word.device)
    while len(left):
        x = -torch.log(_uniforms(word)) / reference.TAIL
        word = _mix(word + again)
        y = -torch.log(_uniforms(word))
        is_done = y + y >= x * x
        found[left[is_done]] = reference.TAIL + x[is_done]
        left, word = left[~is_done], _mix(word[~is_done] + again)
    return found


def _stretches(word: "torch.Tensor", degrees: float) -> "torch.Tensor":
    """Return sqrt((degrees - 2) / chi-square) of every word."""
    import torch

    d = 0.5 * degrees - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    aside, retry = _signed(reference.ASIDE), _signed(reference.RETRY)
    found = torch.empty(len(word), dtype=torch.float64, device=word.device)
    left = torch.arange(len(word), device=word.device)
    while len(left):
        x = _normals(word)
        v = 1.0 + c * x
        is_valid = v > 0.0
        v = torch.where(is_valid, v * v * v, 1.0)
        u = torch.log(_uniforms(_mix(word + aside)))
        is_done = is_valid & (u < 0.5 * x * x + d * (1.0 - v + torch.log(v)))
        found[left[is_done]] = torch.sqrt((degrees - 2.0) / (2.0 * d * v[is_done]))
        left, word = left[~is_done], _mix(word[~is_done] + retry)
    return found
