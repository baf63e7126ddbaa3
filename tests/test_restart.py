"""States of runs: saved, restored, gone on from, and damaged files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from dosing import DRUG, FED, TIMES, A, X, go, rows
from helpers import equations, examples
from hypothesis import given
from hypothesis import strategies as st

from il2.engine import march
from il2.engine.event import (
    Bolus,
    Infusion,
    Switch,
    Trigger,
    repeated,
)  # fmt: skip
from il2.engine.schedule import run
from il2.engine.solve import Tolerances
from il2.engine.state import State
from il2.errors import Il2Error

# --- states -----------------------------------------------------------------------------------------------------------
EVENTS = [
    *repeated(Bolus(0.7, "x", np.array([4.0, 2.0])), np.array([2.0, 3.1]), 3), Infusion(3.0, 4.0, "x", amount=2.0),
    Switch(5.0, "k", 0.2), Trigger("low", X - 1.5, [Switch(0.0, "k", 0.4), Bolus(1.0, "x", 1.0)], "down", 3),
]  # fmt: skip


@given(st.integers(1, 47))
@examples(40)
def test_a_restart_has_the_bits_of_the_run_without_a_pause(tmp_path_factory, cut):
    path = tmp_path_factory.getbasetemp() / "state.npz"
    values = {"k": np.array([0.5, 0.9])}
    whole = go(FED, EVENTS, TIMES, values, Tolerances())
    first = go(FED, EVENTS, TIMES[:cut], values, Tolerances())
    first.state.save(path)
    rest = go(FED, EVENTS, TIMES[cut:], values, Tolerances(), initial=State.load(path))
    assert np.concatenate([first.y, rest.y], axis=1).tobytes() == whole.y.tobytes()
    for field in dataclasses.fields(State):
        one, other = (np.asarray(getattr(s, field.name)) for s in (whole.state, rest.state))
        if field.name != "stops":
            assert one.tobytes() == other.tobytes(), field.name
    assert whole.fired["low"].tobytes() == rest.fired["low"].tobytes()


@given(st.floats(0.0, 11.9))
@examples(20)
def test_a_restart_at_any_time_agrees_with_a_run_that_does_not_stop_there(at):
    values, tight = {"k": np.array([0.5, 0.9])}, Tolerances(rtol=1e-13, atol=1e-15)
    whole = go(FED, EVENTS, [12.0], values, tight)
    first = go(FED, EVENTS, [at], values, tight)
    rest = go(FED, EVENTS, [12.0], values, tight, initial=first.state)
    assert rest.y == pytest.approx(whole.y, rel=1e-11)


def test_a_restart_from_a_state_at_an_event_needs_no_steps_of_before():
    first = go(FED, EVENTS[3:5], [3.0])
    assert first.state.anchor_time[0] == 3.0 and (first.state.stops == 3.0).all()
    assert (first.state.anchor == first.state.y).all()
    rest = go(FED, EVENTS[3:5], [3.0, 12.0], initial=first.state)
    assert rest.y.tobytes() == go(FED, EVENTS[3:5], [3.0, 12.0]).y.tobytes()


def test_a_state_goes_on_with_other_parameters_from_where_it_is():
    first = go(DRUG, [Bolus(0.0, "x", 8.0)], [2.0])
    rest = go(DRUG, [Bolus(0.0, "x", 8.0)], [2.0, 4.0], {"k": 0.1}, initial=first.state)
    assert rest.y[0, :, 0] == pytest.approx(8 * np.exp(-1) * np.array([1, np.exp(-0.2)]), rel=1e-9)
    switched = go(DRUG, [Bolus(0.0, "x", 8.0), Switch(1.0, "k", 0.5)], [2.0]).state
    kept = go(DRUG, [], [4.0], {"k": 0.1}, initial=switched)
    assert kept.y[0, 0, 0] == pytest.approx(8 * np.exp(-2), rel=1e-9)


def test_a_failed_lane_stays_failed():
    burst = equations({"x": A * X * X}, {"x": 1.0}, {"a": 0.0})
    p = rows(burst, a=np.array([1.0, 0.01]))
    first = run(burst, p, TIMES[:20])
    rest = run(burst, p, TIMES[20:], initial=first.state)
    assert list(rest.status) == [march.FAILED, march.DONE] == list(first.status)
    assert np.isnan(rest.y[0]).all()


def test_states_of_other_networks_lanes_triggers_and_times_are_refused():
    state = go(FED, EVENTS, TIMES[:9], {"k": np.array([0.5, 0.9])}).state
    p = rows(FED, k=np.array([0.5, 0.9]))
    for network, lanes, events, times, words in (
        (DRUG, rows(DRUG, k=np.array([0.5, 0.9])), [], TIMES[9:], "another network"),
        (FED, p[:1], [], TIMES[9:], "2 lanes, not 1"),
        (FED, p, [], TIMES[9:], "other triggers"),
        (FED, p, EVENTS, TIMES, "before the time"),
    ):
        with pytest.raises(Il2Error, match=words):
            run(network, lanes, times, events, initial=state)


def damaged(path, how: str) -> None:
    raw = path.read_bytes()
    if how == "truncated":
        path.write_bytes(raw[: len(raw) // 2])
    elif how == "text":
        path.write_text("time,x\n0,1\n", encoding="utf-8")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif how == "flipped":
        path.write_bytes(raw[:200] + bytes(b ^ 0xFF for b in raw[200:400]) + raw[400:])
    else:
        with np.load(path) as file:
            held = dict(file)
        if how == "version":
            held["version"] = np.array(99)
        elif how == "format":
            held["format"] = np.array("another")
        elif how == "missing":
            del held["anchor"]
        elif how == "shape":
            held["y"] = held["y"][:, :-1]
        elif how == "kind":
            held["y"] = held["y"].astype(str)
        elif how == "pickle":
            held["y"] = np.array([{}], dtype=object)
        else:
            held["anchor_time"] = held["time"] + 1
        with path.open("wb") as file:
            np.savez(file, **held)


DAMAGE = "truncated text empty npy flipped version format missing shape kind pickle order"


@pytest.mark.parametrize("how", DAMAGE.split())
def test_a_damaged_or_foreign_file_is_one_error(tmp_path, how):
    path = tmp_path / "state.npz"
    go(FED, EVENTS, TIMES[:9], {"k": np.array([0.5, 0.9])}).state.save(path)
    damaged(path, how)
    with pytest.raises(Il2Error, match=r"state|version"):
        State.load(path)


def test_a_file_that_is_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(Il2Error, match="no such file"):
        State.load(tmp_path / "nothing.npz")
    with pytest.raises(Il2Error, match="cannot be written"):
        go(DRUG, [], [1.0]).state.save(tmp_path / "no" / "folder.npz")
