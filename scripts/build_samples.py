"""Rebuild the bundled samples from the packages that they come from.

Run it in an environment that has ``skfolio==1.12.2``, ``bokeh-sampledata==2026.1`` and Polars::

    python scripts/build_samples.py            # write the samples
    python scripts/build_samples.py --check    # fail unless they would come out the same

Values are the ones that Python's ``float`` reads from the source texts, bit for bit. The same
version of Polars writes the same bytes.
"""

import argparse
import csv
import gzip
import hashlib
import importlib.metadata
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

FOLDER: Final = Path(__file__).parents[1] / "src/neural_trader/data/samples"


class Source(NamedTuple):
    """A file of an installed package: what the samples are made of."""

    package: str
    version: str
    file: str
    sha256: str


SP500: Final = Source(
    "skfolio",
    "1.12.2",
    "skfolio/datasets/data/sp500_dataset.csv.gz",
    "ee21cac28befb1d0a739a9ceb22184f995394726aa0cfde9a21941d1ac04ac0d",
)
STOCKS: Final = Source(
    "bokeh-sampledata",
    "2026.1",
    "bokeh_sampledata/_data/stocks.csv.gz",
    "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd",
)
US_OHLCV_SYMBOLS: Final = ("AAPL", "IBM", "MSFT")
# From this session on, that many new shares stand for one old share.
US_OHLCV_SPLITS: Final = (
    ("AAPL", "2000-06-21", 2.0),
    ("AAPL", "2005-02-28", 2.0),
    ("MSFT", "2003-02-18", 2.0),
)
LICENSES: Final = {
    "LICENSE-skfolio.txt": ("skfolio", "licenses/LICENSE"),
    "LICENSE-bokeh-sampledata.txt": ("bokeh-sampledata", "licenses/LICENSE.txt"),
}


def main() -> int:
    """Write the samples, or with ``--check`` compare them with what is there."""
    parser = argparse.ArgumentParser(description="Rebuild the bundled samples.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check = parser.parse_args().check
    files = build()
    changed = [
        name
        for name, data in files.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != data
    ]
    for name, data in files.items():
        state = "differs" if name in changed else "same"
        print(f"{name:32} {len(data):>8} bytes  {hashlib.sha256(data).hexdigest()}  {state}")
        if not check:
            (FOLDER / name).write_bytes(data)
    if check and changed:
        print(f"these would change: {', '.join(changed)}", file=sys.stderr)
        return 1
    return 0


def build() -> dict[str, bytes]:
    """Return every generated file by its name."""
    closes = sp500_closes()
    ohlcv = us_ohlcv()
    check_splits(ohlcv)
    prices = {
        "sp500-closes.parquet": parquet(closes),
        "us-ohlcv.parquet": parquet(ohlcv.drop("adj_close")),
    }
    splits = "symbol,day,ratio\n" + "".join(f"{s},{d},{r:g}\n" for s, d, r in US_OHLCV_SPLITS)
    licenses = {
        name: license_text(package, suffix).encode() for name, (package, suffix) in LICENSES.items()
    }
    manifest = {
        "sp500-closes": {
            "title": "20 US stocks, daily closes adjusted for splits and dividends",
            "symbols": closes.columns[1:],
            "fields": ["close"],
            "basis": "total-return",
            "labels": ["survivors"],
            "license": "BSD-3-Clause",
            "source": f"{SP500.package} {SP500.version}",
            **span(closes["date"]),
            "bytes": len(prices["sp500-closes.parquet"]),
        },
        "us-ohlcv": {
            "title": "AAPL, IBM and MSFT, daily open, high, low, close and volume, unadjusted",
            "symbols": list(US_OHLCV_SYMBOLS),
            "fields": ["open", "high", "low", "close", "volume"],
            "basis": "raw",
            "labels": ["survivors"],
            "license": "public domain (Quandl WIKI)",
            "source": f"{STOCKS.package} {STOCKS.version}",
            **span(ohlcv["date"]),
            "bytes": len(prices["us-ohlcv.parquet"]),
        },
    }
    return {
        **prices,
        "us-ohlcv-splits.csv": splits.encode(),
        **licenses,
        "samples.json": (json.dumps(manifest, indent=1) + "\n").encode(),
    }


def sp500_closes() -> pl.DataFrame:
    """Return the wide table of closes: date, then a column a symbol."""
    rows = read(SP500)
    header, body = rows[0], rows[1:]
    days = pl.Series("date", [row[0] for row in body]).str.to_date("%Y-%m-%d", strict=True)
    columns = {name: [float(row[at]) for row in body] for at, name in enumerate(header) if at}
    return pl.DataFrame({"date": days, **columns})


def us_ohlcv() -> pl.DataFrame:
    """Return the long table of raw bars; the adjusted close stays to check the splits with."""
    rows = read(STOCKS)
    at = {name.lower().replace(" ", "_"): position for position, name in enumerate(rows[0])}
    body = [row for row in rows[1:] if row[at["ticker"]] in US_OHLCV_SYMBOLS]
    days = [row[at["date"]] for row in body]
    prices = {
        name: [float(row[at[name]]) for row in body]
        for name in ("open", "high", "low", "close", "volume", "adj_close")
    }
    return pl.DataFrame(
        {
            "symbol": [row[at["ticker"]] for row in body],
            "date": pl.Series(days).str.to_date("%Y-%m-%d", strict=True),
            **prices,
        }
    )


def check_splits(bars: pl.DataFrame) -> None:
    """Find the splits in the data: where raw and adjusted returns differ by the ratio."""
    ratios = bars.with_columns(
        ratio=(
            (pl.col("adj_close") / pl.col("adj_close").shift(1))
            / (pl.col("close") / pl.col("close").shift(1))
        ).over("symbol")
    ).filter((pl.col("ratio") - 1).abs() > 0.2)
    found = {
        (row["symbol"], row["date"].isoformat(), float(round(row["ratio"])))
        for row in ratios.iter_rows(named=True)
    }
    if found != set(US_OHLCV_SPLITS):
        message = f"the data show the splits {sorted(found)}; the table has {US_OHLCV_SPLITS}"
        raise SystemExit(message)


def read(source: Source) -> list[list[str]]:
    """Return the rows of a source file, after checking that it is the one that is meant."""
    version = importlib.metadata.version(source.package)
    path = Path(str(importlib.metadata.distribution(source.package).locate_file(source.file)))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if (version, digest) != (source.version, source.sha256):
        message = (
            f"{source.file} of {source.package} {version} has sha256 {digest}; expected version "
            f"{source.version} and sha256 {source.sha256}"
        )
        raise SystemExit(message)
    return list(csv.reader(io.StringIO(gzip.decompress(data).decode())))


def license_text(package: str, suffix: str) -> str:
    """Return the license text that a package ships."""
    files = importlib.metadata.files(package) or []
    found = next(file for file in files if str(file).endswith(f".dist-info/{suffix}"))
    return found.read_text().rstrip() + "\n"


def parquet(frame: pl.DataFrame) -> bytes:
    """Return a frame as Parquet: one row group, zstd."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=22, row_group_size=1 << 20)
    return buffer.getvalue()


def span(days: pl.Series) -> Mapping[str, Any]:
    """Return the number of distinct bars and their range."""
    ordered = days.unique().sort()
    first, last = ordered[0], ordered[-1]
    return {"bars": len(ordered), "start": first.isoformat(), "end": last.isoformat()}


if __name__ == "__main__":
    sys.exit(main())
