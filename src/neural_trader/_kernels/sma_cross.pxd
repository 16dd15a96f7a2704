# What other kernels call without Python in between; see sma_cross.py.
cdef Py_ssize_t _decide(
    const double[:, ::1] prices,
    Py_ssize_t row,
    const double[:, ::1] signals,
    double gross,
    bint once,
    long long[::1] state,
    long long[:, ::1] intents,
    double[::1] targets,
) noexcept nogil
