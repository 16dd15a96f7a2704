# What other kernels call without Python in between; see lanes.py.
cdef void _gather(const double[:, :] returns, Py_ssize_t begin, double[::1] tile) noexcept nogil

cdef bint _is_one_span(const long long[:, ::1] spans, Py_ssize_t s) noexcept nogil

cdef void _cdar(
    double[::1] falls,
    Py_ssize_t n,
    Py_ssize_t k,
    double confidence,
    double[::1] least,
    double[::1] work,
    double[::1] sheet,
) noexcept nogil

cdef void _tails(
    double[::1] x,
    Py_ssize_t n,
    Py_ssize_t k,
    double confidence,
    double[::1] least,
    double[::1] work,
    double[::1] sheet,
) noexcept nogil
