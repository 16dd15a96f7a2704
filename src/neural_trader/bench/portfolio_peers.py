"""Other packages for portfolio metrics, each in an environment and a process of its own.

``benchmarks/rivals/portfolio_NAME.py`` says what each is asked; ``make peers`` makes their
environments.
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from neural_trader.bench.peers import installed_version
from neural_trader.bench.portfolio_cases import make_returns

_TREE: Final = Path(__file__).resolve().parents[3]


class PortfolioPeer(NamedTuple):
    """A package: its file's name, its name for people, its version, and how it is run, or why not.

    ``command`` is empty where there is a ``reason``.
    """

    name: str
    title: str
    version: str
    command: list[str]
    reason: str | None


# Name of the file, title, package, environment: ffn comes with bt.
_PEERS: Final = (
    ("vectorbt", "vectorbt", "vectorbt", "vectorbt"),
    ("empyrical", "empyrical-reloaded", "empyrical-reloaded", "empyrical"),
    ("skfolio", "skfolio", "skfolio", "skfolio"),
    ("ffn", "ffn", "ffn", "bt"),
    ("quantstats", "quantstats", "quantstats", "quantstats"),
)


def find_portfolio_peers(folder: Path, tree: Path = _TREE) -> list[PortfolioPeer]:
    """Return the other packages, those that cannot be run with the reason why.

    Parameters
    ----------
    folder : Path
        Where the returns are written for them; it must outlive the peers.
    tree : Path
        The source tree, with ``benchmarks/rivals`` and the environments in ``.venv-peers``.
    """
    program = tree / "benchmarks" / "rivals" / "measure_portfolio.py"
    returns = folder / "returns.npz"
    peers = []
    for name, title, package, environment in _PEERS:
        version = installed_version(tree / ".venv-peers" / environment, package)
        # -E: a PYTHONPATH of ours would put our packages in front of theirs.
        python = tree / ".venv-peers" / environment / "bin" / "python"
        command, reason = [str(python), "-E", str(program), name, str(returns)], None
        if not program.is_file():
            reason = "not installed: it comes with the source tree; clone it and run make peers"
        elif not version:
            reason = f"not installed: make peers ARGS={environment}"
        peers.append(PortfolioPeer(name, title, version, [] if reason else command, reason))
    if any(peer.reason is None for peer in peers):
        table = make_returns(51, 252)
        np.savez(returns, returns=table, benchmark=table.mean(axis=1))
    return peers
