"""The report of a fit: one HTML file that needs nothing else, and its figures."""

from __future__ import annotations

import math
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from il2.files import whole_file, write_text
from il2.fit.free import native
from il2.fit.predictive import SHARES, over_noise
from il2.fit.run import CHAINS, FAR, SAME
from il2.fit.tidy import Tidy
from il2.report import fit_figure
from il2.report.figure import render
from il2.report.fit_facts import facts, files, noun, statement
from il2.report.fit_figure import unit
from il2.report.html import RESEARCH_USE
from il2.report.markup import Markup, Piece, table, tag, void
from il2.report.page import page, section
from il2.report.panel import concentration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from il2.fit.free import Free
    from il2.fit.identify import Verdict
    from il2.fit.run import Fit

MOST_FAR = 20
HIDDEN, RIGHT = ("panel",), ("Line", "Row", "Dose", "Time", "Time (min)")
HEADINGS = {"dose_nM": "Dose", "time_min": "Time (min)"}
OVER_DOSES = (
    "lines are the fit, markers the wells without their background and over their scale, so that plates and replicates "
    "can be compared. Bands hold 95 % of measurements, by the uncertainty of the numbers and the noise. Every panel "
    "has its own vertical scale."
)
OVER_TIMES = (
    "lines are the fit, markers the measurements, a panel an observable and condition. Several colours in a panel are "
    "points with a scale, background or noise of their own. Bands hold 95 % of measurements, by the uncertainty of the "
    "numbers and the noise. Every panel has its own vertical scale, logarithmic where the problem takes logarithms."
)
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
        found[f"curves-{k:02d}"] = (f"{name}: {OVER_DOSES if isinstance(of.made, Tidy) else OVER_TIMES}", figure)
    prior = ", grey bars the 95 % of the prior where there is one" if _priors(of, True) else ""
    found["estimates"] = (
        f"Dots are estimates, lines their 95 % intervals{prior}; filled where the data determine the number.",
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
    first = "dose" if isinstance(of.made, Tidy) else "condition"
    found["residuals"] = (
        f"Measured minus expected over the noise, by {first} and by time; and sorted beside the law that the noise is "
        f"taken to follow. A trend over {first} or time is what the model leaves out.",
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
    heading = f"Fit of {of.made.source}"
    caption = "Estimated numbers" if all(of.made.shown) else "Numbers of the model"
    body = [
        tag("header", tag("h1", heading), tag("p", statement(of), class_="lede"), facts(of)),
        section("Read this first", _warnings(of)),
        section("Measured and fitted", *curves),
        section("Estimates", shown["estimates"], _numbers(of, caption, True)),
        section("What the data determine", _verdicts(of)),
        section("Profiles", profiles),
        section("Starts", shown["waterfall"]),
        section("Residuals", shown["residuals"], _far(of)),
        section("Predictive check", _check(of)),
        *([section("Scales, backgrounds and noise", _observation(of))] if not all(of.made.shown) else []),
        *([section("Posterior", _posterior(of))] if of.posterior is not None else []),
        section("Files", files(of)),
        tag("footer", tag("p", tag("strong", RESEARCH_USE))),
    ]
    return page(heading, body)


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


def _numbers(of: Fit, caption: str, shown: bool) -> Markup:
    """Free numbers with their priors and verdicts; a column of which nothing is known is left out."""
    chosen = [k for k, own in enumerate(of.made.shown) if own == shown]
    free, before = of.made.problem.free, "Prior: median (95 %)"
    columns: dict[str, list[Piece]] = {
        "Number": [free[k].name for k in chosen],
        "Value": [_short(of.values[k]) for k in chosen],
        "95 % interval": [f"{_short(of.verdicts[k].low)} to {_short(of.verdicts[k].high)}" for k in chosen],
    }
    if any(unit(free[k]) for k in chosen):
        columns["Unit"] = [unit(free[k]) or "–" for k in chosen]
    if _priors(of, shown):
        columns[before] = [_prior(free[k]) for k in chosen]
    columns["By the data"] = [_word(of.verdicts[k]) for k in chosen]
    if any(free[k].note for k in chosen):
        columns["Note"] = [tag("span", free[k].note or "–", class_="note") for k in chosen]
    right = [n for n, name in enumerate(columns) if name in ("Value", "95 % interval", before)]
    return table(caption, list(columns), list(zip(*columns.values(), strict=True)), right)


def _priors(of: Fit, shown: bool) -> bool:
    return any(
        math.isfinite(f.spread) for f, own in zip(of.made.problem.free, of.made.shown, strict=True) if own == shown
    )


def _prior(f: Free) -> str:
    if math.isinf(f.spread):
        return "none"
    low, high = native((f, f), f.to_scale(f.centre) + 1.96 * f.spread * np.array([-1.0, 1.0]))
    return f"{_short(f.centre)} ({_short(low)} to {_short(high)})"


def _word(told: Verdict) -> Markup:
    if told.determined:
        return tag("span", "determined", class_="good")
    kinds = {"only": "in combination", "determined only": "in combination", "weakly": "weakly", "at ": "on one side"}
    return tag("span", next((word for key, word in kinds.items() if f": {key}" in told.text), "no"), class_="fair")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _observation(of: Fit) -> list[Markup]:
    text = (
        "Measured = background + scale × phosphorylated share + noise. Each cell has a scale and a background per "
        "plate and replicate, since fluorescence is comparable only there; the noise follows Student's t, so that a "
        "stray well pulls little."
    )
    return [tag("p", text), _numbers(of, "Numbers of the measurement", False)]


def _verdicts(of: Fit) -> Markup:
    return tag("ul", [tag("li", v.text) for v, shown in zip(of.verdicts, of.made.shown, strict=True) if shown])


def _far(of: Fit) -> Markup:
    made, what = of.made, noun(of)
    z = over_noise(made, of.x, of.check.expected)
    far = [int(i) for i in np.argsort(-np.abs(z)) if abs(z[i]) > FAR]
    if not far:
        return tag("p", f"No {what} lies further than {FAR:g} times the noise from the fit.")
    measured, expected = made.measured(made.value), made.measured(of.check.expected)
    header = [HEADINGS.get(name, name.capitalize()) for name in made.labels if name not in HIDDEN]
    body = [
        [
            *(_label(name, column[i]) for name, column in made.labels.items() if name not in HIDDEN),
            _short(measured[i]), _short(expected[i]), f"{z[i]:.1f}",
        ]
        for i in far[:MOST_FAR]
    ]  # fmt: skip
    more = f", the first {MOST_FAR} of {len(far)}" if len(far) > MOST_FAR else ""
    caption = f"{what.capitalize()}s further than {FAR:g} times the noise{more}"
    right = [n for n, name in enumerate(header) if name in RIGHT]
    last = len(header)
    return table(caption, [*header, "Measured", "Expected", "Over noise"], body, (*right, *range(last, last + 3)))


def _label(name: str, value: object) -> str:
    if isinstance(value, float):
        return concentration(value) if name == "dose_nM" else f"{value:g}"
    return str(value) or "–"


def _check(of: Fit) -> list[Markup]:
    what, kinds = f"{noun(of)}s", of.made.groups
    groups = [
        (f"all {what}", np.ones(len(kinds), bool)),
        *((str(name), kinds == name) for name in dict.fromkeys(kinds.tolist())),
    ]
    body = [
        [name, str(int(own.sum())), *(f"{100 * row[own].mean():.0f} %" for row in of.check.inside)]
        for name, own in groups
    ]
    text = (
        f"A fit that is right puts about half of the {what} into the 50 % interval and nine in ten into the 90 % "
        f"interval. These {what} were fitted themselves, so that a good share is needed but proves little; a bad one "
        "shows noise or a shape that the model does not have. Fit a part of the data and predict the rest to know more."
    )
    header = [what.capitalize(), "Number", *(f"In the {100 * s:.0f} % interval" for s in SHARES)]
    caption = f"{what.capitalize()} inside their predictive intervals"
    return [tag("p", text), table(caption, header, body, numbers=(1, 2, 3))]


def _posterior(of: Fit) -> list[Markup]:
    found = of.posterior
    assert found is not None
    text = (
        f"{CHAINS} chains of {found.draws.shape[1]} draws after as many to tune, {found.divergences} divergences, "
        f"R-hat up to {np.nanmax(found.rhat):.3f}, effective draws from {np.nanmin(found.ess):.0f} up. "
        "Intervals of the posterior are in estimates.csv."
    )
    return [tag("p", text)]
