"""Build the compiled kernels; everything else about the package stands in pyproject.toml."""

import hashlib
import json
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = Path("src/neural_trader/_kernels")
# Determinism: no fast-math and no fused multiply-add, so that compiled and interpreted kernels
# give the same bits; baseline x86-64, so that a wheel runs on every machine of its platform.
# No trapping and no errno only tell the compiler that nobody reads the floating-point flags.
C_FLAGS = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]


class BuildKernels(build_ext):
    """Compile the kernels and write down which source each one was built from."""

    def run(self) -> None:
        super().run()
        sources = sorted(KERNELS.glob("[a-z]*.py"))
        built = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sources}
        target = KERNELS if self.inplace else Path(self.build_lib) / "neural_trader/_kernels"
        (target / "built.json").write_text(json.dumps(built, indent=1, sort_keys=True) + "\n")


def kernels() -> list[Extension]:
    """Return one extension a kernel file."""
    extensions = [
        Extension(f"neural_trader._kernels.{path.stem}", [str(path)], extra_compile_args=C_FLAGS)
        for path in sorted(KERNELS.glob("[a-z]*.py"))
    ]
    return cythonize(
        extensions,
        language_level=3,
        compiler_directives={
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "infer_types": False,
        },
    )


setup(ext_modules=kernels(), cmdclass={"build_ext": BuildKernels})
