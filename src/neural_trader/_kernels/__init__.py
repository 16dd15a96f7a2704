"""Compiled loops over plain arrays (Cython in pure Python mode); imports nothing of ours.

Each kernel is a ``NAME.py`` that runs interpreted and compiled with the same bits, beside a
``NAME.pyi`` that says what it takes. An installation uses the compiled form only: an interpreted
kernel is thousands of times slower, so its use is never silent.
"""
