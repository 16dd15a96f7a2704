"""Run one rival on one case and print one JSON object: ``python measure.py NAME REQUEST``.

NAME stands for the module ``rival_NAME``, which says how its engine does the work of ``work.py`` in
three functions: ``prepare(work)`` puts the prices into the form in which the engine's users have
them (not timed, as our own bars are loaded before the clock starts), ``run(prices, work)`` makes
the engine, the strategy and the result (timed, equity and fills included), and
``read(result)`` says what happened. REQUEST is the JSON that ``Work.read`` takes.
"""

import importlib
import importlib.metadata
import json
import resource
import statistics
import sys
import time
import warnings
from pathlib import Path

from work import Work, entries

SECONDS = 0.5
RUNS_MIN, RUNS_MAX = 3, 200


def main():
    """Answer the request on the command line."""
    name, request = sys.argv[1:]
    work = Work.read(request)
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    rival = importlib.import_module(f"rival_{name}")
    import_s = time.perf_counter() - began
    prices = rival.prepare(work)
    answer = rival.read(rival.run(prices, work))
    peak_mb = peak_rss_mb()
    times, cpu_began = [], time.process_time()
    while len(times) < RUNS_MIN or (sum(times) < SECONDS and len(times) < RUNS_MAX):
        fresh = work.fresh(len(times) + 1)
        began = time.perf_counter()
        rival.run(prices, fresh)
        times.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu_began) / len(times)
    measured = {
        "engine": rival.PACKAGE,
        "version": importlib.metadata.version(rival.PACKAGE),
        "import_s": import_s,
        "trades": entries(answer.fills),
        "fills": len(answer.fills),
        "final_equity": float(answer.equity[-1]),
        "runs": len(times),
        "median_us": statistics.median(times) * 1e6,
        "cpu_us": cpu * 1e6,
        "peak_rss_mb": peak_mb,
    }
    if len(answer.equity) == len(work.days):
        measured["equity"] = [float(value) for value in answer.equity]
    print(json.dumps(measured))


def peak_rss_mb():
    """Return the peak resident memory of this process in MB.

    On Linux the high-water mark of the address space: ``ru_maxrss`` would start at the size of the
    parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return float(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


if __name__ == "__main__":
    main()
