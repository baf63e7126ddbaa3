"""The cache of object code: it is used, it is never trusted blindly, and it never stops a calculation."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import equations

from il2.engine import machine as compiler
from il2.engine import store
from il2.engine.compile import compiled, digest
from il2.engine.machine import Compiled
from il2.engine.solve import solve
from il2.network.expression import sym
from il2.network.program import Program, lower

PROGRAM = lower(equations({"x": -sym("a") * sym("x")}, {"x": 1.0}, {"a": 1.0}))
OTHER = lower(equations({"x": -2 * sym("a") * sym("x")}, {"x": 1.0}, {"a": 1.0}))
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder that does not exist yet, and no code in this process."""
    monkeypatch.setenv("IL2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compiler, "_LOADED", {})
    return tmp_path / "cache"


def fresh(program: Program = PROGRAM) -> Compiled:
    """The code as a new process would get it."""
    compiler._LOADED.clear()
    return compiled(program)


def kept(cache: Path) -> Path:
    """The one file of the cache."""
    (file,) = cache.iterdir()
    return file


def decays() -> bool:
    """Whether the code that is loaded now solves dx/dt = -a x."""
    y = solve(PROGRAM, np.array([[1.0], [2.0]]), np.array([1.0])).y[:, 0, 0]
    return y.tolist() == pytest.approx([np.exp(-1), np.exp(-2)], rel=1e-5)


def test_second_compilation_comes_from_disk(cache: Path):
    first = fresh()
    assert (first.from_disk, first.note) == (False, "") and decays()
    written = kept(cache).stat().st_mtime_ns
    second = fresh()
    assert (second.from_disk, second.note) == (True, "") and decays()
    assert second.layout == first.layout and kept(cache).stat().st_mtime_ns == written


def test_code_of_this_process_is_reused(cache: Path):
    assert fresh() is compiled(PROGRAM)


def test_another_process_uses_the_file(cache: Path):
    fresh()
    text = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_store import PROGRAM, compiled, decays\n"
        "print(compiled(PROGRAM).from_disk, decays())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    found = subprocess.run(
        [sys.executable, "-c", text, str(Path(__file__).parent)],
        env=environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert found.stdout.split() == ["True", "True"]


def test_programs_have_files_of_their_own(cache: Path):
    fresh(PROGRAM)
    assert not fresh(OTHER).from_disk
    assert len(list(cache.iterdir())) == 2


# --- damage ----------------------------------------------------------------------------------------------------
def flip(at: int):
    def damage(blob: bytes) -> bytes:
        return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :] if at >= 0 else flip(len(blob) + at)(blob)

    return damage


@pytest.mark.parametrize(
    "damage",
    [flip(0), flip(len(store.MAGIC)), flip(len(store.MAGIC) + 33), flip(-1), lambda b: b[:-1], lambda b: b[:20],
     lambda b: b"", lambda b: b + b"\0", lambda b: b"il2-object-0\n" + b[len(store.MAGIC):]],
    ids=["magic", "digest", "facts", "code", "short", "no digest", "empty", "long", "old format"],
)  # fmt: skip
def test_damaged_file_is_compiled_again_with_one_note(cache: Path, damage):
    fresh()
    good = kept(cache).read_bytes()
    kept(cache).write_bytes(damage(good))
    again = fresh()
    assert not again.from_disk and decays()
    assert again.note == f"{kept(cache)} is damaged"
    assert kept(cache).read_bytes() == good  # mended
    assert fresh().from_disk and fresh().note == ""


@POSIX
@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_file_that_others_can_write_is_refused_and_replaced(cache: Path, mode: int):
    fresh()
    kept(cache).chmod(mode)
    again = fresh()
    assert not again.from_disk and "written by" in again.note and decays()
    assert stat.S_IMODE(kept(cache).stat().st_mode) == 0o600
    assert fresh().from_disk


@POSIX
def test_file_of_another_owner_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch):
    fresh()
    monkeypatch.setattr(store.os, "getuid", lambda: 12345)
    again = fresh()
    assert not again.from_disk and "belongs to" in again.note and decays()


def test_folder_in_place_of_the_file_is_survived(cache: Path):
    fresh()
    path = kept(cache)
    path.unlink()
    path.mkdir()
    again = fresh()
    assert not again.from_disk and str(cache) in again.note and decays()
    assert list(cache.iterdir()) == [path]


# --- folders that do not serve ---------------------------------------------------------------------------------
@pytest.mark.parametrize("below", [False, True])
def test_folder_that_cannot_be_written_costs_a_note_and_nothing_else(tmp_path: Path, monkeypatch, below: bool):
    """A file stands in place of the folder, or of its parent; this stops root too."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("IL2_CACHE", str(tmp_path / "file" / "cache" if below else tmp_path / "file"))
    monkeypatch.setattr(compiler, "_LOADED", {})
    found = fresh()
    assert not found.from_disk and "cannot be written" in found.note and decays()
    assert (tmp_path / "file").read_text() == "in the way" and list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_full_disk_leaves_no_temporary_file(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "replace", full)
    found = fresh()
    assert "No space left" in found.note and decays()
    assert list(cache.iterdir()) == []


@POSIX
def test_files_are_private_and_nothing_else_is_left(cache: Path):
    before = os.umask(0)  # the most generous umask
    try:
        fresh()
    finally:
        os.umask(before)
    assert kept(cache).suffix == ".o"
    assert stat.S_IMODE(kept(cache).stat().st_mode) == 0o600
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_facts_and_code_come_back_as_they_were_kept(cache: Path):
    facts, code = {"n": 3, "width": 4}, bytes(range(256)) + b"\n{}\n"
    assert store.write("key", facts, code) == ""
    assert store.read("key") == (facts, code, "")
    assert store.read("no such key") == (None, b"", "")


# --- keys ------------------------------------------------------------------------------------------------------
def test_key_depends_on_equations_and_width_but_not_on_names():
    renamed = lower(equations({"z": -sym("q") * sym("z")}, {"z": 1.0}, {"q": 1.0}))
    assert digest(PROGRAM, 4) == digest(renamed, 4)
    assert len({digest(PROGRAM, 4), digest(PROGRAM, 8), digest(OTHER, 4)}) == 3


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (compiler.llvm, "get_host_cpu_name", lambda: "another-cpu"),
        (compiler.llvm, "get_process_triple", lambda: "another-triple"),
        (compiler.llvmlite, "__version__", "0.0.0"),
        (compiler, "_sources", lambda names: "another generator"),
        (store, "MAGIC", b"il2-object-9\n"),
    ],
    ids=["cpu", "triple", "llvmlite", "generator", "file format"],
)
def test_another_machine_or_format_has_another_key(monkeypatch: pytest.MonkeyPatch, where, name: str, value: object):
    before = digest(PROGRAM, 4)
    monkeypatch.setattr(where, name, value)
    assert digest(PROGRAM, 4) != before


def test_code_of_another_cpu_is_not_loaded(cache: Path, monkeypatch: pytest.MonkeyPatch):
    fresh()
    monkeypatch.setattr(compiler.llvm, "get_host_cpu_name", lambda: "another-cpu")
    assert not fresh().from_disk
    assert len(list(cache.iterdir())) == 2
