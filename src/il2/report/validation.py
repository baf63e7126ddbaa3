"""Figures of a validation: measured against predicted, dose-responses, EC50 ladders and maps of residuals."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from il2.errors import Il2Error
from il2.fit.score import LATEST_EARLY_min, Scores, cell_groups
from il2.report.figure import DISTINCT, render
from il2.report.panel import GRID, INK, PALE, plain

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ERROR = 0.6  # of the reference, at the ends of the colours
TIMES = ("#440154", "#31688e", "#35b779", "#b5a315")  # dark to light, also in grey
EARLY, LATE = DISTINCT[0], DISTINCT[1]
MEASURED, PREDICTED = INK, DISTINCT[1]
UNIT = "response over background, as a share of the 97th percentile of the plate"


def draw(of: Scores, folder: Path, title: str = "default set") -> list[Path]:
    """Write the figures of each set into a folder, which is made; returns their paths."""
    from il2.files import whole_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Il2Error(f"cannot be made: {error.strerror}", where=str(folder), how="Choose another folder.") from error
    out = []
    for name, figure in figures(of, title):
        path = folder / f"{name}.png"
        with whole_file(path) as temporary:
            temporary.write_bytes(render(figure))
        out.append(path)
    return out


def figures(of: Scores, title: str = "default set") -> Iterator[tuple[str, Figure]]:
    """(name of a file without its ending, figure) for every set; for curves, every set and ligand."""
    for name in dict.fromkeys(of.points["set"]):
        points, curves = (frame[frame["set"] == name] for frame in (of.points, of.curves))
        stem, source = _safe(name), plain(name, 40)
        yield f"{stem}-measured-against-predicted", against(points, f"{source}: measured against predicted, {title}")
        yield f"{stem}-ec50-ladder", ladder(curves, f"{source}: EC50 measured and predicted, {title}")
        yield f"{stem}-residuals", residuals(points, f"{source}: predicted minus measured, {title}")
        for label in dict.fromkeys(points["label"]):
            own = points[points["label"] == label]
            heading = f"{source}, {plain(label, 30)}: measured and predicted, {title}"
            yield f"{stem}-curves-{_safe(label)}", responses(own, heading)


def against(points: pandas.DataFrame, title: str) -> Figure:
    """A panel per ligand: every well, predicted over measured, early and late times apart."""
    labels = list(dict.fromkeys(points["label"]))
    columns = min(4, len(labels))
    figure, grid = _grid([(label, "") for label in labels], columns, 2.3, 2.3, title, below=0.35)
    low, high = (f(points[["expected", "measured"]].to_numpy()) for f in (np.min, np.max))
    for axes, label in zip(grid, labels, strict=True):
        own = points[points["label"] == label]
        for colour, marker, late in ((EARLY, "o", False), (LATE, "^", True)):
            here = own[(own["time_min"] > LATEST_EARLY_min) == late]
            axes.plot(here["expected"], here["measured"], marker, color=colour, markersize=2.6, alpha=0.45, mew=0)
        axes.plot([low, high], [low, high], color=PALE, linewidth=0.8)
        axes.set_xlim(low - 0.05, high + 0.05)
    _legend(figure, [("o", EARLY, f"up to {LATEST_EARLY_min:g} min"), ("^", LATE, "later")], line="equal")
    _sides(grid, columns, "predicted", "measured")
    _foot(figure, f"Both axes: {UNIT}")
    return figure


def responses(points: pandas.DataFrame, title: str) -> Figure:
    """A panel per cell: wells of every run as markers, predictions as lines, one colour per time."""
    names = _ordered(points["cell"])
    columns = min(4, len(names))
    figure, grid = _grid([(name, "") for name in names], columns, 2.1, 1.7, title, below=0.4)
    times = sorted(points["time_min"].unique())
    runs = list(dict.fromkeys(zip(points["date"], points["replicate"], strict=True)))
    replicates = sorted({replicate for _, replicate in runs})
    colours = dict(zip(times, _shades(len(times)), strict=True))
    for axes, name in zip(grid, names, strict=True):
        for (time, _, replicate), curve in points[points["cell"] == name].groupby(["time_min", "date", "replicate"]):
            face = "white" if replicates.index(replicate) else colours[time]
            look: dict[str, Any] = {"color": colours[time], "markersize": 3, "markeredgewidth": 0.7}
            axes.plot(curve["dose_nM"], curve["measured"], "o", markerfacecolor=face, **look)
            dash = "--" if replicates.index(replicate) else "-"
            axes.plot(curve["dose_nM"], curve["expected"], dash, color=colours[time], linewidth=1.2)
        axes.set_xscale("log")
    _sides(grid, columns, "dose (nM)", "share of reference")
    _legend(figure, [("o", colours[t], f"{t:g} min") for t in times], line="predicted")
    several = " Filled, solid: first replicate; open, dashed: second." if len(replicates) > 1 else ""
    _foot(figure, f"Markers measured, lines predicted: {UNIT}.{several}")
    return figure


def ladder(curves: pandas.DataFrame, title: str) -> Figure:
    """A panel per ligand and time: measured and predicted EC50 of every cell, joined."""
    labels, times = list(dict.fromkeys(curves["label"])), sorted(curves["time_min"].unique())
    names = _ordered(curves["cell"])[::-1]
    high = 0.3 + 0.15 * len(names)
    panels = [(label, f"{time:g} min") for label in labels for time in times]
    figure, grid = _grid(panels, len(times), 1.75, high, title, left=1.25, below=0.35)
    seen = curves[["ec50_nM", "ec50_predicted_nM"]][curves["counted"]].to_numpy()
    span = (0.5 * np.min(seen), 2 * np.max(seen)) if len(seen) else (1e-3, 1e2)
    for n, (axes, (label, _)) in enumerate(zip(grid, panels, strict=True)):
        own = curves[(curves["label"] == label) & (curves["time_min"] == times[n % len(times)]) & curves["counted"]]
        place = own["cell"].map({name: k for k, name in enumerate(names)}).to_numpy(float)
        place += 0.12 * (
            own.groupby("cell").cumcount().to_numpy() - 0.5 * (own.groupby("cell")["cell"].transform("size") - 1)
        )
        axes.hlines(place, own["ec50_nM"], own["ec50_predicted_nM"], color=PALE, linewidth=0.8)
        axes.plot(own["ec50_nM"], place, "o", color=MEASURED, markersize=3.4)
        axes.plot(own["ec50_predicted_nM"], place, "D", color=PREDICTED, markersize=3.2, markerfacecolor="white")
        axes.set_xscale("log")
        axes.set_xlim(*span)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.set_yticks(range(len(names)), names if n % len(times) == 0 else [])
        axes.set_xlabel("EC50 (nM)" if n >= len(panels) - len(times) else "", fontsize=8, color=INK)
    _legend(figure, [("o", MEASURED, "measured"), ("D", PREDICTED, "predicted")], open_last=True)
    _foot(figure, "Only curves that count: above 20 % of the reference, Hill fit with R2 above 0.8, EC50 in the doses.")
    return figure


def residuals(points: pandas.DataFrame, title: str) -> Figure:
    """A map per ligand and time: mean error of every cell and dose."""
    labels, times = list(dict.fromkeys(points["label"])), sorted(points["time_min"].unique())
    names = _ordered(points["cell"])
    doses = np.array(sorted(points["dose_nM"].unique()))
    panels = [(label, f"{time:g} min") for label in labels for time in times]
    high = 0.2 + 0.15 * len(names)
    figure, grid = _grid(panels, len(times), 1.75, high, title, left=1.25, below=0.65)
    error = points.assign(error=points["expected"] - points["measured"])
    image = None
    shown = range(0, len(doses), max(1, math.ceil(len(doses) / 4)))
    for n, (axes, (label, _)) in enumerate(zip(grid, panels, strict=True)):
        own = error[(error["label"] == label) & (error["time_min"] == times[n % len(times)])]
        table = own.pivot_table(index="cell", columns="dose_nM", values="error", aggfunc="mean", observed=True)
        table = table.reindex(index=names, columns=doses)
        image = axes.imshow(table.to_numpy(float), aspect="auto", cmap="PuOr_r", vmin=-MOST_ERROR, vmax=MOST_ERROR)
        axes.set_facecolor("#d0d0d0")
        axes.grid(False)
        axes.set_yticks(range(len(names)), names if n % len(times) == 0 else [])
        last = n >= len(panels) - len(times)
        axes.set_xticks(list(shown), [f"{doses[k]:.2g}" for k in shown] if last else [])
        axes.set_xlabel("dose (nM)" if last else "", fontsize=8, color=INK)
    width, height = figure.get_size_inches()
    bar = figure.add_axes((1.25 / width, 0.5 / height, 2.6 / width, 0.1 / height))
    assert image is not None
    figure.colorbar(image, cax=bar, orientation="horizontal", extend="both").ax.tick_params(labelsize=7, colors=PALE)
    _foot(figure, f"Purple: predicted too low; orange: too high; grey: nothing measured. Unit: {UNIT}.")
    return figure


def _grid(panels: list[tuple[str, str]], columns: int, wide: float, high: float, title: str, left: float = 0.75,
          below: float = 0.8) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """A figure with panels of a size in inches under a title, and the axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    gap_x, gap_y, top = 0.3, 0.55, 0.75
    lines = -(-len(panels) // columns)
    width = max(left + columns * (wide + gap_x) + 0.1, 6.6)
    height = top + lines * (high + gap_y) + below
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.15 / width, 1 - 0.15 / height, title, fontsize=11, weight="bold", va="top", color=INK)
    grid = []
    for place, (name, note) in enumerate(panels):
        row, column = divmod(place, columns)
        x, y = left + column * (wide + gap_x), height - top - (row + 1) * high - row * gap_y
        axes = figure.add_axes((x / width, y / height, wide / width, high / height))
        axes.set_title(plain(name, int(wide / 0.09)), fontsize=8.5, weight="bold", loc="left", color=INK, pad=4)
        axes.set_title(note, fontsize=7.5, loc="right", color=PALE, pad=4)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(PALE)
        axes.tick_params(which="both", labelsize=7, colors=PALE)
        axes.grid(color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        grid.append(axes)
    return figure, grid


def _sides(grid: list[Axes], columns: int, x: str, y: str) -> None:
    """One range of y for all panels; labels at the left and below the last panel of every column."""
    low, high = min(axes.get_ylim()[0] for axes in grid), max(axes.get_ylim()[1] for axes in grid)
    for place, axes in enumerate(grid):
        axes.set_ylim(low, high)
        if place % columns == 0:
            axes.set_ylabel(y, fontsize=8, color=INK)
        else:
            axes.tick_params(labelleft=False)
        if place + columns >= len(grid):
            axes.set_xlabel(x, fontsize=8, color=INK)
        else:
            axes.tick_params(labelbottom=False)


def _legend(figure: Figure, entries: list[tuple[str, Any, str]], line: str = "", open_last: bool = False) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], linestyle="none", marker=m, color=c, markersize=5, label=text) for m, c, text in entries]
    if open_last:
        handles[-1].set_markerfacecolor("white")
    if line:
        handles.append(Line2D([], [], color=PALE, linewidth=1.2, label=line))
    height = figure.get_size_inches()[1]
    figure.legend(handles=handles, loc="lower left", ncols=len(handles), frameon=False, fontsize=8,
                  bbox_to_anchor=(0.0, 0.22 / height))  # fmt: skip


def _foot(figure: Figure, text: str) -> None:
    width, height = figure.get_size_inches()
    figure.text(0.15 / width, 0.08 / height, text, fontsize=7, color=PALE, va="bottom")


def _ordered(names: pandas.Series) -> list[str]:
    """Cells in the order of the default run, others behind."""
    known = cell_groups()["ten"]
    found = list(dict.fromkeys(names))
    return [n for n in known if n in found] + sorted(n for n in found if n not in known)


def _shades(n: int) -> list[Any]:
    from matplotlib import colormaps

    return list(TIMES) if n == len(TIMES) else list(colormaps["viridis"](np.linspace(0.0, 0.82, max(n, 1))))


def _safe(text: str) -> str:
    """A name of a file: letters, digits and dashes alone."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:60] or "set"
