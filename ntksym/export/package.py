"""`--target package`: a pip-installable directory with everything that was generated for a kernel.

One extension module in CPython's stable ABI (NumPy ufuncs from the generated C), the NumPy version
beside it for machines without a wheel, JAX and PyTorch modules that load on use, a type marker, a
README with what is proven, tests.  Built by meson-python into one abi3 wheel.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Rational

from .. import __version__
from ..activation import Activation
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c.network import units as c_unit_network
from ..backends.c.ufunc import UfuncSpec, ufunc_file
from ..backends.numpy import network as numpy_network
from ..backends.numpy import unit_network as numpy_unit_network
from ..backends.text import filled
from ..backends.units import slope_said, unit_of
from ..errors import BadSpec, NoClosedForm, Undecided, UnsupportedOp, without_value
from ..language import as_activation
from ..language.write import in_decimals
from ..lower import lower_network
from ..network import Network, Recursion, recurse
from ..numeric.choice import Choice
from ..runtime.units.layers import Wanted
from ..runtime.units.network import needs_numeric, network_sources
from ..runtime.units.routes import chosen_unit
from .example import example
from .languages import ARRAY_TARGETS, array_made
from .made import Made
from .package_files import (
    FALLBACK,
    INIT,
    MESON,
    PYPROJECT,
    README,
    STUB,
    TESTS,
    TESTS_ARRAYS,
    TESTS_NETWORK,
    TESTS_NETWORK_ARRAYS,
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One dual of the package: its C and NumPy files, what is said of it, its error."""

    label: str
    c: SourceFile
    numpy: SourceFile
    notes: tuple[str, ...]
    error: float
    choice: Choice


@dataclass(frozen=True, slots=True)
class _How:
    """How the files say they were made, and how duals are chosen."""

    command: str
    variances: Any
    wanted: Wanted


def package_sources(thing: Any, name: str = "", **options: Any) -> tuple[SourceFile, ...]:
    """The files of `package_made`, which takes the same."""
    return package_made(thing, name, **options).files


def package_made(
    thing: Any,
    name: str = "",
    *,
    command: str = "ntksym.export(..., 'package')",
    variances: Any = None,
    values: dict[str, Any] | None = None,
    method: str = "auto",
    error: float | None = None,
) -> Made:
    """The files of the package; `SourceFile.name` has folders.

    Args:
        thing: a network, a recursion, an activation or its text.
        name: of the package; an identifier is made of it.
        command: how the head of the files says they were made.
        variances: for duals that are rules with a range.
        values: numbers for the parameters of an activation.
        method: of the duals, as in `ntksym.choose`.
        error: what is asked of the method.

    Raises:
        BadSpec: a parameter without a value, or `variances` is needed.
        NoClosedForm, Undecided: an activation has no dual with a bound.
    """
    how = _How(command, variances, Wanted(method, error))
    network = thing if isinstance(thing, (Network, Recursion)) else None
    if network is not None:
        recursion = network if isinstance(network, Recursion) else recurse(network)
        net = recursion.network
        blocks = tuple({(b.activation, b.values): b for b, _ in net.blocks}.values())
        package = _package_name(name or net.name or "network_kernel")
        pieces: list[_Piece] = []
        for block in blocks:
            label = f"dual{len(pieces)}" if len(blocks) > 1 else "dual"
            pieces.append(_piece(label, block.activation, dict(block.values), how))
        arrays, absent = _arrays(recursion, package, how)
        extra = _network_file(recursion, how)
        about = f"A network of {len(net.blocks)} hidden layers: " + ", ".join(
            f"s(x) = {in_decimals(b.activation.expr)}" for b in blocks
        )
        about += "."
    else:
        act = _bound(as_activation(thing), values or {})
        package = _package_name(name or f"{act.name or 'dual'}_kernel")
        pieces = [_piece("dual", act, {}, how)]
        arrays, absent = _arrays(act, package, how)
        extra = ()
        about = f"The dual activation of s(x) = {in_decimals(act.expr)}."
    tested = _tested(variances, None if network is None else net)
    modules = (*extra, *arrays)
    files = _assembled(package, tuple(pieces), modules, absent, about, network is not None, tested)
    whole = act if network is None else net
    numeric = needs_numeric(whole, method, variances)
    return Made(files, tuple(p.choice for p in pieces) if numeric else ())


def _package_name(text: str) -> str:
    """An importable name in small letters."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "kernel"
    if name[0].isdigit() or keyword.iskeyword(name):
        name = f"k_{name}"
    return name


def _bound(act: Activation, values: dict[str, Any]) -> Activation:
    """The activation with numbers for its parameters.

    Raises:
        BadSpec: one is missing.
    """
    if not act.params:
        return act
    if missing := [p.name for p in act.params if p.name not in values]:
        raise without_value(missing[0], act.name)
    numbers = {p: _number(values[p.name]) for p in act.params}
    return Activation(act.name, act.expr.xreplace(numbers), refs=act.refs)


def _number(value: Any) -> Expr:
    return value if isinstance(value, Expr) else Rational(str(value))


def _piece(label: str, act: Activation, given: dict[str, Any], how: _How) -> _Piece:
    wanted = how.wanted
    choice = chosen_unit(act, method=wanted.method, error=wanted.error, variances=how.variances)
    command = how.command
    unit = unit_of(choice.dual, given, almost_everywhere=False)
    formula = (f"nngp = E[s(u) s(v)], s(x) = {in_decimals(act.expr)}", slope_said(choice.dual, act))
    contract = Contract(command, formula, "see the README", tuple(act.refs), __version__)
    return _Piece(
        label,
        c_unit_network.dual_file(label, unit, contract),
        numpy_unit_network.dual_file(f"numpy_{label}", unit, contract),
        tuple(unit.notes),
        float(getattr(choice.dual, "error", None) or choice.error or 0.0),
        choice,
    )


def _arrays(thing: Any, package: str, how: _How) -> tuple[tuple[SourceFile, ...], str]:
    """The JAX and PyTorch modules; or none, and why."""
    made = []
    given = {"method": how.wanted.method, "error": how.wanted.error, "variances": how.variances}
    for target in ARRAY_TARGETS:
        try:
            (f,) = array_made(thing, target, package, how.command, **given).files
        except (BadSpec, NoClosedForm, Undecided, UnsupportedOp) as error:
            hint = f" ({error.hint})" if error.hint else ""
            return (), f"There are no JAX and PyTorch modules: {error.what}{hint}."
        made.append(SourceFile(f"{target}.py", f.text))
    return tuple(made), ""


def _network_file(recursion: Recursion, how: _How) -> tuple[SourceFile, ...]:
    """The network in NumPy; nothing where no layer code is as good as the duals (a jump)."""
    net, wanted = recursion.network, how.wanted
    if needs_numeric(net, wanted.method, how.variances):
        given: dict[str, Any] = {"wanted": wanted, "variances": how.variances}
        try:
            (made,), _ = network_sources(net, "network", how.command, "numpy", **given)
        except UnsupportedOp:
            return ()
        return (SourceFile("network.py", made.text),)
    contract = Contract(how.command, ("the NNGP kernel and the NTK of a network",))
    found = numpy_network.network_file(lower_network(recursion, "network"), contract)
    return (SourceFile("network.py", found.text),)


def _tested(variances: Any, network: Network | None) -> dict[str, str]:
    """Where the package's own tests look: variances of the duals, squares of the rows."""
    low, high, square = example(variances, network, 5)
    return {"@LOW@": repr(low), "@HIGH@": repr(high), "@SQUARE@": repr(square)}


def _assembled(
    package: str,
    pieces: tuple[_Piece, ...],
    modules: tuple[SourceFile, ...],
    absent: str,
    about: str,
    network: bool,
    tested: dict[str, str],
) -> tuple[SourceFile, ...]:
    """Every file, in a fixed order."""
    names = [n for p in pieces for n in (p.label, _diagonal(p.label))]
    specs = [
        UfuncSpec(f"ntksym_{p.label}", p.label, _diagonal(p.label), about.split(":")[0])
        for p in pieces
    ]
    targets = tuple(m.name.removesuffix(".py") for m in modules)
    marks = tested | {
        "@PACKAGE@": package,
        "@VERSION@": __version__,
        "@ABOUT@": about,
        "@NAMES@": ", ".join(names),
        "@ALL@": ", ".join(f'"{n}"' for n in sorted((*names, "COMPILED"))),
        "@LAZY@": ", ".join(f'"{t}"' for t in targets) + ("," if len(targets) == 1 else ""),
        "@ERROR@": repr(pieces[0].error),
        "@FIRST@": pieces[0].label,
        "@FIRSTDIAG@": _diagonal(pieces[0].label),
        "@C@": ", ".join(f"'src/{p.c.name}'" for p in pieces),
        "@PY@": ", ".join(
            f"'{package}/{n}'"
            for n in (
                "__init__.py",
                "__init__.pyi",
                "py.typed",
                "_numpy.py",
                *(p.numpy.name for p in pieces),
                *(m.name for m in modules),
            )
        ),
        "@CALL@": _CALL if "network" in targets else "",
        "@NOTES@": "\n\n".join("\n".join((f"{p.label}:", *p.notes)) for p in pieces),
        "@MODULES@": "".join(f"from . import {t} as {t}\n" for t in sorted(targets)) + "\n",
        "@ABSENT@": f"\n{absent}" if absent else "",
        "@TARGETS@": ", ".join(f"`{package}.{t}`" for t in targets) or "none",
    }

    def whole(text: str) -> str:
        return filled(text, marks)

    chosen = "".join(
        f"from .{p.numpy.name.removesuffix('.py')} import diagonal as _diagonal_{p.label}\n"
        f"from .{p.numpy.name.removesuffix('.py')} import dual as _{p.label}\n"
        for p in pieces
    )
    wrapped = "".join(
        f'{n} = _wrapped(_{n if n == p.label else "diagonal_" + p.label}, "{n}", {count})\n'
        for p in pieces
        for n, count in ((p.label, 3), (_diagonal(p.label), 1))
    )
    stub = "".join(f"{n}: ufunc\n" for n in names)
    tests = TESTS
    if "jax" in targets and not network:
        tests += TESTS_ARRAYS
    if "network" in targets:
        tests += TESTS_NETWORK + (TESTS_NETWORK_ARRAYS if "jax" in targets else "")
    texts = [
        ("pyproject.toml", whole(PYPROJECT)),
        ("meson.build", whole(MESON)),
        ("README.md", whole(README)),
        ("LICENSE", _licence()),
        (f"{package}/__init__.py", whole(INIT)),
        (f"{package}/__init__.pyi", whole(STUB) + stub),
        (f"{package}/py.typed", ""),
        (f"{package}/_numpy.py", whole(FALLBACK).replace("@IMPORTS@", chosen) + wrapped),
        ("src/ntksym.h", c_backend.support_file().text),
        ("src/_ufunc.c", ufunc_file("_ufunc", specs).text),
        ("tests/test_kernel.py", whole(tests)),
    ]
    texts += [(f"src/{p.c.name}", p.c.text) for p in pieces]
    texts += [(f"{package}/{p.numpy.name}", p.numpy.text) for p in pieces]
    texts += [(f"{package}/{m.name}", m.text) for m in modules]
    return tuple(SourceFile(n, t) for n, t in texts)


_CALL = "nngp, ntk = k.network.kernel(x)         # of the rows of x, by the whole network\n"


def _diagonal(label: str) -> str:
    return "diagonal" + label.removeprefix("dual")


def _licence() -> str:
    """The licence of generated files: MIT, as that of the generator."""
    from .package_files import LICENCE

    return LICENCE
