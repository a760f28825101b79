"""Data of large Gram matrices: what is refused, and what is said of rows that are not finite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ntksym
from ntksym.errors import BadData
from ntksym.large import gram_to_zarr

zarr = pytest.importorskip("zarr")
pytest.importorskip("dask")

NET = "mlp:relu:depth=2,weight_var=2,bias_var=1/10"


@pytest.mark.parametrize(
    "given, message",
    [
        ({"X": "absent.npy"}, "there is no file"),
        ({"X": __file__}, "is not a .npy file"),
        ({"X": np.zeros(3)}, "shape .n, d. is needed"),
        ({"X": np.zeros((0, 3))}, r"X: no numbers, shape .0, 3."),
        ({"X": np.ma.masked_equal([[1.0, 2.0]], 2.0)}, "X: 1 masked element"),
        ({"X": np.array([["a"]])}, "real numbers"),
        ({"Y": np.zeros((3, 2))}, "different numbers of columns"),
    ],
)  # fmt: skip
def test_bad_data(given, message, tmp_path) -> None:
    arguments = {"X": np.ones((4, 3)), **given}
    with pytest.raises(BadData, match=message):
        gram_to_zarr(NET, arguments.pop("X"), tmp_path / "K", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_no_array(tmp_path) -> None:
    np.savez(tmp_path / "X.npz", rows=np.ones((4, 3)), labels=np.ones(4))
    with pytest.raises(BadData, match="an archive of arrays, not one array\n  in it: rows, labels"):
        gram_to_zarr(NET, tmp_path / "X.npz", tmp_path / "K")


@pytest.mark.parametrize("place", [(5, 2), (0, 1, 6)])
def test_rows_that_are_not_finite_are_named(place, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ntksym.large.source.PART", 24)  # a row at a time
    x = np.ones((7, 3))
    x[list(place), 1] = np.nan, *([np.inf] * (len(place) - 1))
    text = f"X: {len(place)} of 7 rows with NaN or infinity, the first is row {min(place)}:"
    with pytest.warns(RuntimeWarning, match=text):
        report = gram_to_zarr(NET, x, tmp_path / "K", Y=np.ones((2, 3)))
    assert report.not_finite == (len(place), 0)
    found = np.isnan(zarr.open_group(str(tmp_path / "K"))["ntk"][:]).all(axis=1)
    assert sorted(np.flatnonzero(found)) == sorted(place)


def test_the_command_warns_in_words(tmp_path) -> None:
    np.save(tmp_path / "X.npy", np.array([[1.0, 2.0], [np.nan, 0.0]]))
    command = [sys.executable, "-m", "ntksym", "gram", NET, "X.npy", "--out", "K", "--json"]
    env = {**os.environ, "PYTHONPATH": str(Path(ntksym.__file__).parent.parent)}
    run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert run.stderr.startswith(
        "warning: X: 1 of 2 rows with NaN or infinity, the first is row 1:"
    )
    assert json.loads(run.stdout)["not_finite"] == [1]
