"""The report of a run on many symbols: two prices drawn, all of them told, small enough."""

import base64
import json
import re
from pathlib import Path

import numpy as np

import neural_trader as nt

BARS = nt.load("sp500-closes")
RUN = nt.backtest(nt.library.EmaCross(20, 100, size="4%"), BARS)


def test_the_two_with_the_most_fills_are_drawn(tmp_path: Path) -> None:
    path = nt.report(RUN, tmp_path / "many.html")
    page = path.read_text()
    assert path.stat().st_size < 1_000_000
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    prices = json.loads(found[1])["charts"][0]
    fills = np.bincount(RUN.outcome.where[1], minlength=20)
    drawn = [RUN.symbols.index(line["label"]) for line in prices["series"]]
    assert len(drawn) == 2
    assert min(fills[drawn]) >= max(np.delete(fills, drawn))
    assert "the two of 20 symbols with the most fills" in prices["note"]
    for line in prices["series"]:
        kind = "<f8" if line["wide"] else "<f4"
        values = np.frombuffer(base64.b64decode(line["values"]), dtype=kind)
        close = BARS[line["label"]].close
        np.testing.assert_allclose(values[-1], close[-1], rtol=1e-6)


def test_every_symbol_is_told_and_a_round_trip_names_its_own(tmp_path: Path) -> None:
    page = nt.report(RUN, tmp_path / "many.html").read_text()
    assert "<h1>20 symbols</h1>" in page
    assert ", ".join(RUN.symbols) in page
    trip = RUN.trips[-1]
    leg = int(np.flatnonzero(trip.quantities)[0])
    assert f"{RUN.symbols[leg]} {trip.quantities[leg]:,.0f}" in page
    assert "fast 20" in page
    assert "decided by the strategy" in page
