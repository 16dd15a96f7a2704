"""Kernels built once more, from the same C, for processors that have the vectors of AVX2."""
