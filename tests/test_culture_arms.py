"""Wells that rows of targets describe, and what is measured on them."""

import numpy as np
import pytest

from il2.cell.answer_measures import _fold
from il2.cell.culture_arms import courses, own, spans, wells
from il2.cell.culture_measures import arms_at, arms_interaction, arms_loss, arms_rescue, arms_sum
from il2.cell.population_measures import division_time, entered_ratio
from il2.cell.secretion_measures import NFAT, producer_fall, producing
from il2.cell.signalling_measures import half_effect, half_effect_ratio, half_life
from il2.cell.turnover_measures import treg_left
from il2.cell.well import Addition, Antigen, Change
from il2.errors import Il2Error
from il2.knowledge.quantity import quantity


def row(text: str, **more: str) -> dict[str, str]:
    base = {"id": "T", "cells": "Th", "readout": "cells", "time_min": "1440", "unit": "dimensionless"}
    return {**base, "with": text, **more}


def test_a_part_is_one_well():
    (well,) = wells(
        row(
            "number=1e4; antigen=1e9; antigen_until_h=24; costimulation=1; presenting_cells=1e6; volume_uL=100; "
            "wash_h=6; species=mouse; IL2=0.1; JAK_inhibitor=1000@24; without=PRDM1+IL2; IL2_boost_self=0.3; PTEN=2"
        )
    )
    assert (well.volume_uL, well.presenting_cells, well.costimulation, well.species) == (100, 1e6, 1, "mouse")
    assert well.antigen == (Antigen(1e9, 0), Antigen(0, 24))
    assert well.additions == (Addition("IL2", 0.1, 0), Addition("JAK_inhibitor", 1000, 24))
    assert well.medium_changes == (Change(6),)
    assert well.cells[0].number == 1e4 and well.cells[0].without == ("PRDM1", "IL2")
    assert dict(well.changes) == {"IL2_boost_self": 0.3} and dict(well.cells[0].changes) == {"PTEN": 2}


def test_arms_share_the_first_part_and_may_differ_in_kind():
    one, other = wells(row("number=1e3; IL2=1 | kind=Treg; IL2=10 | "))
    assert (one.cells[0].kind, other.cells[0].kind) == ("Treg", "Th")
    assert (one.additions[0].dose_nM, other.additions[0].dose_nM) == (10, 1)
    assert one.cells[0].label == other.cells[0].label  # so that one network serves both


def test_a_cohort_can_have_its_own():
    (well,) = wells(row("number=1e5+5e4; Treg:without=IL2RA; Treg:JAK3=0", cells="CD8;Treg"))
    cd8, treg = well.cells
    assert (cd8.number, treg.number) == (1e5, 5e4)
    assert (cd8.without, dict(cd8.changes)) == ((), {})
    assert (treg.without, dict(treg.changes)) == (("IL2RA",), {"JAK3": 0.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("number=1e4; IL2_bost_self=1", r"no parameter 'IL2_bost_self'.*Did you mean 'IL2_boost_self'"),
        ("number=1e4; antigen", r"cannot read ' antigen'.*Write name=value"),
        ("number=1e4; without=IL3", r"no knock-out of 'IL3'"),
    ],
)
def test_what_cannot_be_read_is_one_error(text, message):
    with pytest.raises(Il2Error, match=message):
        wells(row(text))


def test_spans_leave_their_low_end():
    low, ends = spans(row("number=1e3..1e5; antigen=1e6..1e10; costimulation=1"))
    assert ends == {"number": (1e3, 1e5), "antigen": (1e6, 1e10)}
    assert low["with"] == "number=1e3; antigen=1e6; costimulation=1"


def test_equal_arms_do_not_differ():
    same = row("number=1e4; antigen=1e8; costimulation=1 | | ", readout="births*cells")
    assert arms_at(same) == arms_sum(same) == 1
    assert arms_loss(same) == 0
    assert arms_interaction(row("number=1e4; antigen=1e8; IL2=1 | | IL2=2 | | IL2=2")) == pytest.approx(1)
    assert half_effect_ratio(row("number=1e3; IL2=1e-4..1e1 | | ", ligand="IL2", readout="pstat5")) == 1


def test_a_readout_can_be_a_quotient():
    twice = row("number=1e4; antigen=1e8; costimulation=1 | number=2e4 | ", readout="cells/cells_at_start")
    with pytest.raises(Il2Error, match="no readout 'cells_at_start'"):
        arms_at(twice)
    assert arms_at(row("number=1e4 | number=2e4 | ", readout="cells/cells")) == 1
    assert arms_at(row("number=1e4 | number=2e4 | ", readout="cells*cells")) == pytest.approx(4)


def test_a_loss_that_nothing_undoes_is_not_rescued():
    assert arms_rescue(row("number=1e4 | | | number=2e4 | number=2e4")) == pytest.approx(0)


def test_producers_are_a_share_that_jak_block_cannot_lower():
    plain, blocked = courses(
        wells(row("number=1e5; antigen=1e8; costimulation=1 | | JAK_inhibitor=1000")), np.arange(0, 61.0, 6), NFAT
    )
    assert (producing(plain) >= 0).all() and (producing(plain) <= own(plain, "primed") + 1e-9).all()
    assert (producing(blocked) >= producing(plain) - 1e-6).all()


def test_a_fall_without_feedback_is_that_of_the_mRNA():
    """Blocked JAK, no CD28, promoters that close at once: the mRNA decays at its own rate."""
    text = (
        "number=1e4; antigen=1e9; antigen_until_h=24; JAK_inhibitor=1e6; IL2_promoter_off_rate=50; REL_export_rate=50"
    )
    found = producer_fall(row(text, unit="h", time_min="2400"))
    assert found == pytest.approx(1 / quantity("IL2_mRNA_decay").value, rel=0.1)


def test_division_time_is_that_of_the_model_where_nothing_dies():
    text = "number=1e4; antigen=1e8; costimulation=1; IL2=10; death_rate_dividing=0; death_rate_per_division=0; FAS=0"
    found = division_time(row(text, unit="h", time_min="12000"))
    assert found == pytest.approx(quantity("subsequent_division_time").value, rel=0.01)


def test_more_il2_lets_more_cells_in():
    assert entered_ratio(row("number=1e3 | IL2=1 | IL2=0.001", cells="T_blast", time_min="2880")) > 1


def test_half_effect_does_not_depend_on_the_unit():
    given = row("number=1e3; IL2=1e-4..1e1", cells="T_blast", ligand="IL2", readout="pstat5", time_min="30")
    assert half_effect(given | {"unit": "pM"}) == pytest.approx(1000 * half_effect(given | {"unit": "nM"}))


def test_half_life_of_a_rate():
    assert half_life(row("", readout="Treg_death_rate", unit="d")) == pytest.approx(np.log(2) / 0.087, rel=1e-3)


@pytest.mark.parametrize("steepness", [1, 2, 10])
def test_fold_of_a_hill_curve(steepness):
    x = np.geomspace(1e-6, 1e6, 2001)
    y = x**steepness / (1 + x**steepness)
    assert _fold(x, y) == pytest.approx(81 ** (1 / steepness), rel=0.01)


def test_treg_stay_without_a_change_and_an_unknown_gene_is_refused():
    assert 0 < treg_left(row("IL2", time_min="20160")) < 1
    with pytest.raises(Il2Error, match="no knock-out of 'IL3'"):
        treg_left(row("IL3"))
