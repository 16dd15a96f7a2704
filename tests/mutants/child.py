"""One run of tests on a copy of the package: ``python -m tests.mutants.child 40 tests/simulation``.

The first line says which package is tested. A mistake that eats memory or disk is stopped.
"""

import resource
import sys
from collections import Counter
from typing import Final

import pytest

import neural_trader

_MEMORY_MAX: Final = 6 << 30
_FILE_MAX: Final = 1 << 30


class Fewer:
    """Keeps the first cases of each test that has many."""

    def __init__(self, cases_max: int) -> None:
        self._cases_max = cases_max

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop the cases above the limit, where there is one."""
        if not self._cases_max:
            return
        seen: Counter[str] = Counter()
        kept = []
        for item in items:
            test = item.nodeid.partition("[")[0]
            seen[test] += 1
            if seen[test] <= self._cases_max:
                kept.append(item)
        items[:] = kept


def main(cases_max: int, arguments: list[str]) -> int:
    """Run the tests, and return the exit code of pytest."""
    print(neural_trader.__file__, flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_MAX, _FILE_MAX))
    options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=short", "-rfE", "--no-header"]
    return pytest.main([*options, *arguments], plugins=[Fewer(cases_max)])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
