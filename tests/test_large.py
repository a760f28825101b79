"""Gram matrices larger than memory: right, symmetric, resumable, and nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ntksym
from ntksym.errors import BadData, BadSpec, CannotWrite
from ntksym.large import gram_dask, gram_to_zarr, plan_tiles, store
from ntksym.large.job import _kept_kernel
from ntksym.large.plan import memory_bytes

zarr = pytest.importorskip("zarr")
dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

NET = "mlp:relu:depth=2,weight_var=2,bias_var=1/10"
SMALL = "200MB"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "X.npy"
    np.save(path, np.random.default_rng(3).standard_normal((301, 7)))
    return path


@pytest.fixture(scope="module")
def exact(data: Path) -> object:
    return ntksym.compile(ntksym.parse_spec(NET))(np.load(data))


def memory_for(side: int, threads: int = 1) -> int:
    """The least memory that gives tiles of that side for the data here."""
    low = 1 << 20
    high = 1 << 34
    while high - low > 1000:
        middle = (low + high) // 2
        try:
            reached = plan_tiles(301, 301, 7, memory=middle, threads=threads).side >= side
        except BadSpec:
            reached = False
        low, high = (low, middle) if reached else (middle, high)
    return high


@given(
    st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 2000), st.booleans(),
    st.integers(1, 8), st.integers(300, 4000),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_tiles_cover_the_matrix_once(n, m, width, symmetric, threads, megabytes) -> None:
    m = n if symmetric else m
    plan = plan_tiles(n, m, width, memory=f"{megabytes}MB", threads=threads, symmetric=symmetric)
    seen = np.zeros((n, m), dtype=np.int8)
    for t in plan.tiles():
        seen[t.rows, t.columns] += 1
        if symmetric and t.i != t.j:
            seen[t.columns, t.rows] += 1
    assert (seen == 1).all()
    assert plan.side <= 64 or plan.tile_bytes * threads <= megabytes * 10**6


@pytest.mark.parametrize("n, tiles", [(10, 1), (100, 28), (301, 15), (1536, 21), (1537, 3)])
def test_small_matrices_are_cut_too(n, tiles) -> None:
    """Two threads share them, and entries of milliseconds are told of and kept before the end."""
    assert len(list(plan_tiles(n, n, 64, threads=2, symmetric=True).tiles())) == tiles


@pytest.mark.parametrize(
    "text, size", [("2GB", 2 * 10**9), ("512 MiB", 512 << 20), ("1.5kb", 1500), (77, 77)]
)
def test_amounts_of_memory(text, size) -> None:
    assert memory_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "two GB", "-1GB", "1e9", "3 parsecs", "9" * 40])
def test_what_is_no_amount_of_memory(text) -> None:
    with pytest.raises(BadSpec, match="is not an amount of memory"):
        memory_bytes(text)


def test_too_little_memory_says_how_much_is_needed() -> None:
    with pytest.raises(BadSpec) as caught:
        plan_tiles(10**6, 10**6, 784, memory="10MB", threads=2)
    assert "at least" in caught.value.hint
    least = caught.value.hint.split()[2]
    assert plan_tiles(10**6, 10**6, 784, memory=f"{least}MB", threads=2).side == 64


@pytest.mark.parametrize("dtype, eps", [("float64", 4e-15), ("float32", 2e-6)])
def test_the_group_has_the_kernels(data, exact, tmp_path, dtype, eps) -> None:
    seen = []
    report = gram_to_zarr(
        NET, data, tmp_path / "K.zarr", memory=memory_for(64, 2), threads=2, dtype=dtype,
        progress=lambda done, count: seen.append((done, count)),
    )  # fmt: skip
    assert report.side == 64 and report.tiles == 15 and report.resumed == 0
    assert seen[0] == (0, 15) and seen[-1] == (15, 15)
    group = zarr.open_group(str(tmp_path / "K.zarr"), mode="r")
    assert group.attrs["complete"] is True
    assert sorted(p.name for p in (tmp_path / "K.zarr").iterdir()) == ["nngp", "ntk", "zarr.json"]
    assert not (tmp_path / "K.zarr.partial").exists()
    for name in ("nngp", "ntk"):
        found, expected = group[name][:], getattr(exact, name)
        assert found.dtype == dtype
        assert (found == found.T).all()
        np.testing.assert_allclose(found, expected, rtol=eps, atol=0)
        np.testing.assert_array_equal(np.diag(found), np.diag(expected).astype(dtype))


def test_other_columns_and_one_kernel(data, tmp_path) -> None:
    x = np.load(data)
    report = gram_to_zarr(NET, x[:100], tmp_path / "K", Y=x[50:], kernels=("ntk",), memory=SMALL)
    assert report.shape == (100, 251)
    group = zarr.open_group(str(tmp_path / "K"), mode="r")
    assert list(group.keys()) == ["ntk"]
    expected = ntksym.compile(ntksym.parse_spec(NET))(x[:100], x[50:]).ntk
    np.testing.assert_allclose(group["ntk"][:], expected, rtol=4e-15, atol=0)


def interrupted(data, out, after: int) -> None:
    """A run that stops, as a full disk stops it, when some tiles are done."""

    def progress(done: int, count: int) -> None:
        if done == after:
            raise OSError(28, "No space left on device")

    with pytest.raises(CannotWrite, match="the same command again goes on") as caught:
        gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1, progress=progress)
    assert "No space left" in caught.value.where


def test_a_run_that_failed_is_resumed(data, exact, tmp_path) -> None:
    out = tmp_path / "K.zarr"
    interrupted(data, out, 6)
    assert not out.exists()
    report = gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1)
    assert (report.tiles, report.resumed) == (9, 6)
    np.testing.assert_allclose(zarr.open_group(str(out))["ntk"][:], exact.ntk, rtol=4e-15)


def test_a_killed_process_is_resumed(data, exact, tmp_path) -> None:
    out = tmp_path / "K.zarr"
    code = (
        "import sys, time; from ntksym.large import gram_to_zarr\n"
        "def slow(done, count):\n"
        "    print(done, flush=True)\n"
        "    time.sleep(0.2 if done else 0)\n"
        f"gram_to_zarr({NET!r}, sys.argv[1], sys.argv[2], memory={memory_for(64)}, threads=1, progress=slow)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, str(data), str(out)], stdout=subprocess.PIPE
    )
    assert run.stdout is not None
    for line in run.stdout:
        if int(line) == 4:
            run.send_signal(signal.SIGKILL)
            break
    run.wait()
    run.stdout.close()
    assert not out.exists() and (tmp_path / "K.zarr.partial").exists()
    report = gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1)
    assert report.resumed >= 4 and report.tiles + report.resumed == 15
    np.testing.assert_allclose(zarr.open_group(str(out))["nngp"][:], exact.nngp, rtol=4e-15)


def test_a_run_that_was_stopped_at_its_end_is_put_in_place(data, exact, tmp_path) -> None:
    out = tmp_path / "K.zarr"
    interrupted(data, out, 15)
    report = gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1)
    assert (report.tiles, report.resumed) == (0, 15)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["K.zarr"]
    assert sorted(p.name for p in out.iterdir()) == ["nngp", "ntk", "zarr.json"]
    np.testing.assert_array_equal(zarr.open_group(str(out))["ntk"][:], exact.ntk)


def test_a_run_that_cannot_begin_leaves_nothing(data, tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_create", full)
    with pytest.raises(CannotWrite, match="cannot write"):
        gram_to_zarr(NET, data, tmp_path / "K.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_one_for_all_tiles(tmp_path) -> None:
    """Its range is that of all rows: tiles of other rows, in any order, are of the same table."""
    x = np.random.default_rng(5).standard_normal((200, 6))
    x /= np.sqrt(np.sum(x * x, axis=1, keepdims=True))
    x *= np.repeat([1.0, 1.05, 0.97, 1.02], 50)[:, None]
    net, found = "mlp:'x*tanh(log(exp(x) + 1))':depth=1,input_scaling=false", []
    for stop in (None, 2):
        out = tmp_path / f"{stop}.zarr"
        _kept_kernel.cache_clear()
        if stop is not None:

            def progress(done: int, count: int, stop: int = stop) -> None:
                if done == stop:
                    raise OSError(28, "No space left on device")

            with pytest.raises(CannotWrite):
                gram_to_zarr(net, x, out, memory=memory_for(64), threads=1, progress=progress)
            _kept_kernel.cache_clear()  # another program
        report = gram_to_zarr(net, x, out, memory=memory_for(64), threads=1)
        assert report.tiles + report.resumed > 5
        found.append(zarr.open_group(str(out))["ntk"][:])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], ntksym.compile(net)(x).ntk)


@pytest.mark.parametrize(
    "harm", ["damaged tile", "damaged mirror", "cut journal", "no journal", "nonsense"]
)
def test_damage_is_found_on_resuming(data, exact, tmp_path, harm) -> None:
    out, partial = tmp_path / "K.zarr", tmp_path / "K.zarr.partial"
    interrupted(data, out, 6)
    journal = partial / "journal.txt"
    lines = journal.read_text().splitlines(keepends=True)
    assert len(lines) == 6
    expected = 5
    if harm.startswith("damaged"):
        done = [tuple(map(int, line.split()[:2])) for line in lines]  # Dask chose the order
        i, j = next((i, j) for i, j in done if i != j)
        place = (i, j) if harm == "damaged tile" else (j, i)
        array = zarr.open_array(str(partial), path="ntk", mode="r+")
        array[place[0] * 64 + 3, place[1] * 64 + 5] += 1e-9
    elif harm == "cut journal":
        journal.write_text("".join(lines)[:-3])
    elif harm == "no journal":
        journal.unlink()
        expected = 0
    else:
        journal.write_text("".join(lines[:-1]) + "0 5 nonsense x\n\n7\n")
    report = gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1)
    assert report.resumed == expected
    np.testing.assert_allclose(zarr.open_group(str(out))["ntk"][:], exact.ntk, rtol=4e-15)


def test_another_run_is_not_mixed_in(data, tmp_path) -> None:
    out = tmp_path / "K.zarr"
    interrupted(data, out, 3)
    other = NET.replace("depth=2", "depth=1")
    with pytest.raises(CannotWrite, match="was left by another run") as caught:
        gram_to_zarr(other, data, out, memory=memory_for(64), threads=1)
    assert "layers" in caught.value.where and "--force" in caught.value.hint
    with pytest.raises(CannotWrite, match=r"differs in: the numbers in X\n"):
        gram_to_zarr(NET, np.load(data) + 1, out, memory=memory_for(64), threads=1)
    report = gram_to_zarr(other, data, out, memory=memory_for(64), threads=1, force=True)
    assert report.resumed == 0


def test_what_is_there_is_kept(data, tmp_path) -> None:
    out = tmp_path / "K.zarr"
    gram_to_zarr(NET, data, out)
    with pytest.raises(CannotWrite, match=r"K\.zarr is there"):
        gram_to_zarr(NET, data, out)
    gram_to_zarr(NET, data, out, force=True)
    plain = tmp_path / "thesis"
    plain.mkdir()
    (plain / "only copy").write_text("x")
    with pytest.raises(CannotWrite, match="is not a Zarr group"):
        gram_to_zarr(NET, data, plain, force=True)
    with pytest.raises(CannotWrite, match="is not a Zarr group"):  # and --force is not offered
        gram_to_zarr(NET, data, plain)
    assert (plain / "only copy").read_text() == "x"


@pytest.mark.skipif(sys.platform == "win32", reason="file locks of POSIX")
def test_two_runs_do_not_write_one_group(data, tmp_path) -> None:
    out = tmp_path / "K.zarr"

    def progress(done: int, count: int) -> None:
        if done == 2:
            with pytest.raises(CannotWrite, match="another run is writing"):
                gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1)

    gram_to_zarr(NET, data, out, memory=memory_for(64), threads=1, progress=progress)


@pytest.mark.parametrize(
    "given",
    [
        {"kernels": ()},
        {"kernels": ("ntk", "ntk")},
        {"kernels": ("x",)},
        {"dtype": "int8"},
        {"threads": 0},
        {"threads": 1.5},
        {"target": "fortran"},
    ],
)
def test_bad_arguments(given, tmp_path) -> None:
    with pytest.raises(BadSpec):
        gram_to_zarr(NET, np.ones((4, 3)), tmp_path / "K", **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [(100, 100, 101), (301,), (1, 300)])
def test_dask_arrays(data, exact, rows) -> None:
    x = da.from_array(np.load(data), chunks=(rows, (4, 3)))
    nngp, ntk = gram_dask(NET, x)
    assert nngp.shape == (301, 301) and nngp.chunks == (rows, rows)
    found = ntk.compute(scheduler="sync")
    assert (found == found.T).all()
    np.testing.assert_allclose(found, exact.ntk, rtol=4e-15)
    part = gram_dask(NET, x, x[:10])[0].compute(scheduler="sync")
    np.testing.assert_allclose(part, exact.nngp[:, :10], rtol=4e-15)
    with pytest.raises(BadData, match="different numbers of columns"):
        gram_dask(NET, x, x[:, :2])


def test_on_a_cluster(data, exact, tmp_path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        report = gram_to_zarr(NET, data, tmp_path / "K", memory=memory_for(64, 2), cluster=client)
    assert report.tiles == 15
    np.testing.assert_allclose(
        zarr.open_group(str(tmp_path / "K"))["ntk"][:], exact.ntk, rtol=4e-15
    )


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere:port", "one://127.0.0.1:9"])
def test_no_cluster_at_the_address(data, tmp_path, address) -> None:
    pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(BadSpec, match="no Dask scheduler answers at"),
    ):
        gram_to_zarr(NET, data, tmp_path / "K", memory=memory_for(64, 2), cluster=address)
    assert dask.delayed(int)(3).compute() == 3  # what others compute does not go there


def test_the_command(data, tmp_path) -> None:
    out = tmp_path / "K.zarr"
    command = [sys.executable, "-m", "ntksym", "gram", NET, str(data), "--out", str(out), "--json"]
    env = {**os.environ, "PYTHONPATH": str(Path(ntksym.__file__).parent.parent)}
    start = time.perf_counter()
    run = subprocess.run(command, capture_output=True, text=True, env=env)
    assert run.returncode == 0, run.stderr
    record = json.loads(run.stdout)
    assert record["schema"] == "ntksym/gram/1" and record["shape"] == [301, 301]
    assert 0 < record["seconds"] < time.perf_counter() - start
    again = subprocess.run(command, capture_output=True, text=True, env=env)
    assert again.returncode == 2
    assert "is there" in json.loads(again.stdout)["error"]["what"]
