"""Measure a whole process from a small one: ``python -I -S launch.py COMMAND...`` prints JSON.

This file imports nothing but the standard library and is run on its own: the peak memory of a child
cannot be told apart from its parent's, so the parent must be smaller than anything it measures.
"""

import json
import os
import sys
import time


def main() -> None:
    """Start the command, throw its output away, and print wall, CPU and peak memory."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    measured = {
        "exit": os.waitstatus_to_exitcode(status),
        "wall_ms": wall * 1e3,
        "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1e3,
        "peak_rss_mb": usage.ru_maxrss * unit / 1e6,
    }
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
