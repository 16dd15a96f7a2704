"""Other engines on the same work, each in an environment of its own."""

from neural_trader.bench.runner import Engine


def find_peers() -> list[Engine]:
    """Return the engines that ``make peers`` installs, those that are missing with a reason."""
    return []
