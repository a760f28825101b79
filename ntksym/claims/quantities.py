"""The definition of each quantity: expectations, and an expression in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from sympy import Add, Expr, Integer, Mul, Symbol, factorial, sqrt

from ..activations.polynomials import hermite_polynomial
from ..errors import BadSpec
from ..functions import slope_off_jumps
from ..symbols import bias_var, m, m1, m2, q, q11, q12, q22, u, v, weight_var, x
from .binding import Binding, rho
from .claim import Claim
from .expectation import Expectation, Gaussians, expectations, pair, z
from .scope import Scope


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition: see `Statement`."""

    lhs: Expr
    expectations: tuple[tuple[Symbol, Expectation], ...]
    text: str
    latex: str
    lets: tuple[tuple[Symbol, Expr], ...] = ()


@dataclass(slots=True)
class _Collected:
    """Expectations met so far, each with its placeholder."""

    found: dict[Expectation, Symbol] = field(default_factory=dict)

    def name(self, e: Expectation) -> Symbol:
        """The placeholder of an expectation."""
        return self.found.setdefault(e, Symbol(f"E_{len(self.found) + 1}", real=True))

    def expect(self, law: Gaussians) -> Callable[[Expr], Expr]:
        """E[...] under a law, as an expression in placeholders."""

        def value(integrand: Expr) -> Expr:
            return Add(
                *(Mul(c, *(self.name(e) for e in es)) for c, es in expectations(integrand, law))
            )

        return value

    @property
    def pairs(self) -> tuple[tuple[Symbol, Expectation], ...]:
        """(placeholder, expectation), in order."""
        return tuple((s, e) for e, s in self.found.items())


Meaning = Callable[[Claim, Binding, str, Expr], Definition]


def _functions(b: Binding) -> tuple[Expr, Expr]:
    if b.f is None or b.g is None:
        raise BadSpec("a function of u or of v is missing", hint='f = "x", g = "sign(x)"')
    return b.f, b.g


def _means(claim: Claim, b: Binding, rhs: Expr) -> tuple[Expr, Expr]:
    """Means (m1, m2) where the formula speaks of them and the functions do not."""
    used = rhs.free_symbols & {m1, m2}
    inside: set[Symbol] = set()
    for f in (b.f, b.g):
        inside |= set() if f is None else f.free_symbols
    if used and not inside & {m1, m2}:
        return m1, m2
    return Integer(0), Integer(0)


def _pair_value(law: tuple[Expr, Expr, Expr], text: str, latex: str) -> Meaning:
    def meaning(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
        f, g = _functions(b)
        means = _means(claim, b, rhs)
        e = Expectation(f, g, (*means, *law))
        found = _Collected()
        return Definition(found.name(e), found.pairs, text, latex)

    return meaning


def _layer(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    """Sigma after a nonlinearity and a dense layer, in Sigma = (q11, q12, q22) before them."""
    f, g = _functions(b)
    found = _Collected()
    both = found.name(Expectation(f, g, (Integer(0), Integer(0), *_PAIR)))
    text = "weight_var E[s(u) s(v)] + bias_var"
    latex = r"\sigma_w^2 E[\sigma(u)\,\sigma(v)] + \sigma_b^2"
    return Definition(weight_var * both + bias_var, found.pairs, text, latex)


def _derivative(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    f, g = _functions(b)
    jumps = "ae" if claim.derivative == "almost_everywhere" else "distributional"
    e = Expectation(f, g, (*_means(claim, b, rhs), q11, q12, q22), True, jumps)
    found = _Collected()
    return Definition(found.name(e), found.pairs, "E[s'(u) s'(v)]", r"E[\sigma'(u)\,\sigma'(v)]")


def _single(power: int, text: str, latex: str, *, centred: bool = False) -> Meaning:
    def meaning(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
        f, _ = _functions(b)
        found = _Collected()
        law = (Integer(0) if centred else _mean(b, rhs), q)
        words = f"{text}, u ~ N({law[0]}, q)"
        return Definition(found.name(Expectation(f**power, None, law)), found.pairs, words, latex)

    return meaning


def _mean(b: Binding, rhs: Expr) -> Expr:
    """The mean m where the formula or a condition speaks of it, and the function does not."""
    spoken = rhs.has(m) or any(c.symbol == m for c in b.conditions)
    inside = b.f is not None and b.f.has(m)
    return m if spoken and not inside else Integer(0)


def _variance(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    f, _ = _functions(b)
    found = _Collected()
    mean = _mean(b, rhs)
    second, first = (found.name(Expectation(f**n, None, (mean, q))) for n in (2, 1))
    text = f"E[s(u)^2] - E[s(u)]^2, u ~ N({mean}, q)"
    return Definition(second - first**2, found.pairs, text, r"\mathrm{Var}\,\sigma(u)")


def _covariance(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    f, g = _functions(b)
    means = _means(claim, b, rhs)
    found = _Collected()
    both = found.name(Expectation(f, g, (*means, q11, q12, q22)))
    one = found.name(Expectation(f, None, (means[0], q11)))
    two = found.name(Expectation(g, None, (means[1], q22)))
    text = "E[s(u) s(v)] - E[s(u)] E[s(v)]"
    return Definition(both - one * two, found.pairs, text, r"\mathrm{Cov}(\sigma(u),\,\sigma(v))")


def _hermite(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    if claim.n is None:
        raise BadSpec("a claim of quantity hermite needs n, or n in its formula", hint="n = 3")
    if not 0 <= claim.n <= 64:
        raise BadSpec(f"n = {claim.n}", hint="0 to 64")
    f, _ = _functions(b)
    found = _Collected()
    spread = sqrt(q) if q in rhs.free_symbols else Integer(1)
    scaled = f.subs(x, spread * x) if spread != 1 else f
    e = Expectation(scaled * hermite_polynomial(claim.n, x), None, (Integer(0), Integer(1)))
    text = f"a_{claim.n} = E[s({'sqrt(q) ' if spread != 1 else ''}z) He_{claim.n}(z)]"
    return Definition(
        found.name(e) / sqrt(factorial(claim.n)),
        found.pairs,
        f"{text}/sqrt({claim.n}!)",
        rf"a_{{{claim.n}}} = E[\sigma(z)\,\mathrm{{He}}_{{{claim.n}}}(z)]/\sqrt{{{claim.n}!}}",
    )


def _gradient(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    """The score of the Gaussian density: d/dQ E[F] = E[F d log p/dQ], polynomial times F."""
    f, g = _functions(b)
    by = b.names.get(claim.by)
    det = q11 * q22 - q12**2
    first, second = q22 * u - q12 * v, q11 * v - q12 * u
    scores = {
        q11: (first**2 / det**2 - q22 / det) / 2,
        q22: (second**2 / det**2 - q11 / det) / 2,
        q12: first * second / det**2 + q12 / det,
    }
    if by not in scores:
        raise BadSpec(
            f"a gradient by {claim.by!r}" if claim.by else "a gradient by which variable?",
            hint='by = "q11", "q12" or "q22"',
        )
    law = pair(q11, q12, q22, *_means(claim, b, rhs))
    if law.means[u] != 0:
        raise BadSpec("a gradient of a kernel with means is not supported", hint="means zero")
    found = _Collected()
    lhs = found.expect(law)(scores[by].expand() * f.xreplace({x: u}) * g.xreplace({x: v}))
    return Definition(
        lhs, found.pairs, f"d E[s(u) s(v)] / d {by}",
        rf"\frac{{\partial}}{{\partial {_tex(by)}}} E[\sigma(u)\,\sigma(v)]",
    )  # fmt: skip


def _tex(symbol: Symbol) -> str:
    return f"{symbol.name[0]}_{{{symbol.name[1:]}}}"


def _fixed_point(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    f, _ = _functions(b)
    found = _Collected()
    second = _second_moment(found, f, rhs)
    text = "weight_var E[s(u)^2] + bias_var, u ~ N(0, formula)"
    latex = r"\sigma_w^2 E[\sigma(\sqrt{q}\,z)^2] + \sigma_b^2"
    return Definition(weight_var * second + bias_var, found.pairs, text, latex)


def _second_moment(found: _Collected, f: Expr, variance: Expr) -> Expr:
    """E[f(u)^2], u ~ N(0, variance), with the variance inside f unless it is a symbol or number."""
    if variance.is_Symbol or variance.is_Rational:
        return found.name(Expectation(f**2, None, (Integer(0), variance)))
    scaled = f.subs(x, sqrt(variance) * x)
    return found.name(Expectation(scaled**2, None, (Integer(0), Integer(1))))


def _edge(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    """weight_var = 1/E[s'^2] and bias_var = q - weight_var E[s^2] at the variance q."""
    f, _ = _functions(b)
    found = _Collected()
    slope = found.name(Expectation(f, f, (Integer(0), Integer(0), q, q, q), True, "ae"))
    names = {"": "weight_var", "sw2": "weight_var", "sb2": "bias_var"}
    wanted = names.get(part, part)
    if wanted == "weight_var":
        text = "weight_var = 1/E[s'(u)^2], u ~ N(0, q)"
        return Definition(1 / slope, found.pairs, text, r"\sigma_w^2 = 1/E[\sigma'(u)^2]")
    if wanted == "bias_var":
        second = found.name(Expectation(f**2, None, (Integer(0), q)))
        text = "bias_var = q - E[s(u)^2]/E[s'(u)^2], u ~ N(0, q)"
        latex = r"\sigma_b^2 = q - E[\sigma(u)^2]/E[\sigma'(u)^2]"
        return Definition(q - second / slope, found.pairs, text, latex)
    raise BadSpec(f"edge_of_chaos has no value {part!r}", hint="weight_var and bias_var")


def _stated(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
    """The definition that the claim itself gives."""
    given = claim.definition
    if isinstance(given, str):
        text = given
    elif part in given:
        text = given[part]
    else:
        raise BadSpec(
            f"there is no definition of {part!r}", hint="definitions: " + ", ".join(sorted(given))
        )
    law, inner = _gaussians(claim, b)
    found = _Collected()
    functions: dict[str, Callable[[Expr], Expr]] = {"_": lambda e: e}
    for name, f in (("s", b.activation and b.activation.expr), ("f", b.f), ("g", b.g)):
        if f is not None:
            functions[name] = partial(_at, f)
            functions["d" + name] = partial(_at, slope_off_jumps(f))
    scope = Scope(b.names, functions, found.expect(law), inner)
    lhs = scope.read(text)
    return Definition(lhs, found.pairs, text, rf"\text{{{_escaped(text)}}}")


def _at(f: Expr, at: Expr) -> Expr:
    found: Expr = f.subs(x, at)
    return found


def _escaped(text: str) -> str:
    return "".join("\\" + ch if ch in "_^&%$#{}" else ch for ch in text)


def _gaussians(claim: Claim, b: Binding) -> tuple[Gaussians, dict[str, Expr]]:
    if not claim.covariance:
        law = pair(q11, q12, q22, Integer(0), Integer(0))
        return law, {"u": u, "v": v, "z": z}
    symbols = {name: Symbol(name, real=True) for name, _ in claim.covariance}
    scope = Scope(b.names)
    entries = {}
    for i, (name, row) in enumerate(claim.covariance):
        if len(row) != len(claim.covariance):
            raise BadSpec(
                f"the covariance has {len(claim.covariance)} variables, and {len(row)} entries for "
                f"{name}",
                hint="the whole row, an entry for every variable",
            )
        for other, text in zip(list(symbols)[i:], row[i:], strict=True):
            entries[symbols[name], symbols[other]] = scope.read(text)
    law = Gaussians(dict.fromkeys(symbols.values(), Integer(0)), entries)
    return law, {**symbols, "z": z}


def _network(which: str) -> Meaning:
    def meaning(claim: Claim, b: Binding, part: str, rhs: Expr) -> Definition:
        from .chain import network_chain

        lets, lhs, latex = network_chain(claim.network, which, rhs)
        name = "Theta" if which == "ntk" else "Sigma"
        inputs = "q11, q12, q22 = |x|^2/d, x.x'/d, |x'|^2/d"
        return Definition(lhs, (), f"{name}(x, x') of {claim.network}, {inputs}", latex, lets)

    return meaning


_PAIR = (q11, q12, q22)
_UNIT = (Integer(1), rho, Integer(1))

MEANINGS: dict[str, Meaning] = {
    "nngp": _pair_value(_PAIR, "E[s(u) s(v)]", r"E[\sigma(u)\,\sigma(v)]"),
    "normalised": _pair_value(
        _UNIT, "E[s(u) s(v)], q11 = q22 = 1, q12 = rho", r"E[\sigma(u)\,\sigma(v)]"
    ),
    "cross": _pair_value(_PAIR, "E[f(u) g(v)]", r"E[f(u)\,g(v)]"),
    "derivative": _derivative,
    "diagonal": _single(2, "E[s(u)^2]", r"E[\sigma(u)^2]", centred=True),
    "mean": _single(1, "E[s(u)]", r"E[\sigma(u)]"),
    "second_moment": _single(2, "E[s(u)^2]", r"E[\sigma(u)^2]"),
    "variance": _variance,
    "covariance": _covariance,
    "hermite": _hermite,
    "gradient": _gradient,
    "layer": _layer,
    "ntk": _network("ntk"),
    "recursion": _network("nngp"),
    "fixed_point": _fixed_point,
    "edge_of_chaos": _edge,
    "constant": _stated,
    "identity": _stated,
}
