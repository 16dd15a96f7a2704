"""What a competent user of pandas, NumPy, scipy, PyTorch and asyncio would write today.

One file a case, read from top to bottom: ``prepare`` fetches the data, and is not timed; ``run`` is
the program, and returns its answer. Nothing of ours is in them but the data and the line that
prints: the same work by ours, and the check that both answers are equal, stand in ``ours``.
``python -m neural_trader.bench.baseline.NAME`` prints one case as a JSON line.
"""

__all__: list[str] = []
