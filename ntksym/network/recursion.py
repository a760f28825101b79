r"""Recurse: NNGP $\Sigma$ and tangent kernel $\Theta$ after each layer, in the state before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Integer, Symbol, latex, oo

from .. import symbols
from ..abbreviations import latex_rows, one_line
from ..activation import Activation
from ..brief import Brief
from ..language.write import in_decimals
from .convention import Convention
from .layers import Dense, Input, Nonlinearity
from .layers.dense import assigned
from .network import Network, layers_named, runs
from .spec import as_network
from .state import KernelState


@dataclass(frozen=True, slots=True, repr=False)
class InputRule(Brief):
    r"""The first dense layer, in raw inner products.

    `nngp` and `ntk` are in `q11` = $|x|^2$, `q12` = $x \cdot y$, `q22` = $|y|^2$, the symbol `d`
    (input dimension), `weight_var` and `bias_var`, whose numbers are in `values`.
    """

    name: str
    nngp: Expr
    ntk: Expr
    nngp_diag: Expr
    ntk_diag: Expr
    values: tuple[tuple[Symbol, Expr], ...]


@dataclass(frozen=True, slots=True, repr=False)
class LayerRule(Brief):
    r"""One nonlinearity and the dense layer after it.

    Attributes:
        name: of the activation.
        activation: with symbolic parameters.
        nngp: $\Sigma'_{12}$ in `q11, q12, q22` (the $\Sigma$ before), `weight_var`, `bias_var` and
            the parameters.
        ntk: $\Theta'_{12}$ in those and `t12`, the $\Theta$ before.
        nngp_diag: $\Sigma'$ of one input with itself, in `q`.
        ntk_diag: $\Theta'$ of one input with itself, in `q` and `t12`; `oo` where it is infinite.
        values: the numbers of this layer for `weight_var`, `bias_var` and parameters; what has
            none stays symbolic.
        conditions: where the dual holds, in `q11, q12, q22, q` and parameters.
        continuous: whether the slope of `ntk` is the derivative of the dual: s does not jump.
    """

    name: str
    activation: Activation
    nngp: Expr
    ntk: Expr
    nngp_diag: Expr
    ntk_diag: Expr
    values: tuple[tuple[Symbol, Expr], ...]
    conditions: tuple[Basic, ...] = ()
    continuous: bool = True

    def theta_parts(self) -> tuple[Expr, Expr]:
        """(own, slope) of Theta' = own + slope * Theta, with the numbers put in.

        `own` is what this layer's parameters add: Sigma' itself in the "ntk" parametrisation.
        """
        ntk = self.ntk.subs(dict(self.values))
        return ntk.xreplace({symbols.t12: Integer(0)}), ntk.diff(symbols.t12)


@dataclass(frozen=True, slots=True, repr=False)
class Recursion(Brief):
    """The rules of a network, layer by layer; nothing is composed until `unrolled` is asked.

    Attributes:
        network: the network.
        convention: its choices, as the rules have them.
        input_rule: the kernels after the first dense layer, in |x|^2, x.y, |y|^2.
        layers: for each nonlinearity and the dense layer after it, the kernels in the state before.
    """

    network: Network
    convention: Convention
    input_rule: InputRule
    layers: tuple[LayerRule, ...]
    _shown = ("network.depth", "convention.parametrization")

    @property
    def rules(self) -> tuple[InputRule | LayerRule, ...]:
        """The rule of the input layer, then those of the layers."""
        return (self.input_rule, *self.layers)

    @property
    def sigma(self) -> tuple[Expr, ...]:
        r"""$\Sigma_{12}$ after each layer, with the numbers put in; entry 0 is the input layer.

        Entry 0 is in the raw inner products, entry l in the state after layer l - 1.
        """
        return tuple(r.nngp.subs(dict(r.values)) for r in self.rules)

    @property
    def theta(self) -> tuple[Expr, ...]:
        r"""$\Theta_{12}$ after each layer, with the numbers put in; entry 0 is the input layer."""
        return tuple(r.ntk.subs(dict(r.values)) for r in self.rules)

    def unrolled(self, max_depth: int = 3) -> tuple[KernelState, ...]:
        r"""States after the input layer and after the first `max_depth` layers, composed.

        Everything is in `q11` = $|x|^2$, `q12` = $x \cdot y$, `q22` = $|y|^2$, `d` and parameters.
        The size grows about threefold per layer: this is for reading and for small depth; programs
        loop over layers instead.
        """
        first = self.input_rule
        values = dict(first.values)
        sigma, theta = first.nngp.subs(values), first.ntk.subs(values)
        own = (first.nngp_diag.subs(values), first.ntk_diag.subs(values))
        sides = [tuple(e.xreplace({symbols.q: s}) for e in own) for s in _SQUARES]
        states = [_state(sigma, theta, sides)]
        for rule in self.layers[: max(0, max_depth)]:
            values = dict(rule.values)
            before = states[-1]
            at = {
                symbols.q11: before.nngp11,
                symbols.q12: before.nngp12,
                symbols.q22: before.nngp22,
                symbols.t12: before.ntk12,
            }
            sigma, theta = (e.subs(values).xreplace(at) for e in (rule.nngp, rule.ntk))
            own = (rule.nngp_diag.subs(values), rule.ntk_diag.subs(values))
            sides = [
                tuple(e.xreplace({symbols.q: k, symbols.t12: t}) for e in own)
                for k, t in ((before.nngp11, before.ntk11), (before.nngp22, before.ntk22))
            ]
            states.append(_state(sigma, theta, sides))
        return tuple(states)

    def latex_lines(self, *, full: bool = False) -> tuple[str, ...]:
        """Each distinct rule as LaTeX, the input layer first; `full` names nothing."""
        first = self.input_rule
        raw = {
            symbols.q11: r"x \cdot x",
            symbols.q12: r"x \cdot y",
            symbols.q22: r"y \cdot y",
        }
        put = dict(first.values)
        lines = [
            rf"\Sigma^{{(1)}}_{{12}} &= {latex(first.nngp.subs(put), symbol_names=raw)}",
            rf"\Theta^{{(1)}}_{{12}} &= {latex(first.ntk.subs(put), symbol_names=raw)}",
        ]
        taken: list[str] = []
        for start, stop in self.runs():
            lines += self._rule_latex(start, stop, taken, full)
        return tuple(lines)

    def runs(self) -> tuple[tuple[int, int], ...]:
        """Ranges [start, stop) of neighbouring layers with one rule and the same numbers."""
        return runs(self.layers)

    def __str__(self) -> str:
        """The rules, one formula a line; a run of equal layers is said once."""
        lines = [f"{self.network.name}: q11, q12, q22 = Sigma, t12 = Theta of the layer before"]
        put: list[tuple[str, InputRule | LayerRule]] = [
            ("input layer: q12 is the inner product x.y", self.input_rule)
        ]
        for start, stop in self.runs():
            rule = self.layers[start]
            put.append(
                (f"{layers_named(start, stop)}: s(x) = {in_decimals(rule.activation.expr)}", rule)
            )
        for title, one in put:
            nngp, ntk = (one_line(e.subs(dict(one.values))) for e in (one.nngp, one.ntk))
            lines += [title, f"  Sigma' = {nngp}", f"  Theta' = {ntk}"]
        return "\n".join(lines)

    def _rule_latex(self, start: int, stop: int, taken: list[str], full: bool) -> list[str]:
        """Two lines and what is named in them; the names are added to those `taken`."""
        rule = self.layers[start]
        put = dict(rule.values)
        if stop - start == 1:
            here, after = str(start + 1), str(start + 2)
            note = ""
        else:
            here, after = r"\ell", r"\ell+1"
            note = rf",\quad \ell = {start + 1}, \dots, {stop}"
        names = {
            symbols.q11: rf"\Sigma^{{({here})}}_{{11}}",
            symbols.q12: rf"\Sigma^{{({here})}}_{{12}}",
            symbols.q22: rf"\Sigma^{{({here})}}_{{22}}",
            symbols.t12: rf"\Theta^{{({here})}}_{{12}}",
        }
        nngp = rule.nngp.subs(put)
        own, slope = rule.theta_parts()
        title = rf"\Sigma^{{({after})}}_{{12}}"
        tail = slope * symbols.t12
        # Theta' = Sigma' + ...: the covariance is not written out twice.
        again = own == nngp and own != 0
        shown = (nngp, tail if again else own + tail)
        rows = zip((title, rf"\Theta^{{({after})}}_{{12}}"), shown, strict=True)
        found, short = latex_rows(tuple(rows), full=full, taken=taken, symbol_names=names)
        taken += [symbol.name for symbol, _ in short.names]
        first, second, *rest = found
        if again:
            second = second.replace("&= ", rf"&= {title} + ", 1)
        return [first + note, second, *rest]

    def _repr_latex_(self) -> str:
        body = r" \\ ".join(self.latex_lines())
        return rf"$\displaystyle \begin{{aligned}} {body} \end{{aligned}}$"


_SQUARES = (symbols.q11, symbols.q22)


def _state(sigma: Expr, theta: Expr, sides: list[tuple[Expr, ...]]) -> KernelState:
    (k11, t11), (k22, t22) = sides
    return KernelState(k11, sigma, k22, theta, t11, t22)


def recurse(net: Network | str) -> Recursion:
    r"""The recursion of a network: one rule for the input layer and one per nonlinearity.

    `net` may be its text, as for `parse_spec`.

    $\Sigma' = \sigma_w^2 K(\Sigma) + \sigma_b^2$ and
    $\Theta' = \Sigma' + \sigma_w^2 \dot K(\Sigma)\,\Theta$ in the "ntk" parametrisation (Jacot,
    Gabriel & Hongler 2018); every other choice is in `net.convention`.

    An activation without a closed form stands as an expectation.  Returns a `Recursion`, with
    `sigma` and `theta`, the kernels after each layer in the state before it; `print` has the rules.

    Raises:
        BadSpec: `trained` of the convention does not fit the layers; no network, nor text of one.
    """
    net = as_network(net)
    convention = net.convention
    first = net.input
    raw = KernelState(symbols.q11, symbols.q12, symbols.q22, symbols.t12, symbols.t12, symbols.t12)
    after = first.kernel(raw, convention, 0)
    input_rule = InputRule(
        "input",
        after.nngp12,
        after.ntk12,
        _on_diagonal(after.nngp11),
        _on_diagonal(after.ntk11),
        assigned(first.resolved(convention), convention),
    )
    rules: dict[tuple[Nonlinearity, Dense, bool], LayerRule] = {}
    layers = []
    for index, (nonlinearity, dense) in enumerate(net.blocks, start=1):
        key = (nonlinearity, dense, convention.is_trained(index))
        if key not in rules:
            rules[key] = _rule(nonlinearity, dense, convention, index)
        layers.append(rules[key])
    return Recursion(net, convention, input_rule, tuple(layers))


def _on_diagonal(entry: Any) -> Expr:
    found: Expr = entry.xreplace({symbols.q11: symbols.q})
    return found


def _rule(
    nonlinearity: Nonlinearity, dense: Dense, convention: Convention, index: int
) -> LayerRule:
    before = KernelState(
        symbols.q11, symbols.q12, symbols.q22, symbols.t12, symbols.t12, symbols.t12
    )
    hidden = nonlinearity.kernel(before, convention, index)
    after = dense.kernel(hidden, convention, index)
    by_name = {p.name: p for p in nonlinearity.activation.params}
    known = tuple((by_name[name], value) for name, value in nonlinearity.values)
    return LayerRule(
        nonlinearity.activation.name,
        nonlinearity.activation,
        after.nngp12,
        after.ntk12,
        _on_diagonal(after.nngp11),
        oo if hidden.ntk11 is oo else _on_diagonal(after.ntk11),
        (*assigned(dense, convention), *known),
        tuple(getattr(nonlinearity.forms(), "conditions", ())),
        bool(getattr(nonlinearity.forms(), "continuous", True)),
    )


__all__ = ["Input", "InputRule", "LayerRule", "Recursion", "recurse"]
