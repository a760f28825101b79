"""The rules of the house, as tests: order of stages, banned names, file sizes, docstrings."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ntksym.pipeline import SHARED, STAGES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "ntksym"
FILES = sorted(PACKAGE.rglob("*.py"))
BANNED = {
    "simplify", "nsimplify", "integrate", "limit", "solve", "solveset", "cse", "lambdify",
    "sympify", "parse_expr", "evalf", "eval", "exec", "pickle", "loads_pickle",
}  # fmt: skip
ORDER = {name: i for i, stage in enumerate(STAGES, start=1) for name in stage.where}
ORDER |= dict.fromkeys(SHARED, 0)
ANYWHERE = {"__init__", "__main__", "__version__", "pipeline"}


def imported(tree: ast.Module, path: Path) -> set[str]:
    """Top-level parts of ntksym that a file imports, relative imports resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                full = (*base, *((node.module or "").split(".") if node.module else ()))
                names = [full] if node.module else [(*base, a.name) for a in node.names]
            else:
                names = [tuple((node.module or "").split("."))]
        elif isinstance(node, ast.Import):
            names = [tuple(a.name.split(".")) for a in node.names]
        else:
            continue
        found |= {n[1] for n in names if len(n) > 1 and n[0] == "ntksym"}
    return found


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_from_later_stages_to_earlier_ones(path: Path) -> None:
    own = part(path)
    if own in ANYWHERE:
        return
    assert own in ORDER, f"{own} belongs to no stage of pipeline.STAGES"
    tree = ast.parse(path.read_text())
    for other in imported(tree, path) - ANYWHERE:
        assert ORDER[other] <= ORDER[own], f"{path}: {own} imports {other}, a later stage"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_sympy_is_notation_not_engine(path: Path) -> None:
    tree = ast.parse(path.read_text())
    used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    used |= {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    used |= {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    used |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not used & BANNED


def test_the_ban_can_fail() -> None:
    tree = ast.parse("from sympy import simplify")
    assert {
        a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names
    } & BANNED


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_one_idea_per_file(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says its idea"
    broad = [
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.ExceptHandler)
        and (n.type is None or (isinstance(n.type, ast.Name) and n.type.id == "Exception"))
    ]
    assert not broad, f"a broad except hides causes: lines {broad}"


def test_import_is_light() -> None:
    code = (
        "import ntksym, sys; "
        "sys.exit(bool({'sympy', 'numpy', 'scipy', 'flint', 'jax', 'torch', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_light_import_check_can_fail() -> None:
    code = "import sympy, sys; sys.exit(bool({'sympy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


def test_everything_public_is_importable() -> None:
    import ntksym

    for name in ntksym.__all__:
        assert getattr(ntksym, name) is not None
        assert (getattr(ntksym, name).__doc__ or "").strip(), f"{name} has no docstring"
    assert set(ntksym.__all__) <= set(dir(ntksym))


def test_text_never_names_a_path_of_the_machine() -> None:
    for path in [*FILES, *sorted((ROOT / "tests").rglob("*.py"))]:
        assert "/work/" + "main" not in path.read_text()


def test_the_pipeline_function_is_the_pipeline() -> None:
    import ntksym
    from ntksym.pipeline import kernel_programs

    schedule = kernel_programs(ntksym.mlp("gelu", depth=3))
    assert len(schedule.steps) == 3 and len(schedule.kinds) == 1  # depth is a loop
    kinds = {w for stage in STAGES for w in stage.where} | set(SHARED)
    assert {part(p) for p in FILES} - ANYWHERE <= kinds
