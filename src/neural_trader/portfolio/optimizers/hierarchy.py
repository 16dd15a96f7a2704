"""Hierarchical risk parity: series in the order of their clusters, weight split down the list."""

from typing import Final

import numpy as np

from neural_trader.core.errors import ConfigError
from neural_trader.portfolio.metrics import Floats

DISTANCES: Final = ("columns", "correlation")


def compute_hrp(
    covariance: Floats,
    *,
    distance: str = "columns",
    low: Floats | None = None,
    high: Floats | None = None,
) -> Floats:
    """Compute the weights of hierarchical risk parity.

    Parameters
    ----------
    covariance : float64 array, shape (N, N)
        With variances above 0; it may be singular.
    distance : {"columns", "correlation"}
        With d = sqrt((1 - correlation) / 2): two series are as far apart as their columns of d, as
        in the source; or d itself, as PyPortfolioOpt, Riskfolio-Lib and skfolio have it.
    low, high : float64 arrays, shape (N,), optional
        Bounds of the weights, which can add up to 1; a split that would break them goes as far as
        they let it.

    Returns
    -------
    float64 array, shape (N,)
        Long only, adding up to 1.

    Raises
    ------
    ConfigError
        There is no such distance.

    Notes
    -----
    Single linkage; of two clusters that are joined, the one that was made first stands first, as in
    scipy. Halving the list makes the weights depend on that order, and so on the order of the
    series: ``optimize`` sorts them by name. Cost O(N^3) at most.

    References
    ----------
    Lopez de Prado (2016), "Building Diversified Portfolios that Outperform Out of Sample", Journal
    of Portfolio Management 42.
    """
    if distance not in DISTANCES:
        message = f"distance is {distance!r}; expected one of {', '.join(DISTANCES)}"
        raise ConfigError(message)
    matrix = np.asarray(covariance, dtype=np.float64)
    scale = 1.0 / np.sqrt(matrix.diagonal())
    correlations = np.clip(matrix * scale * scale[:, np.newaxis], -1.0, 1.0)
    np.fill_diagonal(correlations, 1.0)
    far = np.sqrt((1.0 - correlations) / 2.0)
    if distance == "columns":
        far = np.stack([np.sqrt(np.square(far - row).sum(axis=1)) for row in far])
    count = len(matrix)
    bounds = (
        np.zeros(count) if low is None else np.maximum(low, 0.0),
        np.ones(count) if high is None else np.minimum(high, 1.0),
    )
    return _halve(matrix, order_of(far), bounds)


def order_of(far: Floats) -> list[int]:
    """Return the series in the order of the leaves of their single-linkage tree.

    Parameters
    ----------
    far : float64 array, shape (N, N)
        Distances, symmetric.
    """
    count = len(far)
    clusters = {at: [at] for at in range(count)}
    home = list(range(count))
    for number, (one, other) in enumerate(_links(far), count):
        first, second = sorted((home[one], home[other]))
        clusters[number] = clusters.pop(first) + clusters.pop(second)
        for member in clusters[number]:
            home[member] = number
    (order,) = clusters.values()
    return order


def _links(far: Floats) -> list[tuple[int, int]]:
    """Return what is joined, nearest first: neighbors in the order in which Prim's tree grows.

    Every cluster of single linkage is a run of that order, so that a link between neighbors stands
    for the one between their clusters.
    """
    count = len(far)
    near = np.full(count, np.inf)
    at = 0
    path, heights = [0], []
    for _ in range(count - 1):
        near = np.minimum(near, far[at])
        near[path] = np.inf
        at = int(np.argmin(near))
        heights.append(float(near[at]))
        path.append(at)
    return [(path[k], path[k + 1]) for k in np.argsort(heights, kind="stable")]


def _halve(matrix: Floats, order: list[int], bounds: tuple[Floats, Floats]) -> Floats:
    """Split the weight of every list between its halves by their variances, down to one series."""
    low, high = bounds
    weights = np.zeros(len(matrix))
    todo = [(order, 1.0)]
    while todo:
        members, whole = todo.pop()
        if len(members) == 1:
            weights[members[0]] = whole
            continue
        left, right = members[: len(members) // 2], members[len(members) // 2 :]
        one, other = _variance(matrix, left), _variance(matrix, right)
        # Both without risk, as two pairs of opposites are: half each.
        part = whole * (other / (one + other) if one + other > 0.0 else 0.5)
        part = max(part, low[left].sum(), whole - high[right].sum())
        part = min(part, high[left].sum(), whole - low[right].sum())
        todo += [(left, part), (right, whole - part)]
    return weights


def _variance(matrix: Floats, members: list[int]) -> float:
    """Return the variance of some series, weighted by the inverse of theirs."""
    part = matrix[np.ix_(members, members)]
    weights = 1.0 / part.diagonal()
    weights /= weights.sum()
    return max(float(weights @ part @ weights), 0.0)
