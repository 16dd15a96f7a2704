# What other kernels call without Python in between; see execution.py.
cdef Py_ssize_t _fill(
    const double[:, ::1] prices,
    const long long[::1] rows,
    const long long[:, ::1] intents,
    const double[::1] targets,
    Py_ssize_t begin,
    Py_ssize_t stop,
    double fee_rate,
    double slippage_rate,
    double[::1] ledger,
    long long[::1] counts,
    long long[:, ::1] where,
    double[:, ::1] fills,
) noexcept nogil
