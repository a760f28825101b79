"""The rules of the house, as tests: order of stages, banned names, file sizes, docstrings."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conftest import USUAL

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


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask of a file, so that it is parsed and walked once and not once a rule."""

    lines: int
    documented: bool
    parts: frozenset[str]
    names: frozenset[str]
    private: frozenset[str]
    broad: tuple[int, ...]
    unhelpful: tuple[int, ...]


@cache
def facts(path: Path) -> Facts:
    """The facts of a file; its tree is not kept."""
    text = path.read_text()
    tree = ast.parse(text)
    nodes = tuple(ast.walk(tree))
    return Facts(
        lines=len(text.splitlines()),
        documented=bool(ast.get_docstring(tree)),
        parts=frozenset(imported(nodes, path)),
        names=frozenset(used(nodes)),
        private=frozenset(taken(nodes)),
        broad=broad(nodes),
        unhelpful=unhelpful(nodes),
    )


def imported(nodes: Sequence[ast.AST], path: Path) -> set[str]:
    """Top-level parts of ntksym that a file imports, relative imports resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = set()
    for node in nodes:
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


def taken(nodes: Sequence[ast.AST]) -> set[str]:
    """Private names that a file imports from other files of the package."""
    return {
        a.name
        for n in nodes
        if isinstance(n, ast.ImportFrom) and (n.level or (n.module or "").startswith("ntksym"))
        for a in n.names
        if a.name.startswith("_") and not a.name.startswith("__")
    }


def used(nodes: Sequence[ast.AST]) -> set[str]:
    """Names that a file imports, calls or reads as attributes."""
    found = set()
    for n in nodes:
        if isinstance(n, ast.Attribute):
            found.add(n.attr)
        elif isinstance(n, ast.Call) and isinstance(n.func, ast.Name):
            found.add(n.func.id)
        elif isinstance(n, ast.ImportFrom | ast.Import):
            found |= {a.name for a in n.names}
    return found


def broad(nodes: Sequence[ast.AST]) -> tuple[int, ...]:
    """Lines of handlers that take every exception."""
    return tuple(
        n.lineno
        for n in nodes
        if isinstance(n, ast.ExceptHandler)
        and (n.type is None or (isinstance(n.type, ast.Name) and n.type.id == "Exception"))
    )


MENDABLE = {"BadSpec", "BadData", "BadCovariance", "CannotWrite", "MissingExtra"}
"""Errors that whoever called can do something about."""


def unhelpful(nodes: Sequence[ast.AST]) -> tuple[int, ...]:
    """Lines that raise one of them and do not say what to do."""
    return tuple(
        n.lineno
        for n in nodes
        if isinstance(n, ast.Raise)
        and isinstance(n.exc, ast.Call)
        and isinstance(n.exc.func, ast.Name)
        and n.exc.func.id in MENDABLE
        and not any(k.arg in ("hint", None) for k in n.exc.keywords)
    )


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def earlier(own: str) -> set[str]:
    """The parts that one of this stage may import."""
    return {other for other, stage in ORDER.items() if stage <= ORDER[own]}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_imports_run_from_later_stages_to_earlier_ones() -> None:
    files = [p for p in FILES if part(p) not in ANYWHERE]
    assert not {part(p) for p in files} - ORDER.keys(), "of no stage of pipeline.STAGES"
    late = {name(p): facts(p).parts - ANYWHERE - earlier(part(p)) for p in files}
    assert not {k: v for k, v in late.items() if v}, "imports of a later stage"


def test_sympy_is_notation_not_engine() -> None:
    banned = {name(p): facts(p).names & BANNED for p in FILES}
    assert not {k: v for k, v in banned.items() if v}


def test_tests_are_short_too() -> None:
    tests = Path(__file__).parent.glob("*.py")
    assert not [p.name for p in tests if len(p.read_text(encoding="utf-8").splitlines()) >= 400]


def test_files_with_the_usual_flags_of_c_are_there() -> None:
    tests = Path(__file__).parent
    assert not {name for name in USUAL if not (tests / f"test_{name}.py").exists()}


def test_the_ban_can_fail() -> None:
    for text in ("from sympy import simplify", "a.evalf()", "simplify(a)", "import pickle"):
        assert used(tuple(ast.walk(ast.parse(text)))) & BANNED, text
    assert taken(tuple(ast.walk(ast.parse("from .a import b, _c")))) == {"_c"}
    for text in ("try: f()\nexcept: g()", "try: f()\nexcept Exception: g()"):
        assert broad(tuple(ast.walk(ast.parse(text)))) == (2,), text
    for text, lines in (("raise BadSpec('no')", (1,)), ("raise BadSpec('no', hint='yes')", ())):
        assert unhelpful(tuple(ast.walk(ast.parse(text)))) == lines, text


def test_one_idea_per_file() -> None:
    found = {name(p): facts(p) for p in FILES}
    assert not [k for k, f in found.items() if f.lines >= 400], "too long"
    assert not [k for k, f in found.items() if not f.documented], "a module says its idea"
    assert not {k: f.private for k, f in found.items() if f.private}, "private to another file"
    assert not {k: f.broad for k, f in found.items() if f.broad}, "a broad except hides causes"
    silent = {k: f.unhelpful for k, f in found.items() if f.unhelpful}
    assert not silent, "what to do is not said"


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


def test_modules_behind_functions_are_found() -> None:
    """`ntksym.export` is a function, and the package that it is in has modules."""
    import ntksym.check.judgement as judgement
    import ntksym.collapse.fit as fit
    import ntksym.export.manifest as manifest
    import ntksym.export.measure as measure

    found = [m.__name__ for m in (judgement, fit, manifest, measure)]
    assert found == [
        f"ntksym.{k}"
        for k in ("check.judgement", "collapse.fit", "export.manifest", "export.measure")
    ]
    import ntksym

    assert all(callable(f) for f in (ntksym.check, ntksym.collapse, ntksym.export))


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
