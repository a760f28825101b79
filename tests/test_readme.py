"""The README tells the truth: its blocks run, and its outputs come out as printed."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ntksym.pipeline import STAGES

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SESSIONS = [body for kind, body in BLOCKS if kind == "console"]
CLAIMS = (ROOT / "derivations" / "claims.md").read_text()
PYTHON = [body for kind, body in BLOCKS if kind == "python"]


def commands() -> list[tuple[str, str]]:
    """(command, output) pairs of the console blocks that run ntksym."""
    found = []
    for body in SESSIONS:
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            line, _, output = part.partition("\n")
            if line.startswith("ntksym"):
                found.append((line, output.rstrip()))
    return found


def test_there_is_something_to_test() -> None:
    assert len(commands()) >= 3 and PYTHON


@pytest.mark.parametrize(("line", "output"), commands(), ids=lambda v: v[:40])
def test_command(
    line: str, output: str, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")  # the width of the sessions there
    run = call(*shlex.split(line)[1:])
    # a formula that `check` refutes is what that example shows
    assert run.exit_code == (1 if "REFUTED" in output else 0), run.stderr
    assert run.stdout.rstrip() == output


def test_the_file_of_claims(tmp_path: Path) -> None:
    import json

    (body,) = re.findall(r"^```toml\n(.*?)^```$", CLAIMS, re.MULTILINE | re.DOTALL)
    (tmp_path / "claims.toml").write_text(body, encoding="utf-8")
    argv = [sys.executable, "-m", "ntksym", "check", "claims.toml", "--json"]
    run = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 0, run.stderr
    verdicts = {c["id"]: c["verdict"] for c in json.loads(run.stdout)["claims"]}
    assert verdicts == dict.fromkeys(("williams1997", "two-layers", "he-gain"), "proved")


def test_the_page_of_claims_has_every_quantity_and_key() -> None:
    from ntksym.claims.claim import QUANTITIES
    from ntksym.claims.read import KEYS

    named = set(re.findall(r"`(\w+)", CLAIMS))
    assert set(QUANTITIES) | set(KEYS) <= named | {"id", "n"}


@pytest.mark.parametrize("body", PYTHON, ids=lambda b: b[:30].replace("\n", " "))
def test_python_block(body: str) -> None:
    """`>>>` lines are run; what follows them is their output."""
    import doctest

    example = doctest.DocTestParser().get_doctest(body, {}, "README", "README.md", 0)
    assert example.examples
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        result = runner.run(example)
    assert result.failed == 0, report.getvalue()


def stage_table() -> str:
    rows = ["| stage | where | in | out | contract |", "| --- | --- | --- | --- | --- |"]
    for s in STAGES:
        where = ", ".join(f"`{w}`" for w in s.where)
        rows.append(f"| {s.verb} | {where} | {s.takes} | {s.gives} | {s.contract} |")
    return "\n".join(rows)


def test_the_stage_table_is_that_of_the_pipeline() -> None:
    assert stage_table() in TEXT, "replace the table of the README by:\n" + stage_table()


def test_every_file_the_readme_names_exists() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / path).exists(), path


def test_what_the_page_for_contributors_names_is_there() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    assert page.count("\n") <= 80
    words = re.findall(r"`([^`\n]+)`", page)
    paths = {w for w in words if re.search(r"^[\w/.]+(\.py|\.toml|\.bib|/)$", w)}
    homes = [ROOT, ROOT / "ntksym", ROOT / "ntksym/network", ROOT / "ntksym/verify/functions"]
    files = {p: [h / p for h in (*homes, ROOT / "tests") if (h / p).exists()] for p in paths}
    assert len(files) > 30 and not [p for p, found in files.items() if not found]
    there = [f for found in files.values() for f in found]
    texts = [
        g.read_text() for f in there for g in (f.glob("*.py") if f.is_dir() else [f]) if g.is_file()
    ]
    named = {w for w in words if re.fullmatch(r"_?[A-Z]\w+", w)}
    assert len(named) > 10 and not [
        w for w in named if not any(re.search(rf"\b{w}\b", t) for t in texts)
    ]
