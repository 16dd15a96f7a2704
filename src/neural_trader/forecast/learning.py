"""How the network learns: seeded batches, early stopping, and Ctrl-C that keeps the best so far."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neural_trader.core.errors import DataError
from neural_trader.forecast.config import NHiTSConfig
from neural_trader.forecast.model import Model, choose_device, import_torch
from neural_trader.forecast.network import Network
from neural_trader.forecast.normalization import Normalization
from neural_trader.forecast.windows import origins, typical_change

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

_VALIDATION_MAX: Final = 4_096
"""Windows that a network is judged by while it learns, evenly spaced over the validation part."""


class Fit(NamedTuple):
    """A network that has learned.

    Attributes
    ----------
    network : Network
    normalization : Normalization
    steps, best_step : int
        Steps done, and the one after which the network was taken.
    losses : tuple of (int, float)
        Step and loss on the validation part, in the order in which they were looked at.
    is_interrupted : bool
        Ctrl-C ended it.
    """

    network: Network
    normalization: Normalization
    steps: int
    best_step: int
    losses: tuple[tuple[int, float], ...]
    is_interrupted: bool


def bars_min(config: NHiTSConfig) -> int:
    """Return the least number of bars that a network can be trained with."""
    held_back = config.horizon + 1
    whole = config.lookback + config.horizon + 1 + held_back
    # The validation part is a share of all, and must hold a target.
    return max(whole, math.ceil(config.horizon / config.validation_share) + 1)


def fit(
    values: Floats,
    config: NHiTSConfig,
    *,
    device: str = "auto",
    progress: Progress | None = None,
) -> Fit:
    """Train a network on all of the values.

    Parameters
    ----------
    values : float64 array, shape (S, T)
        Transformed: logarithms of prices, or values as they are.
    config : NHiTSConfig
    device : {"auto", "cpu", "cuda"}
        One thread on a CPU: a small network loses by more.
    progress : callable, optional
        Called with steps done and steps in all.

    Returns
    -------
    Fit
        The same seed gives the same bits on the same machine.

    Raises
    ------
    ConfigError
        PyTorch or the device is missing.
    DataError
        There are too few bars, or nothing moves in those that it learns from.

    Timing
    ------
    The last ``validation_share`` of the bars choose the step to keep; the network learns from
    windows whose targets lie before them.

    Notes
    -----
    Adam with a rate that falls to zero along half a cosine. An interrupt is kept to itself: what
    was best until then is returned and says so.
    """
    torch = import_torch()
    place = choose_device(torch, device)
    count = values.shape[1]
    if count < bars_min(config):
        message = f"there are {count:,} bars; training needs {bars_min(config):,}"
        raise DataError(message)
    split = count - max(config.horizon, math.floor(count * config.validation_share))
    learn = origins(config.lookback, config.horizon, first=0, stop=split)
    judge = origins(config.lookback, config.horizon, first=split, stop=count)
    if not len(learn) or not len(judge):
        message = f"{count:,} bars leave no window to learn from; training needs more of them"
        raise DataError(message)
    scale = typical_change(values[:, :split], config.horizon)
    if scale == 0.0:
        message = "nothing moves in the bars to learn from; a forecast of it would be empty"
        raise DataError(message)
    with _one_thread(torch, place):
        learner = _Learner(values, Normalization(config.values, scale), config, place)
        return learner.run(learn, judge, progress)


@contextmanager
def _one_thread(torch: Any, place: str) -> Iterator[None]:  # noqa: ANN401 - torch is untyped
    before = torch.get_num_threads()
    if place == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Learner:
    """The loop, and what it needs at every step."""

    def __init__(
        self, values: Floats, normalization: Normalization, config: NHiTSConfig, place: str
    ) -> None:
        self._torch = torch = import_torch()
        self._config, self._normalization = config, normalization
        self._rng = np.random.default_rng(config.seed)
        self._model = Model(config, self._rng, place)
        # (S, T) -> (S, N, L + H), a view: windows are gathered from it by index.
        self._every = torch.tensor(values, device=place).unfold(
            1, config.lookback + config.horizon, 1
        )
        self._levels = torch.tensor(config.levels, dtype=torch.float32, device=place)
        self._adam = _Adam(torch, self._model.flat)
        self._losses: list[tuple[int, float]] = []
        self._best: tuple[float, int, Any] = (math.inf, 0, self._model.flat.clone())
        self._steps = 0

    def run(
        self, learn: NDArray[np.intp], judge: NDArray[np.intp], progress: Progress | None
    ) -> Fit:
        """Learn until the steps are done, nothing gets better, or Ctrl-C."""
        is_interrupted = False
        try:
            self._learn(learn, self._gather(*self._spread(judge)), progress)
        except KeyboardInterrupt:
            is_interrupted = True
        _, best_step, parameters = self._best
        self._model.flat.copy_(parameters)
        return Fit(
            self._model.fold(),
            self._normalization,
            self._steps,
            best_step,
            tuple(self._losses),
            is_interrupted,
        )

    def _learn(
        self, learn: NDArray[np.intp], judged: tuple[Any, Any], progress: Progress | None
    ) -> None:
        config, waited = self._config, 0
        self._judge(judged)
        for step in range(config.steps):
            rate = 0.5 * (1.0 + math.cos(math.pi * step / config.steps))
            self._model.gradient.zero_()
            rows = self._rng.integers(len(self._every), size=config.batch)
            ends = learn[self._rng.integers(len(learn), size=config.batch)]
            self._loss(*self._gather(rows, ends)).backward()
            self._adam.step(self._model.gradient, config.learning_rate * rate)
            self._steps = step + 1
            if progress is not None:
                progress(self._steps, config.steps)
            if self._steps % config.check_every == 0 or self._steps == config.steps:
                waited = 0 if self._judge(judged) else waited + 1
                if waited >= config.patience:
                    break

    def _gather(self, rows: Any, ends: Any) -> tuple[Any, Any]:  # noqa: ANN401 - torch is untyped
        """Return normalized windows (B, L) and targets (B, H) that end at some bars."""
        torch, lookback = self._torch, self._config.lookback
        taken = self._every[torch.from_numpy(rows), torch.from_numpy(ends - (lookback - 1))]
        # In float64 until the last value is off: float32 levels lose the digits of changes.
        taken = (taken - taken[:, lookback - 1 : lookback]) / self._normalization.scale
        taken = taken.to(torch.float32)
        return taken[:, :lookback], taken[:, lookback:]

    def _spread(self, judge: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return series and ends of the windows to be judged by."""
        total = len(self._every) * len(judge)
        chosen = np.linspace(0, total - 1, min(total, _VALIDATION_MAX)).astype(np.intp)
        return chosen % len(self._every), judge[chosen // len(self._every)]

    def _loss(self, windows: Any, targets: Any) -> Any:  # noqa: ANN401 - torch is untyped
        errors = targets[:, :, None] - self._model.forward(windows)
        if self._config.loss == "squared":
            return (errors * errors).mean()
        return self._torch.maximum(self._levels * errors, (self._levels - 1.0) * errors).mean()

    def _judge(self, judged: tuple[Any, Any]) -> bool:
        """Look at the validation part, and keep the network if it is the best so far."""
        with self._torch.no_grad():
            loss = float(self._loss(*judged))
        self._losses.append((self._steps, loss))
        if not loss < self._best[0]:
            return False
        self._best = (loss, self._steps, self._model.flat.clone())
        return True


class _Adam:
    """Kingma and Ba's Adam on one vector; torch.optim takes seconds to import, for a compiler."""

    _MEAN, _SQUARE, _EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, torch: Any, flat: Any) -> None:  # noqa: ANN401 - torch is untyped
        self._flat = flat
        self._mean, self._square = torch.zeros_like(flat), torch.zeros_like(flat)
        self._steps = 0

    def step(self, gradient: Any, rate: float) -> None:  # noqa: ANN401 - torch is untyped
        """Move the vector against its gradient."""
        self._steps += 1
        self._mean.lerp_(gradient, 1.0 - self._MEAN)
        self._square.mul_(self._SQUARE).addcmul_(gradient, gradient, value=1.0 - self._SQUARE)
        size = (self._square / (1.0 - self._SQUARE**self._steps)).sqrt_().add_(self._EPSILON)
        self._flat.addcdiv_(self._mean, size, value=-rate / (1.0 - self._MEAN**self._steps))
