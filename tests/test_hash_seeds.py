"""Texts, programs, code and numbers are the same under every hash seed: one process for each seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ("0", "2", "77")
PIECES = {
    "programs": r"""
from tests.test_lower import SAMPLES, program
for e in SAMPLES.values():
    print(program(e))
""",
    "code": r"""
from ntksym.backends.c import backend as c
from ntksym.backends.numpy import backend as numpy
from tests.test_lower import SAMPLES, program
for p in map(program, SAMPLES.values()):
    print(c.loop(p, "f", ("q11", "q12", "q22")), numpy.function(p, "f", "x"))
    print(numpy.helpers(numpy.used_helpers((p,))))
""",
    "text": r"""
from ntksym.language import parse, to_text
print(to_text(parse("max(x, b*sin(a*x), a) + elu(c*x, d) - abs(f - x)*h/(x*x + k)")))
print(to_text(parse("piecewise((a, (x < a) | (x > b)), (b*c, x < d), (0, True))")))
""",
    "latex": r"""
from ntksym.errors import NtksymError
from ntksym.latex import read_latex
print(read_latex(r"\sigma_w^2 e^x \Sigma_{12} a(b+c) (x)_+"))
for s in (r"\sinn x", r"\operatorname{ref}(x)", r"\begin{case}"):
    try:
        read_latex(s)
    except NtksymError as e:
        print(e)
""",
    "nodes": r"""
from ntksym.numeric.nodes import mixture
print(hash(mixture(6).weights), mixture(6))
""",
}
EXPECTED = {
    "programs": "rootdet",
    "code": "double",
    "text": "Piecewise",
    "latex": "did you mean",
    "nodes": "weights",
}
MARK = "-- {} --"


@pytest.fixture(scope="module")
def outputs() -> list[dict[str, str]]:
    """What every piece prints, for each seed."""
    code = "".join(f"print({MARK.format(k)!r})\n{piece}" for k, piece in PIECES.items())
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in SEEDS
    ]
    found = []
    for process in processes:
        text = process.communicate()[0]
        assert process.returncode == 0
        parts = {}
        for name in PIECES:
            _, _, rest = text.partition(MARK.format(name) + "\n")
            parts[name] = rest.partition("\n-- ")[0]
        found.append(parts)
    return found


@pytest.mark.parametrize("piece", PIECES)
def test_the_hash_seed_changes_nothing(piece: str, outputs: list[dict[str, str]]) -> None:
    texts = {parts[piece] for parts in outputs}
    assert len(texts) == 1 and EXPECTED[piece] in texts.pop()
