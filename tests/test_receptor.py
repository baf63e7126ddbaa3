"""Properties of the receptor and STAT5 networks: thermodynamics, mass balance, symmetry, limits, known directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from helpers import TIGHT, Model, closed, constants, examples, log_uniform, model, values_at
from hypothesis import given
from hypothesis import strategies as st

from il2.engine.solve import Tolerances
from il2.knowledge.table import rows
from il2.network.expression import evaluate
from il2.network.network import check, rename
from il2.receptor.head import Head, head
from il2.receptor.model import ACTIVE, SURFACE_ACTIVE, receptor
from il2.receptor.molecule import Molecule
from il2.signalling.response import response

SURFACE, ENDOSOME, MEDIUM = "surface", "endosome", "medium"
TIMES = [0.0, 0.1, 1.0, 10.0, 60.0, 240.0]
LONG = 1e9  # min: long enough for every equilibrium drawn here
Values = dict[str, float]


@cache
def receptors(*ligands: str, depleted: bool = False, audit: bool = False) -> Model:
    return model(receptor(*ligands, depleted=depleted, audit=audit))


@cache
def responses(*ligands: str) -> Model:
    return model(response(*ligands))


def chains(*ligands: str) -> list[str]:
    """All chains of some ligands, each once."""
    return list(dict.fromkeys(c for name in ligands for c in head(name).chains))


def species(name: str, complex_: frozenset, place: str) -> str:
    """Name of a cytokine with one head that holds some chains."""
    return Molecule(name, (head(name),)).species((complex_,), place)


def draws(*ligands: str, dose: tuple[float, float] = (-3, 2), factors: float = 2.0) -> st.SearchStrategy[Values]:
    """Doses, counts, affinity factors of every interface, and the confinement volume."""
    return st.fixed_dictionaries(
        {f"{name}_dose": log_uniform(*dose) for name in ligands}
        | {f"{c}_count": log_uniform(1, 5) for c in chains(*ligands)}
        | {f"{n}_factor_{c}": log_uniform(-factors, factors) for n in ligands for c in head(n).chains}
        | {"confinement_volume": log_uniform(1, 2)}
    )


def holding(m: Model, molecule: str, *places: str) -> list[str]:
    """Species in `places` that hold a molecule, which is a ligand or a chain."""
    return [s for s in m.program.states if "@" in s and s.split("@")[1] in places
            and molecule in s.split("@")[0].split(".")]  # fmt: skip


def formation(ligand: Head, complex_: frozenset, values: Mapping[str, float]) -> float:
    """Product of KDs, affinity factors and crowding on the path of the table (not of the network's constants)."""
    total = 1.0
    while complex_:
        step = ligand.steps[complex_]
        total *= step.kd * np.prod([values[f"{ligand.name}_factor_{c}"] for c in complex_ - step.before])
        total *= values["confinement_volume"] / values["confinement_volume_reference"] if step.before else 1.0
        complex_ = step.before
    return total


def free_concentration(m: Model, ligand: Head, at: Mapping[str, float]) -> float:
    """Free ligand outside (nM): the dose where it is clamped."""
    if f"{ligand.name}@{MEDIUM}" not in at:
        return at[f"{ligand.name}_dose"]
    return at[f"{ligand.name}@{MEDIUM}"] / (at["avogadro"] * 1e12 / at["cells_per_mL"])


# --- closed box: equilibrium -----------------------------------------------------------------------------------
BOXES = [("IL2", False), ("IL2", True), ("IL15", False)]


@pytest.mark.parametrize(("name", "depleted"), BOXES)
@examples(25)
@given(st.data())
def test_closed_box_comes_to_the_equilibrium_of_the_table(name: str, depleted: bool, data: st.DataObject):
    m, ligand = receptors(name, depleted=depleted), head(name)
    values = data.draw(draws(name)) | closed(m.network)
    at = values_at(m.network, m.solve([values], [LONG]).y[0, 0], values)
    free, checked = free_concentration(m, ligand, at), 0
    for complex_ in ligand.complexes:
        bound = at[species(name, complex_, SURFACE)]
        apart = free * np.prod([at[f"{c}@{SURFACE}"] for c in complex_])
        if bound > 1e-3:
            assert apart / bound == pytest.approx(formation(ligand, complex_, at), rel=1e-6)
            checked += 1
        for c in complex_:
            part = complex_ - {c}
            if bound > 1e-3 and part in ligand.steps and at[species(name, part, SURFACE)] > 1e-3:
                ratio = at[species(name, part, SURFACE)] * at[f"{c}@{SURFACE}"] / bound
                expected = formation(ligand, complex_, at) / formation(ligand, part, at)
                assert ratio == pytest.approx(expected, rel=1e-6)
    assert checked


@pytest.mark.parametrize(("name", "depleted"), BOXES)
@examples(20)
@given(st.data())
def test_no_flux_circulates_at_equilibrium(name: str, depleted: bool, data: st.DataObject):
    m = receptors(name, depleted=depleted)
    values = data.draw(draws(name)) | closed(m.network)
    at = values_at(m.network, m.solve([values], [LONG]).y[0, 0], values)
    bindings = [r for r in m.network.reactions if f"@{SURFACE}: " in r.name and r.reverse.kind != "num"]
    assert len(bindings) >= 9
    for r in bindings:
        forward, reverse = evaluate(r.forward, at), evaluate(r.reverse, at)
        if all(at[species] > 1e-3 for species in r.change):
            assert abs(forward - reverse) < 1e-6 * forward, r.name


@pytest.mark.parametrize(("name", "depleted"), BOXES)
@examples(20)
@given(st.data())
def test_equilibrium_does_not_depend_on_the_start(name: str, depleted: bool, data: st.DataObject):
    """The other start is the equilibrium of other affinities: the same molecules, assembled differently."""
    m = receptors(name, depleted=depleted)
    values = data.draw(draws(name)) | closed(m.network)
    others = {f: v for f, v in data.draw(draws(name)).items() if "_factor_" in f}
    start = m.solve([values | others], [LONG]).y[:, 0]
    expected = m.solve([values], [LONG]).y[:, 0]
    found = m.solve([values], [LONG], initial=start).y[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("name", ["IL2", "IL15"])
def test_every_path_to_the_full_complex_is_there(name: str):
    """Each of the three chains can be the last to join, on the surface and in the endosome."""
    m, ligand = receptors(name), head(name)
    for place in (SURFACE, ENDOSOME):
        whole = species(name, frozenset(ligand.chains), place)
        joins = {c for r in m.network.reactions for c in ligand.chains
                 if r.change.get(whole) == 1 and r.change.get(f"{c}@{place}") == -1}  # fmt: skip
        assert joins == set(ligand.chains)


# --- mass ------------------------------------------------------------------------------------------------------
@examples(25)
@given(draws("IL2"))
def test_ligand_is_conserved(values: Values):
    m = receptors("IL2", depleted=True, audit=True)
    y = m.solve([values], TIMES).y[0]
    at = constants(m.network, values)
    added = values["IL2_dose"] * at["avogadro"] * 1e12 / at["cells_per_mL"]
    total = m.state(y, *holding(m, "IL2", MEDIUM, SURFACE, ENDOSOME), "IL2_degraded")
    np.testing.assert_allclose(total, added, rtol=1e-8)
    assert (np.diff(m.state(y, "IL2_degraded")) > 0).all()


@pytest.mark.parametrize(("ligands", "depleted"), [(("IL2",), False), (("IL2",), True), (("IL2", "IL15"), False)])
@examples(15)
@given(st.data())
def test_chains_are_conserved(ligands: tuple[str, ...], depleted: bool, data: st.DataObject):
    m = receptors(*ligands, depleted=depleted, audit=True)
    values = data.draw(draws(*ligands))
    y = m.solve([values], TIMES).y[0]
    for chain in chains(*ligands):
        present = m.state(y, *holding(m, chain, SURFACE, ENDOSOME))
        balance = present + m.state(y, f"{chain}_degraded") - m.state(y, f"{chain}_made")
        np.testing.assert_allclose(balance, present[0], rtol=1e-8)
        assert present[0] >= values[f"{chain}_count"]
        assert (np.diff(m.state(y, f"{chain}_made")) > 0).all()


def wide_draws(m: Model, lanes: int) -> list[Values]:
    """Draws beyond any use: doses over ten decades, counts over six, affinity factors over eight."""
    draw, spans = np.random.default_rng(4), {"_dose": (-6, 4), "_count": (0, 6), "_factor_I": (-4, 4)}
    wide = {name: span for name in m.network.parameter_names for key, span in spans.items() if key in name}
    return [{name: 10 ** draw.uniform(*span) for name, span in wide.items()} for _ in range(lanes)]


@pytest.mark.parametrize("tolerances", [Tolerances(), TIGHT], ids=["default", "tight"])
@pytest.mark.parametrize("depleted", [False, True])
def test_no_state_is_negative(depleted: bool, tolerances: Tolerances):
    m = receptors("IL2", depleted=depleted, audit=True)
    y = m.solve(wide_draws(m, 1000), TIMES, tolerances).y
    assert y.min() >= -1e-7, m.program.states[int(y.min(axis=(0, 1)).argmin())]


def test_pstat5_is_a_fraction_and_no_state_is_negative():
    m = responses("IL2")
    values = wide_draws(m, 1000)
    y = m.solve(values, TIMES, Tolerances()).y
    assert y.min() >= -1e-7, m.program.states[int(y.min(axis=(0, 1)).argmin())]
    found = m.observe(y, values)["pstat5"]
    assert found.min() >= 0 and found.max() < 1 and not found[:, 0].any()
    assert found.max() > 0.2 and np.ptp(np.log10(found[:, -1])) > 3  # the draws reach the ends


# --- symmetry --------------------------------------------------------------------------------------------------
@examples(5)
@given(draws("IL2"), st.randoms(use_true_random=False))
def test_names_and_order_do_not_matter(values: Values, random):
    m = responses("IL2")
    species, reactions, parameters = (
        random.sample(part, len(part)) for part in (m.network.species, m.network.reactions, m.network.parameters)
    )
    table = {name: f"n{i}" for i, name in enumerate((*m.network.species_names, *m.network.parameter_names))}
    table |= {d.name: f"c{i}" for i, d in enumerate(m.network.derived)}
    shuffled = check(replace(m.network, species=tuple(species), reactions=tuple(reactions),
                             parameters=tuple(parameters)))  # fmt: skip
    other, renamed = model(rename(shuffled, table)), {table[name]: v for name, v in values.items()}
    expected = m.observe(m.solve([values], TIMES).y, [values])
    found = other.observe(other.solve([renamed], TIMES).y, [renamed])
    assert expected[ACTIVE].max() > 0
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-9, err_msg=name)


def swapped(name: str) -> str:
    """A name with IL2 and IL15, and IL2RA and IL15RA, exchanged; IL2RB and IL2RG are shared and stay."""
    pairs = (("IL2RA", "<a>"), ("IL15RA", "IL2RA"), ("<a>", "IL15RA"))
    pairs += (("IL2RB", "<b>"), ("IL2RG", "<g>"), ("IL15RA", "<p>"), ("IL2RA", "<q>"))
    pairs += (("IL2", "<2>"), ("IL15", "IL2"), ("<2>", "IL15"))
    for old, new in (*pairs, ("<b>", "IL2RB"), ("<g>", "IL2RG"), ("<p>", "IL15RA"), ("<q>", "IL2RA")):
        name = name.replace(old, new)
    return name


@examples(5)
@given(draws("IL2", "IL15"))
def test_exchanged_cytokines_with_exchanged_constants_behave_the_same(values: Values):
    m = receptors("IL2", "IL15")
    full = m.network.with_values(values).defaults()
    exchanged = {swapped(name): v for name, v in full.items()}
    assert exchanged.keys() == full.keys() and exchanged != full
    one, other = (m.solve([v], TIMES).y for v in (values, exchanged))
    for name in m.program.states:
        np.testing.assert_allclose(m.state(one, name), m.state(other, swapped(name)), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(m.observe(one, [values])[ACTIVE], m.observe(other, [exchanged])[ACTIVE], rtol=1e-8)


def test_receptors_of_two_ligands_compete():
    """A ligand that is not there changes nothing; one that is takes IL2RB and IL2RG from the other."""
    base = {"IL2_dose": 1.0, **{f"{c}_count": 2000.0 for c in chains("IL2", "IL15")}}
    alone, both = receptors("IL2"), receptors("IL2", "IL15")
    one = {k: v for k, v in base.items() if "IL15" not in k}
    expected = alone.observe(alone.solve([one], TIMES).y, [one])[ACTIVE]
    absent = both.solve([base | {"IL15_dose": 0.0}], TIMES).y
    np.testing.assert_allclose(both.observe(absent, [base])[ACTIVE], expected, rtol=1e-7, atol=1e-8)
    present = both.solve([base | {"IL15_dose": 10.0}], TIMES).y
    full = species("IL2", frozenset(head("IL2").chains), SURFACE)
    fall = both.state(present, full)[0, 1:] / both.state(absent, full)[0, 1:]
    assert (fall < 1).all() and (fall[1:] < 0.9).all()  # at the first time IL-15 has hardly bound


# --- limits ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ligands", [("IL2",), ("IL15",)])
@examples(20)
@given(st.data())
def test_without_ligand_nothing_changes(ligands: tuple[str, ...], data: st.DataObject):
    m = responses(*ligands)
    values = data.draw(draws(*ligands)) | {f"{name}_dose": 0.0 for name in ligands}
    y = m.solve([values], TIMES).y[0]
    np.testing.assert_allclose(y, np.broadcast_to(y[0], y.shape), rtol=1e-9, atol=1e-9)
    for chain in chains(*ligands):
        assert (m.state(y, f"{chain}@{SURFACE}")[0], m.state(y, f"{chain}@{ENDOSOME}")[0] > 0) == (
            values[f"{chain}_count"], True)  # fmt: skip


@pytest.mark.parametrize("missing", ["IL2RB", "IL2RG"])
@examples(20)
@given(draws("IL2", dose=(-3, 4)))
def test_without_one_shared_chain_nothing_signals(missing: str, values: Values):
    m = responses("IL2")
    values = values | {f"{missing}_count": 0.0}
    y = m.solve([values], TIMES).y
    assert m.state(y, *holding(m, "IL2", SURFACE)).max() > 0  # it binds
    assert not any(found.any() for found in m.observe(y, [values]).values())


@examples(5)
@given(draws("IL2", dose=(-3, 4)))
def test_alpha_chain_alone_never_signals(values: Values):
    m = responses("IL2")
    values = values | {"IL2RB_count": 0.0, "IL2RG_count": 0.0}
    y = m.solve([values], TIMES).y
    assert m.state(y, "IL2.IL2RA@surface").max() > 0
    assert not any(found.any() for found in m.observe(y, [values]).values())


@pytest.mark.parametrize("name", ["IL2", "IL15"])
@examples(5)
@given(st.data())
def test_gamma_chain_alone_binds_nothing(name: str, data: st.DataObject):
    m, private = receptors(name), head(name).private
    values = data.draw(draws(name, dose=(-3, 4))) | {f"{private}_count": 0.0, "IL2RB_count": 0.0}
    y = m.solve([values], TIMES).y
    assert not m.state(y, *holding(m, name, SURFACE, ENDOSOME)).any()


def test_signalling_complexes_are_taken_up_faster():
    m = receptors("IL2")
    values = {"IL2_dose": 10.0, "IL2RB_count": 5000.0, "IL2RG_count": 5000.0}
    start, late = m.state(m.solve([values], [0.0, 120.0]).y[0], *holding(m, "IL2RB", SURFACE))
    slow = values | {"internalisation_signalling": 0.0}
    assert late < 0.8 * start
    assert late < m.state(m.solve([slow], [120.0]).y[0], *holding(m, "IL2RB", SURFACE))[0]


@pytest.mark.parametrize("name", ["IL2", "IL15"])
def test_signalling_complexes_are_degraded_and_others_shared_out(name: str):
    """A signalling complex never returns; any other follows the sorting of IL2RB, then IL2RG, then its own chain."""
    m, ligand = receptors(name), head(name)
    at = values_at(m.network, np.ones(m.program.n_states), {})
    rates = {r.name: evaluate(r.rate, at) for r in m.network.reactions}
    for complex_ in ligand.complexes:
        held = species(name, complex_, ENDOSOME)
        sorting = at["sorting_" + next(c for c in ("IL2RB", "IL2RG", ligand.private) if c in complex_)]
        if {"IL2RB", "IL2RG"} <= complex_:
            assert f"{held}: recycling" not in rates
            sorting = 1.0
        else:
            assert rates[f"{held}: recycling"] == pytest.approx(at["recycling_rate"] * (1 - sorting))
        assert rates[f"{held}: degradation"] == pytest.approx(at["degradation_rate"] * sorting)


# --- published equilibria --------------------------------------------------------------------------------------
def half_dose(doses: np.ndarray, response_: np.ndarray) -> float:
    """The dose at half of the largest response, on the rising side."""
    top = int(response_.argmax())
    return float(np.exp(np.interp(response_[top] / 2, response_[: top + 1], np.log(doses[: top + 1]))))


def equilibrium_ec50(counts: Values, low: float, high: float) -> float:
    """EC50 (nM) of surface signalling complexes of a closed box."""
    m, doses = receptors("IL2"), np.logspace(low, high, 121)
    lanes = [closed(m.network) | counts | {"IL2_dose": float(d)} for d in doses]
    return half_dose(doses, m.observe(m.solve(lanes, [LONG]).y, lanes)[SURFACE_ACTIVE][:, 0])


def test_alpha_only_cell_shows_the_published_kd():
    (row,) = (r for r in rows("affinities") if r["ligand"] == "IL2" and r["product"] == "IL2RA")
    m, doses = receptors("IL2"), np.logspace(-1, 3, 81)
    lanes = [closed(m.network) | {"IL2RA_count": 1e4, "IL2_dose": float(d)} for d in doses]
    bound = m.state(m.solve(lanes, [LONG]).y, "IL2.IL2RA@surface")[:, 0]
    half = float(np.exp(np.interp(0.5e4, bound, np.log(doses))))
    assert half == pytest.approx(float(row["kd"]), rel=0.01)
    assert 0.98 * float(row["low"]) <= half <= float(row["high"])


def test_trimer_ec50_falls_with_alpha_count():
    """Target T009 (wang_smith1987): 3 to 50 pM at 1e4 IL2RA per cell and more, falling steadily as IL2RA rises. Where
    IL2RB outnumbers IL2RA, many complexes at half dose do without IL2RA, and the fall is slight."""
    shared = {"IL2RB_count": 2000.0, "IL2RG_count": 2000.0}
    found = [equilibrium_ec50(shared | {"IL2RA_count": n}, -6, 2) for n in (1e2, 1e3, 1e4, 3e4, 1e5)]
    assert found[1] < 0.7 * found[0], found
    assert all(after < 0.5 * before for before, after in pairwise(found[1:])), found
    assert all(0.003 <= n <= 0.05 for n in found[2:]), found


def test_beta_gamma_ec50_falls_with_gamma_count():
    found = [equilibrium_ec50({"IL2RB_count": 500.0, "IL2RG_count": n}, -4, 4) for n in (1e2, 1e3, 1e4, 1e5)]
    assert all(after < 0.8 * before for before, after in pairwise(found)), found


def test_alpha_chain_makes_a_cell_more_sensitive():
    m = responses("IL2")
    lanes = [{"IL2_dose": 0.01, "IL2RB_count": 1000.0, "IL2RG_count": 1000.0, "IL2RA_count": n} for n in (0.0, 2e4)]
    without, with_alpha = m.observe(m.solve(lanes, [30.0]).y, lanes)["pstat5"][:, 0]
    assert with_alpha > 10 * without > 0


# --- STAT5 -----------------------------------------------------------------------------------------------------
STAT5_HELD = {"STAT5@cytoplasm": 1, "pSTAT5@cytoplasm": 1, "pSTAT5.pSTAT5@cytoplasm": 2, "pSTAT5.pSTAT5@nucleus": 2,
              "STAT5@nucleus": 1}  # fmt: skip

ACTIVATED = {"IL2_dose": 10.0, "IL2RA_count": 2e4, "IL2RB_count": 5e3, "IL2RG_count": 5e3,
             "STAT5_half_activation": 500.0}  # fmt: skip


@examples(25)
@given(draws("IL2"), log_uniform(3, 6))
def test_stat5_is_conserved(values: Values, total: float):
    m = responses("IL2")
    y = m.solve([values | {"STAT5_total": total}], TIMES).y[0]
    held = sum(n * m.state(y, name) for name, n in STAT5_HELD.items())
    np.testing.assert_allclose(held, total, rtol=1e-8)


def imported(values: Values) -> float:
    """STAT5 molecules carried into the nucleus within 4 h, by Simpson's rule on a dense grid."""
    from scipy.integrate import simpson

    m, times = responses("IL2"), np.linspace(0, 240, 1201)
    at = constants(m.network, values)
    dimer = m.state(m.solve([values], list(times)).y[0], "pSTAT5.pSTAT5@cytoplasm")
    return float(simpson(2 * at["STAT5_nuclear_import"] * dimer, x=times))


def test_blocked_nuclear_export_stops_nuclear_cycling():
    """The direction of swameye2003: without export STAT5 enters the nucleus at most once; with it, several times."""
    total = constants(responses("IL2").network, ACTIVATED)["STAT5_total"]
    free, blocked = imported(ACTIVATED), imported(ACTIVATED | {"STAT5_nuclear_export": 0.0})
    assert blocked <= total * (1 + 1e-6)
    assert free > 1.5 * blocked > 0


def test_pstat5_rises_with_dose():
    m, doses = responses("IL2"), np.logspace(-4, 0, 9)
    lanes = [{"IL2_dose": float(d), "IL2RA_count": 1e4, "IL2RB_count": 2e3, "IL2RG_count": 2e3} for d in doses]
    found = m.observe(m.solve(lanes, [10.0, 30.0]).y, lanes)["pstat5"]
    assert (np.diff(found, axis=0) > 0).all()


def test_socs_lowers_late_but_not_early_pstat5():
    """Early means before SOCS_delay: the feedback acts with a delay. The set itself holds little of it."""
    m = responses("IL2")
    unsaturated = {name: value for name, value in ACTIVATED.items() if name != "STAT5_half_activation"}
    strong = {"SOCS_strength": 9.0, "SOCS_induction": 10.0}  # the strongest of the ranges in quantities.csv
    lanes = [unsaturated | change for change in ({"SOCS_strength": 0.0}, strong, {})]
    without, with_socs, by_default = m.observe(m.solve(lanes, [10.0, 240.0]).y, lanes)["pstat5"]
    assert with_socs[0] == pytest.approx(without[0], rel=0.001)
    assert with_socs[1] < 0.7 * without[1]
    assert 0.95 * without[1] < by_default[1] < 0.99 * without[1]
