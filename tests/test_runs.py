"""Long runs: killed, damaged, crowded out and spread over machines, they end with the bytes of an undisturbed run."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import run_task
from run_task import PREFIX, job

from il2.errors import Il2Error
from il2.knowledge import parameters
from il2.runs import cluster, manifest
from il2.runs import job as jobs
from il2.runs.chunk import Damaged, check, decode, encode
from il2.runs.collect import finished
from il2.runs.job import Job, function
from il2.runs.run import run

PROGRAM = Path(run_task.__file__)
PATHS = [str(PROGRAM.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS), "OMP_NUM_THREADS": "1"}
JOB = job({})
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")
pytestmark = POSIX


def go(job: Job, folder: Path, **given) -> list[tuple[int, int]]:
    """Run a job; what it told of its progress."""
    told: list[tuple[int, int]] = []
    run(job, folder, prefix=PREFIX, **({"on_done": lambda *at: told.append(at), "on_note": pytest.fail} | given))
    return told


def files(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, by name."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def chunk(folder: Path, index: int) -> Path:
    return folder / "chunks" / f"{index:08d}.chunk"


def done(folder: Path) -> int:
    return len(list((folder / "chunks").glob("0*.chunk")))


def command(folder: Path, settings: dict, workers: int = 1) -> list[str]:
    return [sys.executable, str(PROGRAM), str(folder), json.dumps(settings), str(workers)]


def started(folder: Path, settings: dict, workers: int = 1) -> subprocess.Popen:
    """The program that runs the job, in a process of its own."""
    return subprocess.Popen(command(folder, settings, workers), env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)


def killed(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    if process.stderr:
        process.stderr.close()


def until(happens: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "this does not come about"
        time.sleep(0.002)


def refused(does: Callable[[], object]) -> str:
    """The one message that a call ends with: one line, that says how to mend it."""
    with pytest.raises(Il2Error) as caught:
        does()
    assert caught.value.where and caught.value.how and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run of JOB that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    go(JOB, folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


# --- jobs and tasks ---------------------------------------------------------------------------------------------------
def test_a_key_changes_with_all_that_the_bits_rest_on(monkeypatch):
    base = Job("il2.a:b", {"seed": 1}, 10, 2)
    others = [
        Job("il2.a:c", {"seed": 1}, 10, 2),
        Job("il2.a:b", {"seed": 2}, 10, 2),
        Job("il2.a:b", {"seed": 1}, 11, 2),
    ]
    others += [Job("il2.a:b", {"seed": 1}, 10, 3), Job("il2.a:b", {"seed": 1.0}, 10, 2)]
    keys = {base.key, *(other.key for other in others)}
    monkeypatch.setattr(jobs, "__version__", "0.0.0")
    keys.add(base.key)
    monkeypatch.setattr(parameters, "fingerprint", lambda: "other")
    keys.add(base.key)
    assert len(keys) == 8
    assert Job("il2.a:b", {"b": (1, 2), "a": 0.1}, 1, 1) == Job("il2.a:b", {"a": 0.1, "b": [1, 2]}, 1, 1)


@pytest.mark.parametrize("settings", [{"x": float("nan")}, {"x": {1, 2}}, {"x": np.zeros(2)}, ["x"]])
def test_settings_that_a_file_cannot_hold_are_refused(settings):
    with pytest.raises(Il2Error, match="settings"):
        Job("il2.a:b", settings, 1, 1)


@pytest.mark.parametrize("wrong", [{"lanes": 0}, {"chunk": -1}, {"lanes": 2.5}, {"chunk": True}])
def test_lanes_and_chunks_are_whole_numbers_above_zero(wrong):
    refused(lambda: Job(**({"task": "il2.a:b", "settings": {}, "lanes": 4, "chunk": 2} | wrong)))


@pytest.mark.parametrize(
    "task",
    ["os:system", "this:d", "il2", "il2.runs.job", "il2.nowhere:task", "il2.__main__:main", "il2.runs.job:_plain",
     "il2.runs.job:import_module", "il2.runs.job:PREFIX", "il2.runs.job:Job", "il2.runs.job:os.system", "il2x.a:b",
     "il2.runs.job:nothing", "run_task:solve_lanes", "il2..a:b", "il2.a/../b:c", ":", ""],
)  # fmt: skip
def test_a_task_is_a_public_function_of_this_package(task, tmp_path):
    sys.modules.pop("this", None)
    refused(lambda: function(task))
    refused(lambda: run(Job(task, {}, 1, 1), tmp_path / "run"))
    assert "this" not in sys.modules and not list(tmp_path.iterdir())
    assert function("il2.runs.job:key_of") is jobs.key_of


# --- bytes ------------------------------------------------------------------------------------------------------------
def test_arrays_come_back_as_the_task_gave_them(tmp_path):
    numbers = job({}, "numbers", lanes=103, chunk=10)
    go(numbers, tmp_path / "run")
    held, straight = finished(tmp_path / "run", numbers), run_task.numbers({}, 0, 103)
    arrays = held.arrays()
    assert list(arrays) == list(straight)
    for name, array in straight.items():
        assert arrays[name].shape == array.shape and (arrays[name] == array).all(), name
    assert arrays["big"].dtype == np.dtype("<f4") and arrays["odd"].dtype == bool and arrays["text"].dtype == "<U3"
    assert [(first, last) for first, last, _ in held] == [(i, min(i + 10, 103)) for i in range(0, 103, 10)]
    assert list(held.arrays(["odd"])) == ["odd"] and "wrong" in refused(lambda: held.arrays(["wrong"]))


def test_any_altered_byte_and_any_cut_is_noticed():
    blob = encode("key", 4, 7, {"x": np.arange(3.0), "y": np.array(["a", "b", "c"])})
    assert blob == encode("key", 4, 7, {"x": np.arange(6.0)[::2] / 2, "y": np.array(["a", "b", "c"])})
    for at in range(len(blob)):
        with pytest.raises(Damaged):
            decode(blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :], "key", 4, 7)
        with pytest.raises(Damaged):
            decode(blob[:at], "key", 4, 7)
    for key, first, last in [("other", 4, 7), ("key", 3, 6), ("key", 4, 8)]:
        with pytest.raises(Damaged):
            check(blob, key, first, last)


def test_nothing_but_plain_rows_is_kept():
    for wrong in (np.zeros(2), np.array(1.0), np.array([{}, {}, {}]), np.array(["2026"] * 3, "M8[Y]")):
        with pytest.raises(Il2Error, match="'x' of type"):
            encode("key", 0, 3, {"x": wrong})


def test_a_local_cluster_starts_where_another_has_the_usual_port(whole, tmp_path):
    pytest.importorskip("distributed")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # another test, or another program, has it: as good
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        go(JOB, tmp_path / "run", cluster="local:1")
    assert files(tmp_path / "run") == files(whole)


@pytest.mark.parametrize("given", [{"workers": 3}, {"cluster": "local:2"}], ids=str)
def test_workers_and_clusters_do_not_change_a_byte(given, whole, tmp_path):
    if "cluster" in given:
        pytest.importorskip("distributed")
    told = go(JOB, tmp_path / "run", **given)
    assert files(tmp_path / "run") == files(whole)
    assert told == [(i, 29) for i in range(30)]


def test_chunks_are_what_the_task_gives_for_all_lanes_at_once(whole):
    straight = run_task.solve_lanes(JOB.settings, 0, JOB.lanes)
    arrays = finished(whole, JOB).arrays()
    assert {n: a.tobytes() for n, a in arrays.items()} == {n: a.tobytes() for n, a in straight.items()}
    assert not arrays["status"].any() and len(np.unique(arrays["y"][:, -1, 0])) == JOB.lanes


def test_a_run_that_is_done_is_left_alone(copy):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.chunk")}
    assert go(JOB, copy) == [(29, 29)] == go(JOB, copy, cluster="tcp://localhost:1")
    assert before == {path: path.stat().st_mtime_ns for path in copy.rglob("*.chunk")}


def test_memory_holds_a_few_chunks_at_most(tmp_path):
    large = job({}, "numbers", lanes=160_000, chunk=4_000)
    one = sum(array.nbytes for array in run_task.numbers({}, 156_000, 160_000).values())
    tracemalloc.start()
    go(large, tmp_path / "run")
    assert sum(last - first for first, last, _ in finished(tmp_path / "run")) == large.lanes
    finished(tmp_path / "run").digest()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * one < 40 * one


# --- kills ------------------------------------------------------------------------------------------------------------
SLOW = {"pause_s": 0.005}


@pytest.fixture(scope="module")
def slow(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("slow") / "run"
    go(job(SLOW), folder)
    return files(folder)


@pytest.mark.parametrize("moment", range(10))
def test_a_run_killed_at_a_random_moment_ends_with_the_same_bytes(moment, slow, tmp_path):
    draw, folder = random.Random(moment), tmp_path / "run"
    process = started(folder, SLOW, workers=2 if moment in (1, 8, 9) else 1)
    if moment < 2:
        time.sleep(draw.uniform(0.1, 0.8))  # while it starts
    else:
        enough = draw.randrange(1, 22)
        until(lambda: done(folder) >= enough or process.poll() is not None)
        time.sleep(draw.uniform(0.0, 0.02))
    killed(process)
    kept = {path: path.stat().st_mtime_ns for path in (folder / "chunks").glob("0*")}
    assert moment < 2 or (0 < len(kept) < 29)
    told = go(job(SLOW), folder, workers=2 if moment == 9 else 1)
    assert told[0] == (len(kept), 29) and all(path.stat().st_mtime_ns == at for path, at in kept.items())
    assert files(folder) == slow


@pytest.mark.parametrize("number", [1, 9])
def test_a_kill_just_before_a_file_takes_its_name_leaves_nothing_behind(number, whole, tmp_path):
    folder = tmp_path / "run"
    text = (
        "import os, signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import run_task\n"
        "replace, calls = Path.replace, []\n"
        "def fatal(*given):\n"
        "    calls.append(1)\n"
        f"    if len(calls) == {number}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return replace(*given)\n"
        "Path.replace = fatal\n"
        "run_task.run(run_task.job({}), Path(sys.argv[2]), prefix=run_task.PREFIX)"
    )
    ended = subprocess.run([sys.executable, "-c", text, str(PROGRAM.parent), str(folder)], env=ENVIRONMENT)
    assert ended.returncode == -signal.SIGKILL and list(folder.rglob(".new-*"))
    go(JOB, folder)
    assert files(folder) == files(whole)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found in /proc")
def test_workers_do_not_outlive_a_killed_run(tmp_path):
    process = started(tmp_path / "run", {"pause_s": 0.05}, workers=2)
    until(lambda: done(tmp_path / "run") >= 2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2
    killed(process)
    until(lambda: not any(_lives(child) for child in children), 10.0)


def _lives(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- damage -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("harm", ["altered", "cut", "empty", "swapped", "of another job", "text"])
def test_a_damaged_chunk_is_named_moved_aside_and_computed_again(harm, whole, copy, tmp_path):
    path, good = chunk(copy, 7), chunk(copy, 7).read_bytes()
    other = job({"seed": 4})
    bad = {
        "altered": good[:-9] + bytes([good[-9] ^ 16]) + good[-8:], "cut": good[: len(good) // 2], "empty": b"",
        "swapped": chunk(copy, 8).read_bytes(), "text": b"some notes\n",
        "of another job": encode(other.key, 56, 64, run_task.solve_lanes(other.settings, 56, 64)),
    }[harm]  # fmt: skip
    path.write_bytes(bad)
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*.chunk") if p != path}
    assert path.name in refused(finished(copy).digest) and path.name in refused(lambda: list(finished(copy)))
    notes: list[str] = []
    assert go(JOB, copy, on_note=notes.append) == [(28, 29), (29, 29)]
    assert len(notes) == 1 and path.name in notes[0] and str(copy / "damaged") in notes[0]
    aside = copy / "damaged" / f"{path.name}-1"
    assert aside.read_bytes() == bad and before == {p: p.stat().st_mtime_ns for p in before}
    path.write_bytes(bad)
    go(JOB, copy, on_note=notes.append)
    assert {p.name for p in aside.parent.iterdir()} == {aside.name, f"{path.name}-2"}
    shutil.rmtree(aside.parent)
    assert files(copy) == files(whole)


def test_many_damaged_chunks_are_one_message(copy, capsys):
    for index in range(12):
        chunk(copy, index).write_bytes(b"")
    run(JOB, copy, prefix=PREFIX)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("il2: 12 damaged chunks") and "and 7 more" in said


def test_a_damaged_manifest_is_refused_and_loses_no_chunk(whole, copy):
    text = (copy / "job.json").read_text()
    for bad in ("", "{", "[]", text[:-9], text.replace('"seed": 3', '"seed": 4'), text.replace("230", "-1")):
        (copy / "job.json").write_text(bad)
        assert "Remove this file" in refused(lambda: go(JOB, copy))
    (copy / "job.json").unlink()
    assert go(JOB, copy) == [(29, 29)] and files(copy) == files(whole)


# --- folders ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("other", "told"),
    [(job({"seed": 4}), "settings.seed was 3 and is now 4"), (job({}, chunk=9), "chunk was 8 and is now 9"),
     (job({"x": {"y": 1}}), "settings.x was nothing"), (job({}, "refuses"), "task was run_task:solve_lanes")],
)  # fmt: skip
def test_a_folder_of_another_job_is_refused_with_what_differs(other, told, copy):
    before = files(copy)
    assert told in refused(lambda: go(other, copy)) and told in refused(lambda: finished(copy, other))
    assert files(copy) == before


def test_what_differs_in_a_list_of_mappings_is_told_by_its_place():
    old, new = {"arms": [{"n": 1}, {"n": 2}]}, {"arms": [{"n": 1}, {"n": 3}]}
    assert list(manifest.differences(old, new)) == [("arms[2].n", 2, 3)]
    assert [name for name, _, _ in manifest.differences(old, {"arms": [{"n": 1}]})] == ["arms"]
    assert [name for name, _, _ in manifest.differences({"x": [1, 2]}, {"x": [1, 3]})] == ["x"]


def test_a_folder_of_other_parameters_is_refused(copy, monkeypatch):
    monkeypatch.setattr(parameters, "fingerprint", lambda: "other")
    assert "parameters was" in refused(lambda: go(JOB, copy))


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    (tmp_path / ".new-chapter").write_text("more")
    assert "thesis.txt" in refused(lambda: go(JOB, tmp_path))
    assert set(files(tmp_path)) == {"thesis.txt", ".new-chapter"}


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    folders = [tmp_path / "file", tmp_path / "file" / "run", Path("/proc/il2-run"), tmp_path / ("x" * 300)]
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "chunks").write_text("")
    for folder in (*folders, tmp_path / "odd"):
        refused(lambda folder=folder: go(JOB, folder))


def test_two_runs_do_not_write_one_folder(tmp_path, slow):
    folder = tmp_path / "run"
    process = started(folder, SLOW)
    until(lambda: done(folder) >= 1)
    process.send_signal(signal.SIGSTOP)
    message = refused(lambda: go(job(SLOW), folder))
    killed(process)
    assert f"process {process.pid} on {socket.gethostname()}" in message
    go(job(SLOW), folder)
    assert files(folder) == slow


def test_a_run_within_a_run_is_refused(tmp_path):
    refused(lambda: go(JOB, tmp_path / "run", on_done=lambda *_: go(JOB, tmp_path / "run")))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_removed_or_replaced_midway_stops_the_run(workers, tmp_path, whole):
    folder = tmp_path / "run"

    def remove(at: int, _: int) -> None:
        if at == 5:
            folder.rename(tmp_path / "taken")

    def replace(at: int, total: int) -> None:
        remove(at, total)
        if at == 5:
            go(job({"seed": 9}), folder)

    assert "removed or replaced" in refused(lambda: go(JOB, folder, workers=workers, on_done=remove))
    assert not folder.exists() and done(tmp_path / "taken") == 5
    shutil.rmtree(tmp_path / "taken")
    assert "removed or replaced" in refused(lambda: go(JOB, folder, workers=workers, on_done=replace))
    assert go(job({"seed": 9}), folder) == [(29, 29)]
    assert go(JOB, tmp_path / "taken")[0] == (5, 29) and files(tmp_path / "taken") == files(whole)


def test_a_file_that_grows_too_large_stops_the_run_and_keeps_what_is_done(whole, tmp_path):
    folder = tmp_path / "run"
    size = len(chunk(whole, 0).read_bytes())
    text = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"at = lambda d, n: d == 4 and resource.setrlimit(resource.RLIMIT_FSIZE, ({size - 1},) * 2)\n"
        "sys.path.insert(0, sys.argv[1]); import run_task; from pathlib import Path\n"
        "try: run_task.run(run_task.job({}), Path(sys.argv[2]), prefix=run_task.PREFIX, on_done=at)\n"
        "except run_task.Il2Error as error: sys.exit(str(error))"
    )
    given = [sys.executable, "-c", text, str(PROGRAM.parent), str(folder)]
    ended = subprocess.run(given, env=ENVIRONMENT, capture_output=True, text=True)
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1, ended.stderr
    assert "File too large" in ended.stderr and "4 of 29 chunks are done and kept" in ended.stderr
    assert not list(folder.rglob(".new-*")) and go(JOB, folder)[0] == (4, 29)
    assert files(folder) == files(whole)


def in_namespace(script: str, *given: str) -> subprocess.CompletedProcess:
    """A shell script with mounts of its own, which end with it."""
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    enter = ["unshare", *user, "--mount", "--", "sh", "-euc"]
    able = shutil.which("unshare") and shutil.which("mount")
    if not able or subprocess.run([*enter, "mount -t tmpfs none /mnt"], capture_output=True).returncode:
        pytest.skip("mounts are not allowed here")
    return subprocess.run([*enter, script, "sh", *given], env=ENVIRONMENT, capture_output=True, text=True)


def test_a_full_disk_stops_the_run_and_keeps_what_is_done(whole, tmp_path):
    script = """
        mount -t tmpfs -o size=96k none "$1"
        if "$2" "$3" "$1/run" '{}'; then exit 9; fi
        ls -A "$1/run" "$1/run/chunks" > "$4/left"
        mount -o remount,size=4m "$1"
        "$2" "$3" "$1/run" '{}'
        cp -a "$1/run" "$4/run"
    """
    (tmp_path / "disk").mkdir()
    ended = in_namespace(script, str(tmp_path / "disk"), sys.executable, str(PROGRAM), str(tmp_path))
    assert ended.returncode == 0 and ended.stderr.count("\n") == 1, ended.stderr
    left = (tmp_path / "left").read_text()
    kept = left.count(".chunk")
    assert 0 < kept < 29 and ".new-" not in left
    assert "No space left" in ended.stderr and f"{kept} of 29 chunks are done and kept" in ended.stderr
    assert files(tmp_path / "run") == files(whole)


def test_a_disk_that_is_full_from_the_start_is_one_message(tmp_path):
    (tmp_path / "disk").mkdir()
    script = """
        mount -t tmpfs -o size=4k none "$1"
        head -c 4096 /dev/zero > "$1/filler"
        "$2" "$3" "$1/run" '{}'
    """
    ended = in_namespace(script, str(tmp_path / "disk"), sys.executable, str(PROGRAM))
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1 and "No space left" in ended.stderr, ended.stderr


@pytest.mark.parametrize("ready", [False, True])
def test_a_folder_that_may_only_be_read_is_one_message(ready, tmp_path):
    (tmp_path / "disk").mkdir()
    if ready:
        go(JOB, tmp_path / "disk" / "run")
        chunk(tmp_path / "disk" / "run", 3).unlink()
    script = """
        mount --bind "$1" "$1"
        mount -o remount,bind,ro "$1"
        "$2" "$3" "$1/run" '{}'
    """
    ended = in_namespace(script, str(tmp_path / "disk"), sys.executable, str(PROGRAM))
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1 and "Read-only" in ended.stderr, ended.stderr


# --- collecting -------------------------------------------------------------------------------------------------------
def test_an_incomplete_run_is_not_collected(copy):
    held = finished(copy, JOB)
    for index in (3, 28):
        chunk(copy, index).unlink()
    assert "2 of 29 chunks are missing" in refused(lambda: finished(copy))
    assert "chunk 3 was removed" in refused(held.digest)
    assert "no run" in refused(lambda: finished(copy / "chunks"))


def test_the_digest_tells_runs_apart(whole, tmp_path):
    for name, other in {"same": JOB, "seed": job({"seed": 4}), "chunks": job({}, chunk=10)}.items():
        go(other, tmp_path / name)
        assert (finished(tmp_path / name).digest() == finished(whole).digest()) == (name == "same")


def test_lanes_of_another_form_are_refused(copy):
    arrays = run_task.solve_lanes(JOB.settings, 8, 16)
    for wrong in ({"y": arrays["y"][..., :2]}, {"status": arrays["y"]}, {"more": arrays["y"]}):
        chunk(copy, 1).write_bytes(encode(JOB.key, 8, 16, arrays | wrong))
        assert next(iter(wrong)) in refused(finished(copy).arrays)


# --- tasks that fail --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_task_ends_the_run_and_keeps_what_is_done(workers, tmp_path):
    bad = job({"bad": 100}, "refuses")
    assert "lane 100 is impossible" in refused(lambda: go(bad, tmp_path / "run", workers=workers))
    assert 10 <= done(tmp_path / "run") <= 12
    with pytest.raises(FileNotFoundError if workers == 1 else RuntimeError, match="nowhere"):
        go(job({"nowhere": "nowhere"}, "breaks"), tmp_path / "other", workers=workers)
    assert "for 8 lanes" in refused(lambda: go(job({}, "too_short"), tmp_path / "short", workers=workers))


@pytest.mark.parametrize("deaths", [1, 3])
def test_a_worker_process_that_dies_costs_one_chunk_which_another_computes(deaths, whole, tmp_path):
    (tmp_path / "marks").mkdir()
    settings = {"marks": str(tmp_path / "marks"), "deaths": deaths, "fatal": 100}
    fatal, folder = job(settings, "dies"), tmp_path / "run"
    if deaths == 3:
        message = refused(lambda: go(fatal, folder, workers=2))
        assert "chunk 12 cannot be computed" in message and "of 29 chunks are done and kept" in message
        assert go(fatal, folder, workers=2)[-1] == (29, 29)
    else:
        assert go(fatal, folder, workers=2) == [(i, 29) for i in range(30)]
    assert len(list((tmp_path / "marks").iterdir())) == deaths
    held, undisturbed = finished(folder).arrays(), finished(whole).arrays()
    assert {n: a.tobytes() for n, a in held.items()} == {n: a.tobytes() for n, a in undisturbed.items()}


@pytest.mark.parametrize(
    "given",
    [{"workers": 0}, {"workers": 1.5}, {"cluster": "localhost:8786"}, {"cluster": "local:0"}, {"cluster": "tcp://x"},
     {"cluster": "local:2", "workers": 2}],
    ids=str,
)  # fmt: skip
def test_workers_that_cannot_be_are_refused(given, tmp_path):
    refused(lambda: go(JOB, tmp_path / "run", **given))
    assert not list(tmp_path.iterdir())


# --- Dask -------------------------------------------------------------------------------------------------------------
def dask(*given: str) -> subprocess.Popen:
    """A process of Dask."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", "dask", *given], env=ENVIRONMENT, **quiet)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """Address and process of a scheduler."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    process = dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    until(lambda: file.exists() and file.read_text().endswith("}"))
    yield json.loads(file.read_text())["address"], process
    killed(process)


@pytest.fixture
def workers(scheduler: tuple[str, subprocess.Popen]) -> Iterator[list[subprocess.Popen]]:
    """Two workers that are not started again when they die."""
    given = ("--no-nanny", "--no-dashboard", "--nthreads", "1", "--host", "127.0.0.1")
    processes = [dask("worker", scheduler[0], *given) for _ in range(2)]
    yield processes
    for process in processes:
        killed(process)


def both_work(address: str) -> None:
    """Wait until both workers are there."""
    from distributed import Client

    with Client(address, timeout=20) as client:
        client.wait_for_workers(2, timeout=30)


def test_a_cluster_that_loses_a_worker_midway_ends_with_the_same_bytes(scheduler, workers, slow, tmp_path):
    both_work(scheduler[0])
    told = []

    def progress(at: int, total: int) -> None:
        told.append((at, total))
        if at == 8:
            workers[0].kill()

    go(job(SLOW), tmp_path / "run", cluster=scheduler[0], on_done=progress)
    assert workers[0].wait(5) == -signal.SIGKILL and workers[1].poll() is None
    assert told == [(i, 29) for i in range(30)] and files(tmp_path / "run") == slow


def test_a_cluster_without_workers_is_one_message_and_loses_nothing(scheduler, workers, slow, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE_S", 1.0)
    both_work(scheduler[0])

    def progress(at: int, _: int) -> None:
        if at == 8:
            for worker in workers:
                worker.kill()

    folder = tmp_path / "run"
    message = refused(lambda: go(job(SLOW), folder, cluster=scheduler[0], on_done=progress))
    assert "no workers" in message and f"{done(folder)} of 29 chunks are done and kept in {folder}" in message
    assert "dask worker" in message and "goes on" in message and 8 <= done(folder) < 29
    assert go(job(SLOW), folder)[-1] == (29, 29) and files(folder) == slow


def test_a_lost_scheduler_is_one_message_and_loses_nothing(scheduler, workers, slow, tmp_path):
    def progress(at: int, _: int) -> None:
        if at == 8:
            scheduler[1].kill()

    folder = tmp_path / "run"
    message = refused(lambda: go(job(SLOW), folder, cluster=scheduler[0], on_done=progress))
    assert (
        "scheduler is lost" in message and f"{done(folder)} of 29 chunks are done" in message and "goes on" in message
    )
    assert go(job(SLOW), folder)[-1] == (29, 29) and files(folder) == slow


@pytest.mark.parametrize("allowed", [0, 3])
def test_a_chunk_that_kills_workers_is_tried_again_but_not_for_ever(allowed, tmp_path):
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    (tmp_path / "marks").mkdir()
    fatal, folder = job({"marks": str(tmp_path / "marks"), "deaths": 1, "fatal": 100}, "dies"), tmp_path / "run"
    with dask.config.set({"distributed.scheduler.allowed-failures": allowed}):
        if allowed:
            assert go(fatal, folder, cluster="local:2") == [(i, 29) for i in range(30)]
        else:
            message = refused(lambda: go(fatal, folder, cluster="local:2"))
            assert "cannot be computed" in message and f"{done(folder)} of 29 chunks are done and kept" in message
    assert len(list((tmp_path / "marks").iterdir())) == 1


def test_errors_of_a_task_come_from_a_cluster_as_they_are(scheduler, workers, tmp_path, monkeypatch):
    given = {"cluster": scheduler[0]}
    assert "lane 100 is impossible" in refused(lambda: go(job({"bad": 100}, "refuses"), tmp_path / "run", **given))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        go(job({"nowhere": "nowhere"}, "breaks"), tmp_path / "other", **given)
    monkeypatch.setattr(parameters, "fingerprint", lambda: "other")
    assert "another version of il2" in refused(lambda: go(JOB, tmp_path / "unlike", **given))


def test_an_address_where_nobody_answers_is_one_message(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        assert "no Dask scheduler answers" in refused(lambda: go(JOB, tmp_path / "run", cluster=address))


def test_a_cluster_needs_distributed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "il2[cluster]" in refused(lambda: go(JOB, tmp_path / "run", cluster="local:2"))
