"""What simulated losses say: value at risk, expected shortfall, how sure they are, and of whom."""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Below this many losses all of them are sorted; above, a sample says where the tail begins.
_SAMPLED_FROM: Final = 4_000
_SAMPLE: Final = 1_000


class Tail(NamedTuple):
    """The greatest losses, and what they say.

    Attributes
    ----------
    var, es : float
        Order statistic ceil(n confidence) of the losses; mean of the worst n (1 - confidence), the
        boundary loss by its fraction (Acerbi and Tasche 2002).
    var_std_error, es_std_error : float
    ids : int64 array, shape (S,)
        The scenarios that ``es`` and the components need, by loss; equals by number.
    weights : float64 array, shape (2, S)
        Of each in ``es``, and in the smoothed value at risk; each row sums to 1.
    """

    var: float
    es: float
    var_std_error: float
    es_std_error: float
    ids: NDArray[np.int64]
    weights: Floats


def place_of(count: int, confidence: float) -> int:
    """Return which of so many sorted losses is the value at risk, the smallest being 1."""
    return max(1, math.ceil(count * confidence - 1e-9))


def measure_tail(losses: Floats, confidence: float) -> Tail:
    """Return what losses say about their tail.

    Parameters
    ----------
    losses : float64 array, shape (n,)
        Finite, equally likely; at least 1 / (1 - confidence).
    confidence : float
        Between 0 and 1.

    Notes
    -----
    The standard error of the value at risk is sqrt(n c (1 - c)) times the distance of neighbours
    near it, taken from the losses two such deviations of the rank away on either side; that of the
    expected shortfall is sqrt((variance beyond + c (es - var)^2) / (n (1 - c))) (Manistre and
    Hancock 2005). The smoothed value at risk weighs the losses around it by Epanechnikov's kernel.
    """
    n = len(losses)
    place = place_of(n, confidence)
    whole = n * (1.0 - confidence)
    rank_error = math.sqrt(n * confidence * (1.0 - confidence))
    reach = max(1, round(2.0 * rank_error))
    smooth = min(place - 1, n - place, math.ceil(0.5 * whole**0.8))
    lowest = max(1, place - max(reach, smooth))
    greatest = _greatest(losses, n - lowest + 1)
    ordered = losses[greatest]
    at = place - lowest
    var = float(ordered[at])
    beyond = ordered[at + 1 :]
    fraction = max(0.0, whole - len(beyond))
    es = (float(beyond.sum()) + fraction * var) / whole
    above = min(len(ordered) - 1, at + reach)
    below = max(0, at - reach)
    var_error = rank_error * float(ordered[above] - ordered[below]) / (above - below)
    spread = (float(np.square(beyond - es).sum()) + fraction * (var - es) ** 2) / whole
    es_error = math.sqrt((spread + confidence * (es - var) ** 2) / whole)
    first = at - smooth
    weights = np.zeros((2, len(ordered) - first))
    weights[0, smooth] = fraction / whole
    weights[0, smooth + 1 :] = 1.0 / whole
    kernel = 1.0 - np.square(np.arange(-smooth, smooth + 1) / (smooth + 1.0))
    weights[1, : 2 * smooth + 1] = kernel / kernel.sum()
    return Tail(var, es, var_error, es_error, greatest[first:], weights)


def spread_of(tail: Tail, losses: Floats, confidence: float) -> Tail:
    """Return a tail with the standard errors that independent scrambles tell.

    Parameters
    ----------
    tail : Tail
        Of all losses.
    losses : float64 array, shape (R, points)
        Of each scramble.
    confidence : float

    Notes
    -----
    The share of a scramble's losses at or below the value at risk, and its mean loss beyond it,
    are means over points, of which the spread tells the error. The first becomes one of the value
    at risk through the density that ``measure_tail`` found (Dong and Nakayama 2017), with half a
    rank for where a loss stands between two; es = var + mean excess / (1 - c) makes the second
    one of the expected shortfall (Rockafellar and Uryasev 2000).
    """
    scrambles, points = losses.shape
    n = scrambles * points
    shares = (losses <= tail.var).mean(axis=1)
    excesses = np.maximum(losses - tail.var, 0.0).mean(axis=1) / (1.0 - confidence)
    share_error = math.sqrt(float(shares.var(ddof=1)) / scrambles + (0.5 / n) ** 2)
    slope = tail.var_std_error / math.sqrt(confidence * (1.0 - confidence) / n)
    es_error = math.sqrt(float(excesses.var(ddof=1)) / scrambles)
    return tail._replace(var_std_error=slope * share_error, es_std_error=es_error)


def _greatest(losses: Floats, count: int) -> NDArray[np.int64]:
    """Return where the greatest losses stand, the least first; equals in their order.

    A sample says above which loss they are to be looked for, so that few are sorted.
    """
    n = len(losses)
    if n >= _SAMPLED_FROM and count < n // 2:
        sample = losses[:: n // _SAMPLE]
        share = count / n
        wanted = len(sample) * share + 4.0 * math.sqrt(len(sample) * share * (1.0 - share)) + 2.0
        if wanted < len(sample):
            at = len(sample) - 1 - int(wanted)
            found = np.flatnonzero(losses >= np.partition(sample, at)[at])
            if len(found) >= count:
                order = losses[found].argsort(kind="stable")[len(found) - count :]
                return found[order]
    return losses.argsort(kind="stable")[n - count :]


def share_out(total: float, parts: Floats) -> Floats:
    """Return parts that sum to a total: what is missing goes to each by its size.

    Where all are of one sign, this is what multiplying them does; where they nearly cancel, it
    does not blow them up.
    """
    size = float(np.abs(parts).sum())
    if size == 0.0:
        return parts
    shared: Floats = parts + (total - float(parts.sum())) * (np.abs(parts) / size)
    return shared
