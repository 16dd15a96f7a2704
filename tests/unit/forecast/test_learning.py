"""How the network learns; needs PyTorch."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from neural_trader.core import DataError
from neural_trader.forecast import learning
from neural_trader.forecast.learning import bars_min, fit
from neural_trader.forecast.windows import transformed
from tests.made_panels import SMALL, seasonal

torch = pytest.importorskip("torch", reason="training needs PyTorch: make neural-test")

VALUES = transformed(seasonal(), "log", bars_min=10)


def arrays(network: Any) -> list[np.ndarray]:
    return [
        array
        for block in network.blocks
        for dense in (*block.hidden, block.backcast, block.forecast)
        for array in dense
    ]


def test_it_learns_and_takes_the_best_step() -> None:
    found = fit(VALUES, SMALL, device="cpu")
    losses = dict(found.losses)
    assert losses[found.best_step] == min(losses.values())
    assert losses[found.best_step] < 0.7 * losses[0]
    assert found.steps == SMALL.steps
    assert not found.is_interrupted


def test_no_steps_leave_it_naive() -> None:
    found = fit(VALUES, replace(SMALL, steps=0), device="cpu")
    assert found.best_step == 0
    assert all(not block.forecast.weight.any() for block in found.network.blocks)


PROGRAM = """
import hashlib
from neural_trader.forecast.learning import fit
from tests.unit.forecast.test_learning import SMALL, VALUES, arrays
digest = hashlib.sha256()
for array in arrays(fit(VALUES, SMALL, device="cpu").network):
    digest.update(array.tobytes())
print(digest.hexdigest())
"""


def test_the_same_seed_gives_the_same_bits_in_every_process() -> None:
    answers = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        )
        answers.add(done.stdout.strip())
    assert len(answers) == 1
    one, other = (fit(VALUES, replace(SMALL, seed=seed), device="cpu") for seed in (1, 2))
    pairs = zip(arrays(one.network), arrays(other.network), strict=True)
    assert not all(map(np.array_equal, *zip(*pairs, strict=True)))


def test_it_stops_when_nothing_gets_better() -> None:
    noise = np.cumsum(np.random.default_rng(1).normal(size=(1, 400)), axis=1)
    config = replace(SMALL, values="level", steps=3_000, check_every=5, patience=3)
    found = fit(noise, config, device="cpu")
    assert found.steps < 3_000
    assert found.steps == found.best_step + 15


def test_ctrl_c_keeps_the_best_so_far() -> None:
    def stop(step: int, _steps: int) -> None:
        if step == 33:
            raise KeyboardInterrupt

    found = fit(VALUES, replace(SMALL, check_every=10), device="cpu", progress=stop)
    assert found.is_interrupted
    assert found.steps == 33
    assert found.best_step in (10, 20, 30)
    same = fit(VALUES, replace(SMALL, check_every=10), device="cpu")
    assert found.losses == same.losses[:4]


def test_progress_is_told_step_by_step() -> None:
    told: list[tuple[int, int]] = []
    fit(VALUES, replace(SMALL, steps=5), device="cpu", progress=lambda *at: told.append(at))
    assert told == [(step, 5) for step in range(1, 6)]


def test_the_number_of_threads_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    fit(VALUES, replace(SMALL, steps=1), device="cpu")
    assert torch.get_num_threads() == before


def test_what_cannot_be_learned_from_is_refused() -> None:
    least = bars_min(SMALL)
    fit(VALUES[:, :least], replace(SMALL, steps=1), device="cpu")
    with pytest.raises(DataError, match=f"training needs {least}"):
        fit(VALUES[:, : least - 1], SMALL, device="cpu")
    still = VALUES.copy()
    still[:, :460] = 1.0
    with pytest.raises(DataError, match="nothing moves in the bars to learn from"):
        fit(still, SMALL, device="cpu")


def test_what_it_is_judged_by_it_does_not_learn_from() -> None:
    """The first steps are the same whatever the validation part holds."""
    changed = VALUES.copy()
    changed[:, 460:] += 5.0 * np.random.default_rng(2).normal(size=changed[:, 460:].shape)
    config = replace(SMALL, steps=20, check_every=1_000)
    one, other = fit(VALUES, config, device="cpu"), fit(changed, config, device="cpu")
    assert one.losses != other.losses
    assert one.normalization == other.normalization


def test_adam_is_that_of_torch() -> None:
    rng = np.random.default_rng(1)
    start, slopes = rng.normal(size=30), rng.normal(size=(50, 30))
    ours, theirs = (torch.tensor(start.copy()) for _ in range(2))
    theirs.requires_grad_(requires_grad=True)
    own, other = learning._Adam(torch, ours), torch.optim.Adam([theirs], lr=1.0)
    for step, slope in enumerate(slopes):
        rate = 0.01 / (step + 1)
        own.step(torch.tensor(slope), rate)
        other.param_groups[0]["lr"] = rate
        theirs.grad = torch.tensor(slope)
        other.step()
    assert ours.numpy() == pytest.approx(theirs.detach().numpy(), rel=1e-12)
    assert np.abs(ours.numpy() - start).max() > 0.005
