"""The columns of a plate as text and numbers, with a problem and warnings per row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from il2.errors import Il2Error

if TYPE_CHECKING:
    import pandas


class Columns:
    """Named columns of a plate; one that is not there is empty."""

    def __init__(self, plate: pandas.DataFrame, names: tuple[str, ...]) -> None:
        self.plate = plate
        self.n = len(plate)
        self.problem = np.full(self.n, "", dtype=object)
        self.warning = np.full(self.n, "", dtype=object)
        self.text = {
            name: np.array([clean(v) for v in plate[name]], dtype=object)
            if name in plate.columns
            else np.full(self.n, "", dtype=object)
            for name in names
        }

    def distinct(self, name: str, read: Callable, nothing) -> tuple[np.ndarray, list]:
        """A column of small texts, each distinct text read once: which one a row holds, and what they say; what
        cannot be read is its rows' problem."""
        texts, which = factorise(self.text[name])
        out = []
        for k, text in enumerate(texts):
            try:
                out.append(read(text))
            except Il2Error as error:
                out.append(nothing)
                self.fail(which == k, str(error))
        return which, out

    def numbers(self, name: str, least: float, *, required: bool = False, above: bool = False) -> np.ndarray:
        """A column as floats, NaN where empty; what is no number or out of range is the row's problem."""
        import pandas

        if name not in self.plate.columns:
            return np.full(self.n, np.nan)
        text = self.text[name]
        given = text != ""
        values = pandas.to_numeric(pandas.Series(text), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        limit = f"a finite number {'above' if above else 'from'} {least:g}{'' if above else ' up'}"
        low = (values <= least) if above else (values < least)
        wrong = given & (~np.isfinite(values) | low)
        self.fail(wrong, [f"{name} is {t!r}, not {limit}" for t in text[wrong]])
        if required:
            self.fail(~given, f"{name} is missing")
        return np.where(given, values, np.nan)

    def fail(self, where: np.ndarray, reason) -> None:
        """Set the problem of the rows in `where` (a mask or row numbers) that have none yet."""
        rows = _rows(where)
        reasons = [reason] * len(rows) if isinstance(reason, str) else reason
        for row, text in zip(rows, reasons, strict=True):
            self.problem[row] = self.problem[row] or text

    def warn(self, where: np.ndarray, text: str) -> None:
        rows = _rows(where)
        self.warning[rows] = [f"{old}; {text}" if old else text for old in self.warning[rows]]


def _rows(where: np.ndarray) -> np.ndarray:
    return np.flatnonzero(where) if where.dtype == bool else where


def clean(value) -> str:
    """A field as text; missing values of any kind are empty."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return "" if text == "<NA>" else text


def factorise(values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Distinct values in order of appearance, and which one each row holds."""
    import pandas

    codes, names = pandas.factorize(values)
    return [str(n) for n in names], codes
