"""How a case of the baseline is timed and printed: the same for every case, and for ours."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from neural_trader.bench.child import peak_rss_mb

Answer = dict[str, Any]
_SECONDS: Final = 1.0
_RUNS_MAX: Final = 300


def present(
    case: str, prepare: Callable[..., dict[str, Any]], run: Callable[..., Answer], runs: int = 0
) -> None:
    """Run a case as the command line asks, and print its figures and answer as a JSON line.

    Parameters
    ----------
    case : str
        Printed with it.
    prepare : callable
        Takes what ``--json-args`` gives by name and returns the arguments of ``run``; not timed.
    run : callable
        Timed, after one run that warms up; returns the answer.
    runs : int
        How often; 0 is as often as a second allows, 300 times at most.
    """
    parser = argparse.ArgumentParser(description=f"the baseline of {case}")
    parser.add_argument("--json-args", default="{}", help="parameters of the case, as JSON")
    given = json.loads(parser.parse_args().json_args)
    sys.stdout.write(json.dumps(measure(case, prepare(**given), run, runs)) + "\n")


def measure(
    case: str, inputs: dict[str, Any], run: Callable[..., Answer], runs: int = 0
) -> dict[str, Any]:
    """Time a case here and return its figures (medians) and its answer.

    The answer's own ``figures``, where it has some (a case that starts processes measures inside
    them), take the place of what is measured here.
    """
    began = time.perf_counter()
    answer = run(**inputs)
    took = time.perf_counter() - began
    count = runs or max(3, min(_RUNS_MAX, int(_SECONDS / max(took, 1e-6))))
    peak = peak_rss_mb()
    times = []
    cpu = time.process_time()
    for _ in range(count if "figures" not in answer else 0):
        began = time.perf_counter()
        run(**inputs)
        times.append(time.perf_counter() - began)
    cpu = time.process_time() - cpu
    figures = answer.pop("figures", None) or {
        "time_ms": statistics.median(times) * 1e3,
        "cpu_ms": cpu / count * 1e3,
        "peak_rss_mb": peak,
    }
    return {"case": case, "figures": figures, "answer": answer}
