"""Build the compiled kernels; everything else about the package stands in pyproject.toml."""

import hashlib
import json
import os
import platform
import shutil
from multiprocessing import get_start_method
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = Path("src/neural_trader/_kernels")
BUILT = "built.json"
# Determinism: no fast-math and no fused multiply-add, so that compiled and interpreted kernels
# give the same bits; baseline x86-64, so that a wheel runs on every machine of its platform.
# No trapping and no errno only tell the compiler that nobody reads the floating-point flags.
# Without debug information a wheel is a fifth of its size; symbols stay for profilers.
C_FLAGS = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno", "-g0"]
# Loops over the four lanes of ``lanes`` become vector instructions only if they are not unrolled
# before the compiler looks at them, as -O3 does; the last -O counts. The bits are the same.
LANE_FLAGS = [*C_FLAGS, "-O2", "-ftree-vectorize", "-fpeel-loops"]
LANE_KERNELS = {"lanes", "performance", "relative"}
# Kernels that gain much from wider vectors are built once more for machines that have them, without
# fused multiply-add and with the same bits; who calls them looks at the processor and chooses.
WIDE = ("revaluation",)
WIDE_FLAGS = [*C_FLAGS, "-mavx2"]


def sources() -> dict[str, str]:
    """Return the SHA-256 of every kernel's source and declarations, and of this file's flags."""
    kernels = [path for kind in ("py", "pxd") for path in sorted(KERNELS.glob(f"[a-z]*.{kind}"))]
    files = [*kernels, Path(__file__)]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# Taken before anything is compiled: a source that changes meanwhile is built again the next time.
SOURCES = sources()


class BuildKernels(build_ext):
    """Compile the kernels, side by side, and write down which source each was built from."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or True

    def run(self) -> None:
        copies = [Path(source) for extension in wide() for source in extension.sources]
        for copy in copies:
            shutil.copy2(KERNELS / copy.name, copy)
        super().run()
        for copy in copies:
            copy.unlink()
        target = KERNELS if self.inplace else Path(self.build_lib) / "neural_trader/_kernels"
        (target / BUILT).write_text(json.dumps(SOURCES, indent=1, sort_keys=True) + "\n")


def forget_changed() -> None:
    """Remove the C of every kernel that is not what was built last, so that it is built again.

    Cython and the compiler compare times alone, and a source that was put back to an older state
    may carry an older time than the code that was built from the newer one.
    """
    try:
        built = json.loads((KERNELS / BUILT).read_text())
    except (OSError, ValueError):
        built = {}
    same_flags = built.get("setup.py") == SOURCES["setup.py"]
    for name, digest in SOURCES.items():
        if not same_flags or built.get(name) != digest:
            (KERNELS / name).with_suffix(".c").unlink(missing_ok=True)


def kernels() -> list[Extension]:
    """Return one extension a kernel file."""
    forget_changed()
    extensions = [
        Extension(
            f"neural_trader._kernels.{path.stem}",
            [str(path)],
            extra_compile_args=LANE_FLAGS if path.stem in LANE_KERNELS else C_FLAGS,
        )
        for path in sorted(KERNELS.glob("[a-z]*.py"))
    ]
    return cythonize(
        extensions,
        include_path=["src"],
        language_level=3,
        # Where processes are forked, none of them runs this file anew.
        nthreads=os.cpu_count() or 0 if get_start_method() == "fork" else 0,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "infer_types": False,
        },
    )


def wide() -> list[Extension]:
    """Return the extensions for wide vectors, made of copies of the same C."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return []
    return [
        Extension(
            f"neural_trader._kernels.avx2.{name}",
            [str(KERNELS / "avx2" / f"{name}.c")],
            extra_compile_args=WIDE_FLAGS,
        )
        for name in WIDE
    ]


setup(ext_modules=kernels() + wide(), cmdclass={"build_ext": BuildKernels})
