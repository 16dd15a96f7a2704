"""Plain CSV: days, times, symbols and decimal numbers go cell by cell straight into columns.

Oracle: ``neural_trader.data.layouts.read_table``, which reads the same text another way and to the
same bits; text: ``docs/data.md``, "Large files and
little memory". What is out of the ordinary is left to it.

Arrays (C-contiguous): ``kinds`` int64 IN, what each column of the text holds; ``stamps`` int64 OUT
and ``codes`` int64 OUT, one a row; ``values`` float64 OUT, one row a column of numbers, one column
a row of the text; ``marks`` int64 OUT, see ``MARKS``. ``known`` is a dict that every symbol is put
into, with its code, when it first stands in a row.
Directives: no bounds checks, because the text ends in a line feed, which no cell reads beyond, and
rows are counted before they are written; cdivision, because nothing is divided by what was read but
by a power of ten. The loop holds the GIL: symbols are looked up in a dict.
Cost: O(bytes). A number of up to 18 digits is an integer over an exact power of ten: one division
where the integer is exact too, one with a correction where it is not. Any other, and one that lies
too close between two doubles, is read by Python's ``float``: every number is the nearest double.
"""

import cython

SKIPPED = 0
TIME = 1
SYMBOL = 2
NUMBER = 3

ODD = -1
"""What ``parse`` returns of a text that it leaves to others."""

MARKS = 4
"""``marks``: 1 where times are days and 2 where they have a clock; where the first offset from UTC
begins and ends in the text; whether any time is other than midnight."""


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _digits(
    text: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, count: cython.int
) -> cython.int:
    """Return the number that ``count`` digits make, or -1."""
    found: cython.int = 0
    digit: cython.int
    i: cython.int
    for i in range(count):
        digit = cython.cast(cython.int, text[at + i]) - 48
        if digit < 0 or digit > 9:
            return -1
        found = found * 10 + digit
    return found


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _end(
    text: cython.const[cython.uchar][::1], at: cython.Py_ssize_t, separator: cython.int
) -> cython.Py_ssize_t:
    """Return where a cell ends."""
    while text[at] != separator and text[at] != 10 and text[at] != 13:
        at += 1
    return at


@cython.cfunc
@cython.exceptval(check=False)
def _day(text: cython.const[cython.uchar][::1], at: cython.Py_ssize_t) -> cython.longlong:
    """Return the days from 1970 to a date of ten characters, or a day far off the calendar."""
    year: cython.int = _digits(text, at, 4)
    month: cython.int = _digits(text, at + 5, 2)
    day: cython.int = _digits(text, at + 8, 2)
    longest: cython.int = 31
    of_year: cython.longlong
    past: cython.longlong
    if text[at + 4] != 45 or text[at + 7] != 45:  # -
        return -1_000_000
    if year < 1678 or year > 2261 or month < 1 or month > 12:
        return -1_000_000
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    elif month in {4, 6, 9, 11}:
        longest = 30
    if day < 1 or day > longest:
        return -1_000_000
    # Years that begin in March have their leap day at the end: months then have a formula.
    if month <= 2:
        year -= 1
        month += 12
    of_year = (153 * (month - 3) + 2) // 5 + day - 1
    past = year
    return past * 365 + past // 4 - past // 100 + past // 400 + of_year - 719_468


@cython.cfunc
@cython.exceptval(check=False)
def _clock(
    text: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    stamps: cython.longlong[::1],
    row: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Write the nanoseconds of a time of day and return where it ends, or -1."""
    hour: cython.int = _digits(text, at, 2)
    minute: cython.int
    second: cython.int = 0
    fraction: cython.longlong = 0
    scale: cython.longlong = 1_000_000_000
    if hour < 0 or hour > 23 or text[at + 2] != 58:  # :
        return -1
    minute = _digits(text, at + 3, 2)
    if minute < 0 or minute > 59:
        return -1
    at += 5
    if text[at] == 58:
        second = _digits(text, at + 1, 2)
        if second < 0 or second > 59:
            return -1
        at += 3
        if text[at] == 46:  # .
            at += 1
            while 48 <= text[at] <= 57 and scale > 1:
                scale //= 10
                fraction += (text[at] - 48) * scale
                at += 1
            if scale == 1_000_000_000:
                return -1
    stamps[row] = (hour * 60 + minute) * 60 + second
    stamps[row] = stamps[row] * 1_000_000_000 + fraction
    return at


@cython.cfunc
@cython.exceptval(check=False)
def _time(
    text: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    separator: cython.int,
    stamps: cython.longlong[::1],
    row: cython.Py_ssize_t,
    marks: cython.longlong[::1],
) -> cython.Py_ssize_t:
    """Write the stamp of a day's begin or of a time and return where it ends, or -1."""
    day: cython.longlong
    kind: cython.longlong = 1
    i: cython.Py_ssize_t
    end: cython.Py_ssize_t
    if at + 10 >= text.shape[0]:
        return -1
    day = _day(text, at)
    if day == -1_000_000:
        return -1
    at += 10
    stamps[row] = 0
    end = at
    if text[at] == 84 or text[at] == 32:  # T or a space
        kind = 2
        at = _clock(text, at + 1, stamps, row)
        if at < 0:
            return -1
        end = _end(text, at, separator)
        if row == 0:
            marks[1] = at
            marks[2] = end
        if end - at != marks[2] - marks[1]:
            return -1
        for i in range(end - at):
            if text[at + i] != text[marks[1] + i]:
                return -1
        if stamps[row]:
            marks[3] = 1
    if row == 0:
        marks[0] = kind
    if marks[0] != kind:
        return -1
    stamps[row] += day * 86_400_000_000_000
    return end


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _quotient(mantissa: cython.longlong, power: cython.double) -> cython.double:
    """Return the double nearest to a long integer over a power of ten, or -1.0 where it is close.

    Dekker's product gives the remainder of the first quotient exactly; Ziv's test then asks whether
    any error that is left could move the sum of quotient and correction to another double.
    """
    high: cython.double = cython.cast(cython.double, mantissa)
    low: cython.double = cython.cast(cython.double, mantissa - cython.cast(cython.longlong, high))
    first: cython.double = high / power
    product: cython.double = first * power
    a: cython.double = first * 134_217_729.0
    b: cython.double = power * 134_217_729.0
    a_high: cython.double = a - (a - first)
    b_high: cython.double = b - (b - power)
    a_low: cython.double = first - a_high
    b_low: cython.double = power - b_high
    error: cython.double = (
        ((a_high * b_high - product) + a_high * b_low) + a_low * b_high
    ) + a_low * b_low
    more: cython.double = (((high - product) - error) + low) / power
    found: cython.double = first + more
    left: cython.double = (first - found) + more
    return found if found + left * 1.000001 == found else -1.0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _number(
    text: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    values: cython.double[:, ::1],
    column: cython.Py_ssize_t,
    row: cython.Py_ssize_t,
) -> cython.Py_ssize_t:
    """Write a number and return where it ends; -1: it is none; -2 - end: it is left to float()."""
    mantissa: cython.longlong = 0
    power: cython.longlong = 1
    digits: cython.int = 0
    start: cython.Py_ssize_t = at
    while 48 <= text[at] <= 57:
        if digits < 18:
            mantissa = mantissa * 10 + (text[at] - 48)
        if mantissa:
            digits += 1
        at += 1
    if at == start:
        return -1
    if text[at] == 46:  # .
        at += 1
        start = at
        while 48 <= text[at] <= 57:
            if digits < 18 and at - start < 18:
                mantissa = mantissa * 10 + (text[at] - 48)
                power *= 10
            else:
                digits = 19
            if mantissa:
                digits += 1
            at += 1
        if at == start:
            return -1
    if text[at] == 69 or text[at] == 101:  # e
        digits = 19
        at += 1
        if text[at] == 43 or text[at] == 45:  # a sign
            at += 1
        start = at
        while 48 <= text[at] <= 57:
            at += 1
        if at == start:
            return -1
    if digits > 18:
        return -2 - at
    if mantissa <= 9_007_199_254_740_992:
        values[column, row] = cython.cast(cython.double, mantissa) / cython.cast(
            cython.double, power
        )
        return at
    values[column, row] = _quotient(mantissa, cython.cast(cython.double, power))
    return -2 - at if values[column, row] < 0.0 else at


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_same(
    text: cython.const[cython.uchar][::1],
    at: cython.Py_ssize_t,
    end: cython.Py_ssize_t,
    first: cython.Py_ssize_t,
    length: cython.Py_ssize_t,
) -> cython.bint:
    """Return whether a cell has the characters of an earlier one."""
    i: cython.Py_ssize_t
    if end - at != length:
        return False
    for i in range(length):  # noqa: SIM110 - compiled, all() would build a generator
        if text[at + i] != text[first + i]:
            return False
    return True


def parse(
    data: bytes,
    begin: cython.Py_ssize_t,
    separator: cython.int,
    kinds: cython.const[cython.longlong][::1],
    stamps: cython.longlong[::1],
    codes: cython.longlong[::1],
    values: cython.double[:, ::1],
    known: dict,
    marks: cython.longlong[::1],
) -> int:
    """Read the rows of a text behind its header; see the stub."""
    text: cython.const[cython.uchar][::1] = memoryview(data)
    n: cython.Py_ssize_t = text.shape[0]
    width: cython.Py_ssize_t = kinds.shape[0]
    at: cython.Py_ssize_t = begin
    row: cython.Py_ssize_t = 0
    column: cython.Py_ssize_t
    number: cython.Py_ssize_t
    end: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    length: cython.Py_ssize_t = -1
    code: cython.longlong = -1
    if n == 0 or text[n - 1] != 10 or not 0 <= begin <= n or not width:
        raise ValueError("data must end in a line feed, and begin must lie in it")
    if stamps.shape[0] != codes.shape[0] or values.shape[1] != codes.shape[0]:
        raise ValueError("stamps, codes and values must have one column a row")
    if marks.shape[0] != MARKS or list(kinds).count(NUMBER) != values.shape[0]:
        raise ValueError("marks must be 4, and values have one row a column of numbers")
    while at < n:
        if row == stamps.shape[0]:
            return ODD
        number = 0
        for column in range(width):
            if kinds[column] == 3:  # a number
                end = _number(text, at, values, number, row)
                if end < -1:
                    end = -2 - end
                    values[number, row] = float(data[at:end])
                number += 1
            elif kinds[column] == 1:  # a time
                end = _time(text, at, separator, stamps, row, marks)
            else:
                end = _end(text, at, separator)
            if end < 0:
                return ODD
            if kinds[column] == 2 and not _is_same(text, at, end, first, length):  # a symbol
                if end == at or text[at] <= 32 or text[end - 1] <= 32:
                    return ODD
                first = at
                length = end - at
                code = known.setdefault(data[at:end], len(known))
            if column + 1 < width:
                if text[end] != separator:
                    return ODD
            else:
                if text[end] == 13:
                    end += 1
                if text[end] != 10:
                    return ODD
            at = end + 1
        codes[row] = code
        row += 1
    return row
