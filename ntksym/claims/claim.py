r"""A claim: a published formula, what it is the value of, and where it was printed.

A claim is data.  Nothing in it says whether it holds: that is computed.  `erratum` says that the
formula *as printed* is wrong, and why; then the checker must refute it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..brief import Brief

QUANTITIES = {
    "nngp": "E[s(u) s(v)]",
    "derivative": "E[s'(u) s'(v)] = d E[s(u) s(v)] / d q12",
    "diagonal": "E[s(u)^2], u ~ N(0, q)",
    "normalised": "E[s(u) s(v)] with q11 = q22 = 1, q12 = rho",
    "mean": "E[s(u)], u ~ N(m, q)",
    "second_moment": "E[s(u)^2], u ~ N(m, q)",
    "variance": "E[s(u)^2] - E[s(u)]^2, u ~ N(m, q)",
    "covariance": "E[s(u) s(v)] - E[s(u)] E[s(v)]",
    "cross": "E[f(u) g(v)]",
    "hermite": "a_n = E[s(sqrt(q) z) He_n(z)] / sqrt(n!), q = 1 unless the formula says q",
    "gradient": "the derivative of E[s(u) s(v)] in the variable that `by` names",
    "layer": "weight_var E[s(u) s(v)] + bias_var: Sigma of a layer from that before it",
    "ntk": "the neural tangent kernel of `network`",
    "recursion": "the NNGP kernel of `network`",
    "fixed_point": "a variance with q = weight_var E[s(u)^2] + bias_var, u ~ N(0, q)",
    "edge_of_chaos": "weight_var E[s'(u)^2] = 1 at a fixed point q of the variance",
    "constant": "the value of `definition`",
    "identity": "the value of `definition`",
}
"""Every quantity a claim can be about, with its definition."""

DERIVATIVES = ("distributional", "almost_everywhere")


@dataclass(frozen=True, slots=True, repr=False)
class Claim(Brief):
    """One published formula.

    Attributes:
        title: what it says, in one sentence; may be empty.
        quantity: a key of `QUANTITIES`.
        formula: in the language; or several named values, `{"d0": "...", "d1": "..."}`.
        latex: the formula as printed, instead of `formula`.
        activation: a catalogue name or text in the language (`s` of the definitions).
        f: for `cross`: the function of u, text in `x`; by default the activation.
        g: for `cross`: the function of v; by default the activation.
        definition: for `constant` and `identity`: the value that the formula is claimed to be, with
            `E[...]` for expectations over `u`, `v` (covariance q11, q12, q22, means m1, m2) and `z`
            (standard normal), `s(.)`, `f(.)`, `g(.)` for the functions, `ds(.)` for the
            derivative, `diff(expr, name)` for a partial derivative.  A table for named values.
        where: conditions in the language, joined by commas: `q11 = q22`, `b < 0`.
        params: parameter name to assumption word (real, positive, negative, nonnegative, nonzero).
        names: names that the source uses for other names: `{"tau": "q"}`.
        network: for `ntk` and `recursion`: a network specification, such as
            `mlp:activation=relu,depth=3,weight_var=2`.
        n: for `hermite`: the index; None for all indices, with the name `n` in the formula.
        by: for `gradient`: q11, q12 or q22 (any spelling).
        derivative: for `derivative` of a function with jumps: one of `DERIVATIVES`; by default
            distributional, as Price's theorem has it.
        covariance: for expectations of more variables: names of the variables to rows of the
            covariance matrix, each a tuple of texts; `(("z1", ("C11", "C12")), ...)`.
        tolerance: a relative tolerance, as text, for a claim of approximate equality; the verdict
            then says so.
        source: a key of `references.bib`, or text; `"cho2009kernel, eq. 6"`.
        erratum: what is wrong with the formula as printed.
        corrected: for an erratum, the formula that holds.
        note: remarks, printed with the claim.
        id: a name, unique in its file; in the book it comes from the file and the name.
    """

    title: str = ""
    quantity: str = ""
    formula: str | dict[str, str] = ""
    latex: str | dict[str, str] = ""
    activation: str = ""
    f: str = ""
    g: str = ""
    definition: str | dict[str, str] = ""
    where: str = ""
    params: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    network: str = ""
    n: int | None = None
    by: str = ""
    derivative: str = ""
    covariance: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tolerance: str = ""
    source: str = ""
    erratum: str = ""
    corrected: str | dict[str, str] = ""
    note: str = ""
    id: str = ""
