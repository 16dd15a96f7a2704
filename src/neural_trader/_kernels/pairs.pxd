# What other kernels call without Python in between; see pairs.py.
cdef Py_ssize_t _decide(
    const double[:, ::1] prices,
    Py_ssize_t row_y,
    Py_ssize_t row_x,
    const double[:, ::1] signals,
    const double[:, ::1] bounds,
    Py_ssize_t blocks,
    double entry,
    double exit_,
    double gross,
    bint once,
    long long[::1] state,
    long long[:, ::1] intents,
    double[::1] targets,
) noexcept nogil

cdef void _bound(const double[:, ::1] signals, double[:, ::1] bounds) noexcept nogil
