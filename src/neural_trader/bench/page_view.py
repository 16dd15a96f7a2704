"""A report of the page as plain data: what a table, a Markdown text and an HTML page show."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from neural_trader.bench.intervals import median_interval
from neural_trader.bench.page import PAGE, SECTIONS, PageRow
from neural_trader.bench.rows import Report, Row
from neural_trader.core import DataError

NOT_MEASURED: Final = "not measured"
_BUSY: Final = 0.75
_SCALES: Final[Mapping[str, tuple[tuple[float, float, str], ...]]] = {
    # From which size on a value is shown, what it is multiplied with, and the unit then.
    "ms": ((1e3, 1e-3, "s"), (1.0, 1.0, "ms"), (0.0, 1e3, "us")),
    "us": ((1e6, 1e-6, "s"), (1e3, 1e-3, "ms"), (0.0, 1.0, "us")),
    "MB": ((1e3, 1e-3, "GB"), (0.1, 1.0, "MB"), (0.0, 1e3, "kB")),
}


def show_page(report: Report) -> dict[str, Any]:
    """Return a report of the page as plain values: sections in their order, every row of the page.

    Parameters
    ----------
    report : Report
        From ``bench``; a row of the page that it does not have reads "not measured".

    Returns
    -------
    dict
        ``machine`` and ``provenance`` as (name, words); ``head``, ``counts``, ``warnings``; and
        ``sections``, each with ``name``, ``title``, ``words``, ``command`` and ``rows``. A row has
        ``id``, ``words``, ``claim``, ``claim_python``, ``baseline``, ``baseline_by``, ``ours``,
        ``interval``, ``noise``, ``to_claim`` (words), ``to_claim_value`` (a number, above 1 where
        we are ahead), ``to_baseline``, ``limit``, ``verdict`` (``ahead``, ``behind``, ``equal``,
        ``none`` or ``not measured``), ``flag`` (words, where it is beyond the cores), ``notes``
        and ``value`` in ``unit``.

    Raises
    ------
    DataError
        It is no report of the page.
    """
    by_id = {str(row.params["row"]): row for row in report.rows if "row" in row.params}
    if not by_id:
        message = (
            "the report has no row of the page; expected what `neural-trader bench --output FILE` "
            "or `neural-trader bench SECTION --output FILE` wrote"
        )
        raise DataError(message)
    sections: list[dict[str, Any]] = [
        {
            "name": section.name,
            "title": section.title,
            "words": section.words,
            "command": section.command,
            "rows": [
                _shown(row, by_id.get(row.id), report)
                for row in PAGE
                if row.section == section.name
            ],
        }
        for section in SECTIONS
    ]
    rows = [row for section in sections for row in section["rows"]]
    verdicts = [row["verdict"] for row in rows]
    return {
        "head": report.head(*_mode(report)),
        "machine": _machine(report),
        "provenance": _provenance(report),
        "counts": {
            "rows": len(rows),
            "measured": sum(verdict != NOT_MEASURED for verdict in verdicts),
            **{name: verdicts.count(name) for name in ("ahead", "behind", NOT_MEASURED)},
        },
        "warnings": _warnings(report),
        "sections": sections,
    }


def read_page(path: Path) -> Report:
    """Read a report that ``bench --output`` wrote.

    Raises
    ------
    DataError
        There is no such file, or it is no report.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise DataError(message) from None
    except msgspec.MsgspecError as error:
        message = f"{path} is no report of the bench: {error}; write one with --output"
        raise DataError(message) from None


def amount(value: float, unit: str) -> str:
    """Return a quantity for reading, in the unit that suits its size."""
    factor, shown = 1.0, unit
    for least, times, name in _SCALES.get(unit, ()):
        if abs(value) >= least:
            factor, shown = times, name
            break
    scaled = value * factor
    # Three digits that mean something, of a share four: 99.98 % is not all.
    most = 3 if unit == "%" else 2
    digits = max(0, most - math.floor(math.log10(abs(scaled)))) if scaled else 0
    text = f"{scaled:,.{min(digits, 4)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {shown}".strip()


def times_text(ratio: float) -> str:
    """Return a ratio for reading."""
    if not math.isfinite(ratio):
        return ""
    digits = 0 if ratio >= 100 else 1 if ratio >= 10 else 2
    return f"{ratio:,.{digits}f} x"


def _shown(page: PageRow, row: Row | None, report: Report) -> dict[str, Any]:
    """Return one row for reading."""
    value = None if row is None else row.value
    unit = page.unit
    notes = [page.note] if page.note else []
    shown: dict[str, Any] = {
        "id": page.id,
        "words": page.words,
        "unit": unit,
        "better": page.better,
        "claim": "" if page.rust is None else amount(page.rust, unit),
        "claim_value": page.rust,
        "claim_python": "" if page.python is None else amount(page.python, unit),
        "claim_python_value": page.python,
        "value": value,
        "baseline": "",
        "baseline_value": None,
        "baseline_by": "",
        "limit": "",
        "limit_value": None,
        "interval": "",
        "noise": "",
        "to_claim": "",
        "to_claim_value": None,
        "to_baseline": "",
    }
    if row is None or value is None:
        reason = "this report has no such row" if row is None else row.reason or "no reason given"
        told = {"ours": NOT_MEASURED, "verdict": NOT_MEASURED, "reason": reason}
        return shown | told | {"notes": notes, "flag": ""}
    low, high = _interval(row)
    if math.isfinite(low) and row.samples:
        shown["interval"] = _between(low, high, unit)
        shown["noise"] = _noise(low, high, value)
    if row.baseline is not None:
        shown["baseline"] = amount(row.baseline, unit)
        shown["baseline_value"] = row.baseline
        shown["baseline_by"] = str(row.params.get("baseline") or "")
    if row.ratio is not None and math.isfinite(row.ratio):
        shown["to_baseline"] = times_text(row.ratio)
    if row.limit is not None:
        shown["limit"] = amount(row.limit, unit)
        shown["limit_value"] = row.limit
    work = str(row.params.get("work") or "")
    # Workers without a core cannot be efficient: nothing is measured of the claim then.
    is_beyond = "beyond" in work
    ahead = None if is_beyond and page.better == "higher" else _ahead(page, value)
    if work and not is_beyond:
        notes.append(f"{work[0].upper()}{work[1:]}.")
    verdict = "equal" if page.better == "equal" else "none"
    if ahead is not None:
        shown["to_claim_value"] = ahead if math.isfinite(ahead) else None
        shown["to_claim"] = times_text(ahead)
        verdict = "ahead" if ahead >= 1.0 else "behind"
    if verdict == "behind":
        notes.append(_behind(page, report))
    return shown | {
        "ours": amount(value, unit),
        "verdict": verdict,
        "reason": row.reason or "",
        "flag": work if is_beyond else "",
        "notes": notes,
    }


def _ahead(page: PageRow, value: float) -> float | None:
    """Return how many times better than the claim a value is, or None where there is no claim."""
    if page.rust is None or page.better == "equal":
        return None
    high, low = (page.rust, value) if page.better == "lower" else (value, page.rust)
    return high / low if low else math.inf


def _behind(page: PageRow, report: Report) -> str:
    if page.behind:
        return f"Behind the claim. {page.behind}"
    load, cores = report.machine["load_1min"], report.machine["cores"]
    if load > _BUSY * cores:
        return f"Behind the claim; other work ran beside it (a load of {load} on {cores} cores)."
    return "Behind the claim on this machine."


def _interval(row: Row) -> tuple[float, float]:
    """Return the bootstrap interval of the median of the rounds; NaN where there was one round."""
    if len(row.samples) < 2:
        return math.nan, math.nan
    return median_interval(row.samples)


def _between(low: float, high: float, unit: str) -> str:
    """Return an interval, its unit written once where both ends have the same."""
    first, last = amount(low, unit), amount(high, unit)
    if first == last:
        return first
    number, _, shown = first.partition(" ")
    return f"{number} to {last}" if shown == last.partition(" ")[2] else f"{first} to {last}"


def _noise(low: float, high: float, value: float) -> str:
    """Return half the width of an interval as a share of the value."""
    if not value:
        return ""
    share = 50.0 * (high - low) / abs(value)
    return f"{share:.2g} %" if share < 10 else f"{share:.0f} %"


def _mode(report: Report) -> tuple[str, ...]:
    mode = report.provenance["config"].get("mode")
    return (str(mode),) if mode else ()


def _machine(report: Report) -> list[tuple[str, str]]:
    machine = report.machine
    after = report.provenance.get("load_after")
    load = f"{machine['load_1min']} before" + (f", {after} after" if after is not None else "")
    return [
        ("processor", str(machine["processor"])),
        ("cores", str(machine["cores"])),
        ("memory", f"{machine['memory_gb']} GB"),
        ("system", str(machine["system"])),
        ("python", str(machine["python"])),
        ("load, a minute's mean", load),
    ]


def _provenance(report: Report) -> list[tuple[str, str]]:
    told = report.provenance
    packages = ", ".join(f"{name} {number}" for name, number in told.get("packages", {}).items())
    rows = [
        ("version", str(told["version"])),
        ("commit", str(told.get("commit") or "no git")),
        ("measured at", str(told["measured_at"]).replace("T", " ").replace("+00:00", " UTC")),
        ("took", f"{told['seconds']:,.0f} s" if "seconds" in told else ""),
        ("rounds", ", ".join([_rounds(told["config"]["rounds"]), *_mode(report)])),
        ("packages", packages),
        ("data", str(told.get("data_name", ""))),
        ("data sha256", str(told.get("data_hash", ""))),
    ]
    return [(name, words) for name, words in rows if words]


def _rounds(count: int) -> str:
    return f"{count} round{'s' * (count != 1)}"


def _warnings(report: Report) -> list[str]:
    """Return what a reader has to know before trusting a figure."""
    machine, rounds = report.machine, report.provenance["config"]["rounds"]
    after = report.provenance.get("load_after", 0.0)
    found = []
    load = machine["load_1min"]
    if load > _BUSY * machine["cores"]:
        found.append(
            f"The machine was busy with other work: a load of {load} on {machine['cores']} cores "
            f"before the run, {after} after it. Times are longer than on a quiet one; ratios hold."
        )
    if rounds < 3:
        found.append(
            f"{_rounds(rounds)}: too few for an interval that means much. Give --full, or --rounds."
        )
    return found


def find_sections(report: Report) -> tuple[str, ...]:
    """Return the sections of the page that a report has rows of."""
    there = {str(row.params["row"]).partition(".")[0] for row in report.rows if "row" in row.params}
    return tuple(section.name for section in SECTIONS if section.name in there)
