"""Certificates as files: what can be written, what is refused, and a checker on its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from certificate_cases import ROOT, E, replant, samples, setter
from click.testing import CliRunner

from ntksym.certificate import write
from ntksym.cli.check import work as judge
from ntksym.cli.outcome import View
from ntksym.cli.verify_certificate import work
from ntksym.errors import BadData, CannotWrite
from ntksym.replay import BadCertificate, parse, verify

# ---- files, the command, independence ------------------------------------------------------


def test_write_is_whole_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write(target, [samples()["relu"], samples()["sign slope"]])
    before = target.read_bytes()
    assert verify(parse(before)).ok
    write(target, [samples()["relu"], samples()["sign slope"]])
    assert target.read_bytes() == before and list(tmp_path.iterdir()) == [target]
    with pytest.raises(CannotWrite):
        write(tmp_path / "no" / "out.json", [])
    assert not verify({"schema": "ntksym/certificate/1", "certificates": []}).ok


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "UTF-8"),
        (b"[" * 10_000, "nested"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": 1.5}', "exact number"),
        (b'{"a": 1, "a": 2}', "repeated"),
        (b'{"a": ' + b"9" * 1_000_000 + b"}", "1000000 digits"),
        (b" " * 32_000_001, "bytes"),
    ],
)
def test_bad_files_are_named(raw: bytes, word: str) -> None:
    with pytest.raises(BadCertificate, match=word):
        parse(raw)


@pytest.mark.parametrize(
    "data", [None, 3, [], "x", {}, {"schema": 1}, {"schema": "ntksym/certificate/1"}]
)
def test_other_data_is_no_certificate(data: Any) -> None:
    assert not verify(data).ok


def test_hostile_expressions_end() -> None:
    tower: Any = ["rat", "9", "1"]
    for _ in range(40):
        tower = ["pow", ["rat", "9", "1"], tower]
    deep: Any = ["rat", "1", "1"]
    for _ in range(500):
        deep = ["exp", deep]
    wide = ["add", *[["rat", "1", "3"]] * 30_000]
    for tree in (tower, deep, wide, ["exp", ["exp", tower]], ["gamma", tower], ["sin", tower]):
        assert not verify(replant("relu", setter(("statement", "rhs"), lambda _, t=tree: t))).ok
        piece = setter(("statement", "expectations", 0, "f"), lambda _, t=tree: t)
        assert not verify(replant("relu", piece)).ok


def test_the_command_says_what_it_found(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write(target, [samples()["relu wrong"]])
    outcome = work({"file": str(target)}, View())
    assert outcome.status == 0 and outcome.payload["ok"]
    assert any("REFUTED" in text for _, text in outcome.lines)
    write(target, [replant("relu", setter((*E, "bits"), lambda b: 64))])
    assert work({"file": str(target)}, View()).status == 1
    target.write_text("{}")
    assert work({"file": str(target)}, View()).status == 1
    with pytest.raises(BadData, match="not a file of certificates"):
        work({"file": str(tmp_path / "none.json")}, View())


def test_a_place_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "absent" / "out.json"
    with pytest.raises(
        CannotWrite, match=r"out\.json cannot be written\n  there is no folder .*absent"
    ):
        write(place, [])
    with pytest.raises(CannotWrite, match="it is a folder"):
        write(tmp_path, [])
    # The command says so before it judges anything.
    monkeypatch.setattr("ntksym.check.check", None)
    given = {"n": None, "params": {}, "certificate": str(place)}
    given |= {"activation": "relu", "quantity": "diagonal", "formula": "q/2"}
    with pytest.raises(CannotWrite, match="there is no folder"):
        judge(defaultdict(str, given), View())
    assert list(tmp_path.iterdir()) == []


FILES = sorted((ROOT / "ntksym" / "replay").glob("*.py"))
ALLOWED = {"flint", "__future__", "bisect", "collections", "dataclasses", "fractions", "functools",
           "hashlib", "itertools", "json", "math", "pathlib", "sys", "typing"}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_the_checker_imports_nothing_of_the_producer(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {a.name.split(".")[0] for a in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or (
                node.level == 0 and (node.module or "").split(".")[0] in ALLOWED
            )
            assert node.level == 0 or node.module in {f.stem for f in FILES}


def test_the_checker_runs_where_sympy_cannot_be_imported(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write(target, [samples()["elu slope"], samples()["relu wrong"]])
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        top = name.split('.')\n"
        "        if top[0] in ('sympy', 'mpmath', 'numpy', 'scipy', 'lark') or (\n"
        "            top[0] == 'ntksym' and len(top) > 1 and top[1] != 'replay'):\n"
        "            raise ImportError('blocked: ' + name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from ntksym.replay.__main__ import main\n"
        f"sys.exit(main([{str(target)!r}]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "REFUTED" in run.stdout


def test_the_help_of_the_command() -> None:
    from ntksym.cli.verify_certificate import command

    shown = CliRunner().invoke(command, ["--help"])
    assert shown.exit_code == 0 and "is not replayed" in shown.output


@pytest.mark.parametrize(
    ("tree", "word"),
    [
        (("tanh", ("pow", ("add", ("sym", "x"), ("rat", 20, 1)), ("rat", 1, 2))), "real"),
        (("pow", ("add", ("sym", "x"), ("rat", 30, 1)), ("rat", -1, 1)), "denominator"),
        (("tanh", ("log", ("sym", "x"))), "logarithm"),
        (("atan", ("tan", ("sym", "x"))), "finite"),
        (("sin", ("asin", ("sym", "x"))), "asin"),
    ],
)
def test_a_function_that_is_not_real_or_finite_far_out_is_refused(tree: Any, word: str) -> None:
    from math import inf

    from ntksym.replay.growth import check_defined
    from ntksym.replay.problem import NotConfirmed

    with pytest.raises(NotConfirmed, match=word):
        check_defined(tree, (-inf, inf), {})
