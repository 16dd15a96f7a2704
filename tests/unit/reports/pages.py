"""Reading a report the way a browser does: elements, texts, and the data of its charts."""

import base64
import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
from numpy.typing import NDArray

_VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """The elements of a page; raises where they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.scripts: list[str] = []
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self.feed(text)
        self.close()
        if self._open:
            message = f"never closed: {self._open}"
            raise ValueError(message)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in _VOID:
            return
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            message = f"</{tag}> inside {self._open}"
            raise ValueError(message)
        self._open.pop()
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data
        if "script" in self._open:
            self.scripts[-1] += data
        if "caption" in self._open:
            self._caption += data
        elif {"td", "th"} & set(self._open):
            self._rows[-1][-1] += data

    @property
    def charts(self) -> dict[str, Any]:
        """The data of the charts."""
        data: dict[str, Any] = json.loads(self.scripts[0])
        return data


def decode(text: str, kind: str = "<f8") -> NDArray[np.float64]:
    """Return the numbers of a series."""
    return np.frombuffer(base64.b64decode(text), dtype=kind).astype(float)


def values(series: dict[str, Any]) -> NDArray[np.float64]:
    """Return the values of a line."""
    return decode(series["values"], "<f8" if series["wide"] else "<f4")
