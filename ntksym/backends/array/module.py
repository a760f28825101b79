"""What the JAX and the PyTorch backend share: programs as functions of arrays, with derivatives.

The generated `dual` has its derivatives in closed form (`gradients`), not by tracing: they are
finite where the limits are.  On the diagonal of a kinked activation, where the derivative of `dot`
in q12 is infinite, the mean of its two one-sided limits in the angle is taken, as autodiff users
expect of |x| at 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from sympy import Expr, Rational

from ...derivation import Derivation
from ...errors import UnsupportedOp
from ...gradients import ENTRIES, DualGradients
from ...lower.build import Builder
from ...lower.edge import edge_form
from ...lower.kernel import REQUIRES_PAIR, lower_dual, lower_dual_diag
from ...lower.program import Program
from ...lower.settled import Settled
from .._base import SourceFile, Spelled, comment, identifier, spell_program
from ..c.backend import Contract, contract_lines
from ..text import filled
from .helpers import SPELL, array_helpers, helper_names
from .together import together


@dataclass(frozen=True, slots=True)
class ArrayBackend:
    """A target whose modules share their helpers: JAX or PyTorch."""

    name: str
    preamble: str
    suffix: str = ".py"
    spell: dict[str, str] = field(default_factory=lambda: dict(SPELL))
    units: str = ""
    """What units need beside the preamble."""
    polynomials: str = ""
    """How tables are evaluated."""
    sums: str = ""
    """What sums of Chebyshev polynomials need."""
    network: str = ""
    """What networks need beside the preamble: products of rows, a choice of entries."""
    loops: str = ""
    """How equal layers are repeated."""
    host: str = ""
    """How NumPy is called, which integrates duals where their closed form cancels."""
    compiled: str = ""
    """The line before a public function that has it compiled once, not in every call."""
    together: bool = False
    """Whether calls of one long function are joined: modules are compiled whole."""

    def literal(self, value: Fraction | float) -> str:
        """The shortest decimal that reads back to the same double."""
        v = float(value)
        if v != v or v in (float("inf"), float("-inf")):
            return "_INF" if v > 0 else "(-_INF)"
        return f"({v!r})" if v < 0 else repr(v)


def function(p: Program, name: str, backend: ArrayBackend, doc: str = "") -> str:
    """`def name(inputs): ... return (outputs,)`.

    Raises:
        UnsupportedOp: an operation that the target cannot spell (2F1 of parameters).
    """
    s = spell_program(p, backend)
    text = f"def {name}({', '.join(s.inputs)}):\n"
    text += f'    """{comment(doc)}"""\n' if doc else ""
    notes = dict(s.constants)
    lines = _used(s)
    for line, value in together(lines) if backend.together else lines:
        found = [f for literal, f in notes.items() if literal in value and len(literal) > 8]
        remark = f"  # {comment('; '.join(found))}" if found else ""
        text += f"    {line} = {value}{remark}\n"
    shown = ", ".join(value for _, value in s.outputs)
    return (
        text + f"    return ({shown},)\n" if len(s.outputs) == 1 else text + f"    return {shown}\n"
    )


def _used(s: Spelled) -> tuple[tuple[str, str], ...]:
    """The lines that some output needs: a spelling may ignore an operand."""
    needed = set(re.findall(r"\w+", " ".join(value for _, value in s.outputs)))
    kept: list[tuple[str, str]] = []
    for line, value in reversed(s.lines):
        if line in needed:
            kept.append((line, value))
            needed.update(re.findall(r"\w+", value))
    return tuple(reversed(kept))


def module(
    backend: ArrayBackend,
    contract: Contract,
    programs: tuple[Program, ...],
    body: str,
    also: frozenset[str] = frozenset(),
) -> str:
    """Head, preamble, the helpers that are called, and the body."""
    lines = (line.replace('"""', "'''") for line in contract_lines(contract, programs))
    head = '"""' + "\n".join(lines) + '\n"""\n'
    body = body.replace("@COMPILED@", backend.compiled)
    called = frozenset(re.findall(r"\b_\w+", body)) & helper_names()
    first = backend.preamble.strip("\n").split("\n")
    if "np.asarray" in body:  # rules on the host
        start = first.index(f"import {backend.name}")
        end = next(k for k in range(start, len(first)) if not first[k].startswith("import "))
        first[start:end] = sorted([*first[start:end], "import numpy as np"])
    pieces = head + "\n" + "\n".join(first), array_helpers(called | also), body.strip("\n")
    return "\n\n\n".join(pieces) + "\n"


def dual_file(
    name: str,
    given: DualGradients,
    contract: Contract,
    backend: ArrayBackend,
    extra: str,
    settled: Settled | None = None,
) -> SourceFile:
    """The module of a dual: `dual(q11, q12, q22, ...)` and `diagonal(q, ...)`, differentiable.

    `settled`: values whose differences are its slopes at large variances.

    Raises:
        UnsupportedOp: an operation that the target cannot spell, or a parameter in which there is
            no closed-form derivative.
    """
    if given.left_out:
        raise UnsupportedOp(
            f"no closed form for the derivative in {given.left_out[0]!r}",
            hint=f"a number for {given.left_out[0]}",
        )
    safe = identifier(name, set()).rstrip("_")
    pair, diag = lower_dual(given.dual), lower_dual_diag(given.dual)
    slopes, programs = _partials(given, backend, settled is not None)
    own = given.diag_program()
    from .scales import scale_functions, with_scales  # which take `function` from here
    from .settled import settled_dual_text

    spelled = spell_program(_widened(pair, given.names), backend)
    names, whole = spelled.inputs, with_scales(backend)
    scales = scale_functions((pair, diag), backend, {"_dual": settled} if settled else {})
    params = names[3:]
    at = {
        "@PARAMS@": "".join(f", {p}" for p in params),
        "@ONLY@": ", ".join(params),
        "@NAME@": safe,
    }
    pieces = [
        *([backend.network, *scales] if scales else ()),
        function(_widened(pair, given.names), "_value", whole, "nngp and dot."),
        *([settled_dual_text("_dual", settled)] if settled else ()),
        *slopes,
        function(_widened(diag, given.names, 1), "_diagonal_value", whole, "The same, u = v."),
        function(only(own, ("nngp_q", *_of(given, "nngp"))), "_diagonal_nngp", backend),
        function(only(own, ("dot_q", *_of(given, "dot"))), "_diagonal_dot", backend),
        _SAME_FAR if settled else _SAME,
        _PUBLIC,
        extra,
    ]
    body = "\n\n".join(piece.strip("\n") + "\n" for piece in pieces)
    body = filled(body, at)
    programs = (pair, diag, *programs, own)
    text = module(backend, contract, programs, body, frozenset({"_rootdet"}))
    return SourceFile(f"{safe}.py", text)


def _of(given: DualGradients, label: str) -> tuple[str, ...]:
    return tuple(f"{label}_{p.wrt}" for p in given.params)


def _widened(p: Program, names: tuple[str, ...], fixed: int = 3) -> Program:
    """The program with every parameter of the activation among its inputs."""
    args = (*p.args[:fixed], *names)
    return Program(p.name, args, p.body, p.outputs, p.requires, p.computes)


def only(p: Program, outputs: tuple[str, ...]) -> Program:
    """The program with some of its outputs, and the lines they need."""
    from ...lower.program import live

    kept = tuple((k, dict(p.outputs)[k]) for k in outputs)
    return Program(p.name, p.args, live(p.body, kept), kept, p.requires, p.computes)


def singular(given: DualGradients) -> tuple[bool, bool]:
    """Whether derivatives in q12 at rho = +-1 are infinite: of nngp (jumps), of dot (kinks)."""
    d = given.dual.derivation
    if isinstance(d, Derivation):
        jumps = d.jumps and given.sense == "distributional"
        return jumps, d.jumps or bool(d.slope[0].derivative()[1])
    power = _power(given.dual.diag)
    if power is None:
        return True, True
    return bool(power <= Rational(1, 2)), bool(power <= Rational(3, 2))


def _power(diag: Expr) -> Expr | None:
    from ...symbols import q

    _, rest = diag.as_independent(q, as_Add=False)
    base, exponent = rest.as_base_exp()
    return exponent if base == q and exponent.is_number else None


def _partials(
    given: DualGradients, backend: ArrayBackend, settled: bool
) -> tuple[list[str], tuple[Program, ...]]:
    """The functions `_slopes`, `_bends`, `_turns`, and `_partials` that chooses among them.

    `settled`: those at large variances are other ones (`array.settled`).
    """
    jumps, kinks = singular(given)
    cartesian = dict(zip(ENTRIES, given.entries, strict=True))
    polar = {p.wrt: p for p in given.polar}
    regular: list[tuple[str, Expr]] = []
    steep: list[tuple[str, Expr]] = []
    turned: list[tuple[str, Expr]] = []
    for label, infinite in (("nngp", jumps), ("dot", kinks)):
        rows = [(f"{label}_{v}", getattr(cartesian[v], label)) for v in ENTRIES]
        if label == "nngp":
            del rows[1]  # it is dot
        (steep if infinite else regular).extend(rows)
        own = [(f"{label}_{p.wrt}", getattr(p, label)) for p in given.params]
        (steep if label == "dot" and jumps else regular).extend(own)
        if infinite:
            turned += [(f"{label}_{v}", getattr(polar[v], label)) for v in ("q11", "q22")]
    programs = []
    texts = []
    shown = (*ENTRIES, *(spell_program(_empty(given.names), backend).inputs[3:]))
    call = ", ".join(shown)
    text = f"def _partials({call}):\n    nngp, dot = _dual({call})\n"
    for name, rows, at in (
        ("_slopes", regular, call),
        ("_bends", steep, ", ".join(("*away", *shown[3:]))),
        ("_turns", turned, call),
    ):
        if not rows:
            continue
        b = Builder((*ENTRIES, *given.names))
        outputs = tuple((k, b.operand(edge_form(e))) for k, e in rows)
        programs.append(b.program(name.strip("_"), outputs, REQUIRES_PAIR, ""))
        texts.append(function(programs[-1], name, backend))
        if name == "_bends":
            text += f"    edge = _rootdet({', '.join(ENTRIES)}) == 0.0\n"
            text += "    away = _where(edge, 1.0, q11), _where(edge, 0.0, q12), "
            text += "_where(edge, 1.0, q22)\n"
        targets = ", ".join(k if name != "_turns" else f"{k}_edge" for k, _ in rows)
        text += f"    {targets}{',' if len(rows) == 1 else ''} = {name}({at})\n"
    edges = {k for k, _ in turned}
    for k, _ in steep:
        at_edge = f"{k}_edge" if k in edges else "0.0"
        if jumps and k in edges and k.startswith("dot"):  # a row of zeros: dot is 0 there
            at_edge = f"_where(q12 == 0.0, 0.0, {at_edge})"
        text += f"    {k} = _where(edge, {at_edge}, {k})\n"
    if jumps:  # dot itself is infinite there
        text += "    dot = _where(edge, 0.0, dot)\n"
    own_nngp, own_dot = (", ".join(_of(given, label)) for label in ("nngp", "dot"))
    if settled:
        names = ["nngp_q11", "nngp_q22", "dot_q11", "dot_q12", "dot_q22"]
        names += [f"{k}_{p.wrt}" for p in given.params for k in ("nngp", "dot")]
        listed = ", ".join(names)
        text += f"    closed = {listed}\n    {listed} = _dual_far(closed, dot, {call})\n"
    tail = ", " if own_nngp else ""
    text += f"    of_nngp = nngp_q11, dot, nngp_q22{tail}{own_nngp}\n"
    text += f"    of_dot = dot_q11, dot_q12, dot_q22{tail}{own_dot}\n"
    return [*texts, text + "    return of_nngp, of_dot\n"], tuple(programs)


def _empty(names: tuple[str, ...]) -> Program:
    return Program("inputs", (*ENTRIES, *names), (), (("nngp", 0),))


_SAME = """
def _diagonal_partials(q@PARAMS@):
    return _diagonal_nngp(q@PARAMS@), _diagonal_dot(q@PARAMS@)
"""

_SAME_FAR = """
def _diagonal_partials(q@PARAMS@):
    return _dual_same(_diagonal_nngp(q@PARAMS@), _diagonal_dot(q@PARAMS@), q@PARAMS@)
"""

_PUBLIC = '''
_dual = _pair_rule(_in_doubles(_value), _in_doubles(_partials))


_diagonal = _pair_rule(_in_doubles(_diagonal_value), _in_doubles(_diagonal_partials))


@COMPILED@def dual(q11, q12, q22@PARAMS@):
    """The pair (nngp, dot); arrays broadcast.  NaN for a negative variance.

    Derivatives of both in every argument are closed forms.  Half precision counts as float32,
    which is computed in doubles and rounded.
    """
    q11, q12, q22 = _arrays(q11, q12, q22)
    nngp, dot = _dual(q11, q12, q22@PARAMS@)
    nil = _where((q11 >= 0.0) & (q22 >= 0.0) & (q12 == q12), 0.0, float("nan"))
    return nngp + nil, dot + nil


@COMPILED@def diagonal(q@PARAMS@):
    """The pair (nngp, dot) for u = v of variance q."""
    (q,) = _arrays(q)
    nngp, dot = _diagonal(q@PARAMS@)
    nil = _where(q >= 0.0, 0.0, float("nan"))
    return nngp + nil, dot + nil
'''
