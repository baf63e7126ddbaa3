"""The report of a fit: one HTML file that needs nothing else, and its figures."""

from __future__ import annotations

import math
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from il2.files import whole_file, write_text
from il2.fit.free import DYNAMIC
from il2.fit.predictive import SHARES, noise_of
from il2.fit.run import CHAINS, FAR, SAME
from il2.report import fit_figure
from il2.report.figure import render
from il2.report.html import RESEARCH_USE
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section
from il2.report.panel import concentration, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from il2.fit.identify import Verdict
    from il2.fit.run import Fit

MOST_FAR = 20
REPORT, FIGURES = "report.html", "figures"


def write(of: Fit, folder: Path) -> tuple[Path, ...]:
    """Write report.html, and the figures as PNG into the folder `figures`; returns what was written."""
    drawn = _drawn(of)
    (folder / FIGURES).mkdir(exist_ok=True)
    paths = []
    for name, found in drawn.items():
        paths.append(folder / FIGURES / f"{name}.png")
        with whole_file(paths[-1]) as temporary:
            temporary.write_bytes(found.png)
    write_text(folder / REPORT, fit_html(of, drawn))
    return (*paths, folder / REPORT)


@dataclass(frozen=True)
class Drawn:
    """A figure as PNG, its width in inches, and its caption."""

    caption: str
    png: bytes
    wide: float


def _drawn(of: Fit) -> dict[str, Drawn]:
    return {n: Drawn(c, render(f, "png"), f.get_figwidth()) for n, (c, f) in _figures(of).items()}


def _figures(of: Fit) -> dict[str, tuple[str, Figure]]:
    """Caption and figure by name of its file; names never come from the data."""
    found: dict[str, tuple[str, Figure]] = {}
    for k, (name, figure) in enumerate(fit_figure.curves(of), 1):
        caption = (
            f"{name}: lines are the fit, markers the wells without their background and over their scale, so that "
            "plates and replicates can be compared. Bands hold 95 % of measurements, by the uncertainty of the numbers "
            "and the noise. Every panel has its own vertical scale."
        )
        found[f"curves-{k:02d}"] = (caption, figure)
    found["estimates"] = (
        "Dots are estimates, lines their 95 % intervals, grey bars the 95 % of the prior; filled where the data "
        "determine the number.",
        fit_figure.estimates(of),
    )
    if (shapes := fit_figure.profiles(of)) is not None:
        found["profiles"] = (
            "The lowest cost at each value of a number, all others refitted. It crosses the dashed line at the ends of "
            "the 95 % interval; the dotted line is the prior median.",
            shapes,
        )
    found["waterfall"] = (
        f"Cost is minus the log density. Starts in the grey strip (within {SAME:g}) reached the same optimum.",
        fit_figure.waterfall(of),
    )
    found["residuals"] = (
        "Measured minus expected over the noise, by dose and by time; and sorted beside the law that the noise is "
        "taken to follow. A trend over dose or time is what the model leaves out.",
        fit_figure.residuals(of),
    )
    return found


def fit_html(of: Fit, drawn: dict[str, Drawn] | None = None) -> str:
    """A self-contained page on a fit; it loads nothing, and every text of others is escaped."""
    shown = {name: _image(found) for name, found in (drawn or _drawn(of)).items()}
    curves = [image for name, image in shown.items() if name.startswith("curves")]
    profiles: Piece = shown.get("profiles") or tag(
        "p", "No profile was asked for: intervals are by the curvature at the best fit. --profiles all-determined "
        "follows each determined number to the ends of its interval.",
    )  # fmt: skip
    body = [
        tag("header", tag("h1", f"Fit of {Path(of.tidy.wells.path).name}"), _statement(of), _facts(of)),
        section("Read this first", _warnings(of)),
        section("Measured and fitted", *curves),
        section("Estimates", shown["estimates"], _estimates(of)),
        section("What the data determine", _verdicts(of)),
        section("Profiles", profiles),
        section("Starts", shown["waterfall"]),
        section("Residuals", shown["residuals"], _far(of)),
        section("Predictive check", _check(of)),
        section("Scales, backgrounds and noise", _observation(of)),
        *([section("Posterior", _posterior(of))] if of.posterior is not None else []),
        section("Files", _files()),
        tag("footer", tag("p", tag("strong", RESEARCH_USE))),
    ]
    return page(f"Fit of {Path(of.tidy.wells.path).name}", body)


def _statement(of: Fit) -> Markup:
    own = [v for v, f in zip(of.verdicts, of.tidy.problem.free, strict=True) if f.kind == DYNAMIC]
    known = sum(v.determined for v in own)
    agreeing = sum(s.cost <= of.starts[0].cost + SAME for s in of.starts)
    shares = " and ".join(f"{100 * s:.0f} %" for s in of.check.shares)
    wanted = " and ".join(f"{100 * s:.0f} %" for s in SHARES)
    return tag(
        "p",
        f"{len(of.tidy.wells)} wells of {_listed(of.tidy.ligands)} on {_listed(of.tidy.wells.cell)} were fitted with "
        f"{len(of.tidy.problem.free)} free numbers, {len(own)} of them in the model. The data determine {known} of "
        f"these {len(own)}. {agreeing} of {len(of.starts)} starts reached the same best optimum. The {wanted} "
        f"predictive intervals hold {shares} of the wells.",
        class_="lede",
    )


def _listed(values: np.ndarray, most: int = 6) -> str:
    names = list(dict.fromkeys(map(str, values)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(plain(name, 30) for name in names[:most]) + more


def _facts(of: Fit) -> Markup:
    wells = of.tidy.wells
    doses, times = wells.dose[wells.dose > 0], sorted(set(wells.time.tolist()))
    command = str(of.settings.get("command") or "")
    facts: list[tuple[str, Piece]] = [
        ("Command", tag("code", command) if command else "called from Python"),
        ("Data", f"{Path(wells.path).name}, hash {wells.key}, values in {wells.unit}"),
        ("Doses", f"{len(set(doses.tolist()))} from {concentration(doses.min())} to {concentration(doses.max())}"),
        ("Times", ", ".join(f"{t:g}" for t in times) + " min"),
        ("Networks", ", ".join(dict.fromkeys(b.network.name for b in of.tidy.problem.blocks))),
        ("Version", f"il2 {of.parameters.il2_version}"),
        ("Other values", f"parameter set {of.parameters.based_on}, hash {of.parameters.based_on_hash}"),
        ("Parameter set out", f"hash {of.parameters.hash}"),
        ("Starts, seed", f"{len(of.starts)}, {of.settings.get('seed')}"),
    ]
    if of.tidy.held:
        facts.append(("Held", ", ".join(f"{name}={value:g}" for name, value in of.tidy.held.items())))
    return tag("dl", [[tag("dt", name), tag("dd", text)] for name, text in facts])


def _warnings(of: Fit) -> list[Markup]:
    fixed = (
        "The fit takes the structure of the model and every number that was not freed as true. Intervals are only as "
        "good as that: a number that was held and is wrong moves the others."
    )
    items = [tag("li", _sentence(text)) for text in of.warnings]
    return [tag("p", fixed), *([tag("ul", items)] if items else [])]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _image(found: Drawn) -> Markup:
    address = "data:image/png;base64," + b64encode(found.png).decode()
    size = f"min-width: {55 * found.wide:.0f}px; max-width: {100 * found.wide:.0f}px"
    image = void("img", src=address, alt=found.caption, style=size)
    scroll = tag("div", image, class_="wide", tabindex="0", role="region", aria_label=found.caption)
    return tag("figure", scroll, tag("figcaption", found.caption))


def _rows(of: Fit, dynamic: bool) -> list[list[Piece]]:
    out: list[list[Piece]] = []
    for f, value, told in zip(of.tidy.problem.free, of.values, of.verdicts, strict=True):
        if (f.kind == DYNAMIC) != dynamic:
            continue
        known = math.isfinite(f.spread)
        before: Piece = "none"
        if known:
            low, high = (f.centre * 10 ** (s * 1.96 * f.spread) for s in (-1, 1))
            before = f"{_short(f.centre)} ({_short(low)} to {_short(high)})"
        word = _word(told)
        interval = f"{_short(told.low)} to {_short(told.high)}"
        out.append([f.name, _short(value), interval, f.unit, before, word, tag("span", f.note or "–", class_="note")])
    return out


def _word(told: Verdict) -> Markup:
    if told.determined:
        return tag("span", "determined", class_="good")
    kinds = {"only": "in combination", "determined only": "in combination", "weakly": "weakly", "at ": "on one side"}
    return tag("span", next((word for key, word in kinds.items() if f": {key}" in told.text), "no"), class_="fair")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _estimates(of: Fit) -> Markup:
    header = ["Number", "Value", "95 % interval", "Unit", "Prior: median (95 %)", "By the data", "Note"]
    return table("Numbers of the model", header, _rows(of, True), numbers=(1, 2, 4))


def _observation(of: Fit) -> list[Markup]:
    header = ["Number", "Value", "95 % interval", "Unit", "Prior: median (95 %)", "By the data", "Note"]
    text = (
        "Measured = background + scale × phosphorylated share + noise. Each cell has a scale and a background per "
        "plate and replicate, since fluorescence is comparable only there; the noise follows Student's t, so that a "
        "stray well pulls little."
    )
    return [tag("p", text), table("Numbers of the measurement", header, _rows(of, False), numbers=(1, 2, 4))]


def _verdicts(of: Fit) -> Markup:
    kinds = [f.kind for f in of.tidy.problem.free]
    return tag("ul", [tag("li", v.text) for v, kind in zip(of.verdicts, kinds, strict=True) if kind == DYNAMIC])


def _far(of: Fit) -> Markup:
    wells = of.tidy.wells
    z = (wells.value - of.check.expected) / noise_of(of.tidy, of.x)
    far = [i for i in np.argsort(-np.abs(z)) if abs(z[i]) > FAR]
    if not far:
        return tag("p", f"No well lies further than {FAR:g} times the noise from the fit.")
    header = ["Line", "Ligand", "Cell", "Dose", "Time (min)", "Replicate", "Measured", "Expected", "Over noise"]
    body = [
        [
            str(wells.lines[i]), str(of.tidy.ligands[i]), str(wells.cell[i]), concentration(float(wells.dose[i])),
            f"{wells.time[i]:g}", str(wells.replicate[i]) or "–", _short(wells.value[i]), _short(of.check.expected[i]),
            f"{z[i]:.1f}",
        ]
        for i in far[:MOST_FAR]
    ]  # fmt: skip
    more = f", the first {MOST_FAR} of {len(far)}" if len(far) > MOST_FAR else ""
    return table(f"Wells further than {FAR:g} times the noise{more}", header, body, numbers=(0, 4, 6, 7, 8))


def _check(of: Fit) -> list[Markup]:
    cells = np.array(of.tidy.wells.cell)
    groups = [
        ("all wells", np.ones(len(cells), bool)),
        *((name, cells == name) for name in dict.fromkeys(cells.tolist())),
    ]
    body = [
        [name, str(int(own.sum())), *(f"{100 * row[own].mean():.0f} %" for row in of.check.inside)]
        for name, own in groups
    ]
    text = (
        "A fit that is right puts about half of the wells into the 50 % interval and nine in ten into the 90 % "
        "interval. These wells were fitted themselves, so that a good share is needed but proves little; a bad one "
        "shows noise or a shape that the model does not have. Fit a part of the data and predict the rest to know more."
    )
    header = ["Wells", "Number", *(f"In the {100 * s:.0f} % interval" for s in SHARES)]
    return [tag("p", text), table("Wells inside their predictive intervals", header, body, numbers=(1, 2, 3))]


def _posterior(of: Fit) -> list[Markup]:
    found = of.posterior
    assert found is not None
    text = (
        f"{CHAINS} chains of {found.draws.shape[1]} draws after as many to tune, {found.divergences} divergences, "
        f"R-hat up to {np.nanmax(found.rhat):.3f}, effective draws from {np.nanmin(found.ess):.0f} up. "
        "Intervals of the posterior are in estimates.csv."
    )
    return [tag("p", text)]


def _files() -> Markup:
    files = (
        ("estimates.csv", "every free number: value, 95 % interval, prior, bounds, verdict"),
        ("starts.csv", "every start and its cost"),
        ("residuals.csv", "every well: measured, expected, 90 % predictive interval, residual"),
        ("predictions.csv", "curves over the doses with 95 % bands"),
        ("parameters.yaml", "the parameter set, for further predictions"),
        ("figures/", "the figures of this page"),
        ("fit.json, state/", "what a stopped fit needs to go on"),
    )
    return tag("dl", [[tag("dt", tag("code", name)), tag("dd", text)] for name, text in files])
