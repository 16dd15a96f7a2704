"""What a figure was measured on."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

_CPUINFO = Path("/proc/cpuinfo")


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory, system, Python and the load at this moment."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_1min": round(os.getloadavg()[0], 2),
    }


def describe_commit(tree: Path) -> str | None:
    """Return the commit of a source tree, marked where files differ from it; None outside git."""
    git = shutil.which("git")
    if git is None or not (tree / ".git").exists():
        return None
    command = [git, "-C", str(tree), "describe", "--always", "--dirty", "--abbrev=12"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout.strip() or None


def _processor() -> str:
    """Return the processor's name; the kernel knows it better than the platform module."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
