r"""A dilated table for JAX, PyTorch and NumPy gradients: three tables of one variance, and weights.

With $l = \log\sqrt q$ and p the power, $K = (q_{11}q_{22})^{p/2}\sum_kw_k(l_1, l_2)A_k(\rho)$, the
weights $w_k$ bilinear.  Thus $\partial_{q_{12}}K = \dot K$ and
$2q_{11}\partial_{q_{11}}K = pK + (q_{11}q_{22})^{p/2}\sum_k\partial_1w_kA_k - q_{12}\dot K$; the
derivative dual likewise with p - 1 and its slope in q12, which is that of the three tables
(`array.table_dyadic`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...numeric.table.dilated.table import DilatedTable
from ..c.table.dilated import notes
from ..text import filled
from .table_dyadic import STILL, ArrayDyadic


@dataclass(frozen=True, slots=True)
class ArrayDilated:
    """A dilated table as functions of arrays with derivatives.

    Attributes:
        table: the numbers.  The activation does not jump: c |x|^p and c |x|^p log|x| with a finite
            derivative dual have p > 1/2.
    """

    table: DilatedTable

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the table, and what is known of the derivatives."""
        return (
            *notes(self.table, "NaN"),
            "Derivatives: that of the value in q12 is the tabulated derivative dual; all others",
            "differentiate the polynomials and the weights; nearer to rho = 1 and -1 than",
            f"tan(theta/2) = {STILL:g} slopes of the derivative dual in q12 are held: no bound is",
            "proven for them.",
        )

    def text(self, stem: str) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.
        """
        t, up = self.table, stem.upper()
        text, rules = "", ""
        for k, table in enumerate(t.tables):
            one = f"{stem}_at{k}"
            text += ArrayDyadic(table).pairs(one, f"{stem}_at0" * (k > 0)).rstrip("\n")
            text += f"\n\n\n_{one} = _pair_rule({one}_value, {one}_partials)\n"
            rules += f"    (_{one}, {one}_partials, {table.low!r}),\n"
        text += f"{up}_RANGE = ({t.low!r}, {t.high!r})\n"
        text += f"{up}_PLACES = {t.places!r}\n"
        text += f"{up}_FACTORS = {t.factors!r}\n"
        text += f"{up}_DIAG = {tuple((o.value.diag, o.dot.diag) for o in t.tables)!r}\n"
        body = _TEXT
        body = filled(
            body,
            {
                "@TABLES@": rules,
                "@STEM@": stem,
                "@UP@": up,
                "@LOOSE@": repr(16.0 * t.error),  # what a layer before may be off by
                "@POWER@": repr(t.power),
                "@LESS@": repr(t.power - 1.0),
            },
        )
        return text + body


_TEXT = '''@UP@_TABLES = (
@TABLES@)


def _@STEM@_known(q):
    """The variance, NaN outside the range."""
    low, high = @UP@_RANGE
    inside = (q >= low * (1.0 - _slack(q))) & (q <= high * (1.0 + _slack(q)))
    return _where(inside, q, float("nan") + 0.0 * q)


def _@STEM@_place(q11, q12, q22, root):
    """sqrt(q11*q22), the correlation, its sine, and the logarithms of sqrt(q11) and sqrt(q22)."""
    a, b = _@STEM@_known(q11), _@STEM@_known(q22)
    size = _sqrt(a) * _sqrt(b)
    rho = q12 / size
    inside = _abs(rho) <= 1.0 + @LOOSE@ + _slack(rho)
    one = 1.0 + 0.0 * rho
    held = _where(rho > 1.0, one, _where(rho < -1.0, -one, rho))
    rho = _where(inside, held, float("nan") + 0.0 * rho)
    return size, rho, root / size, 0.5 * _log(a), 0.5 * _log(b)


def _@STEM@_weights(one, two):
    """For every table its weight and the derivatives of it in the two logarithms."""
    for k in range(3):
        i, j = @UP@_PLACES[k - 2], @UP@_PLACES[k - 1]
        weight = 0.5 * ((one - i) * (two - j) + (one - j) * (two - i))
        yield weight, two - 0.5 * (i + j), one - 0.5 * (i + j)


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN outside the range of the table."""
    size, rho, sine, one, two = _@STEM@_place(q11, q12, q22, root)
    nngp = dot = 0.0
    every = zip(_@STEM@_weights(one, two), @UP@_TABLES, @UP@_FACTORS)
    for (weight, _, _), (table, _, q), (first, second) in every:
        full = q + 0.0 * size
        k, d = table(full, q * rho, full, q * sine)
        nngp, dot = nngp + weight * first * k, dot + weight * second * d
    grown = _exp(@LESS@ * (one + two))
    return nngp * grown * size, dot * grown


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q11, q12, q22; none in root, which follows."""
    nngp, dot = _@STEM@(q11, q12, q22, root)
    root = _held(root, q11, q12, q22)
    size, rho, sine, one, two = _@STEM@_place(q11, q12, q22, root)
    nngp1 = nngp2 = dot1 = dot2 = bend = 0.0
    every = zip(_@STEM@_weights(one, two), @UP@_TABLES, @UP@_FACTORS)
    for (weight, of_one, of_two), (table, slopes, q), (first, second) in every:
        full = q + 0.0 * size
        at = full, q * rho, full, q * sine
        k, d = table(*at)
        nngp1, nngp2 = nngp1 + of_one * first * k, nngp2 + of_two * first * k
        dot1, dot2 = dot1 + of_one * second * d, dot2 + of_two * second * d
        bend = bend + weight * second * q * slopes(*at)[1][1]
    grown = _exp(@LESS@ * (one + two))
    bend = bend * grown / size
    scale, turn = grown * size, q12 * dot
    of_nngp = (
        (@POWER@ * nngp + scale * nngp1 - turn) / (2.0 * q11),
        dot,
        (@POWER@ * nngp + scale * nngp2 - turn) / (2.0 * q22),
        0.0 * root,
    )
    turn = q12 * bend
    of_dot = (
        (@LESS@ * dot + grown * dot1 - turn) / (2.0 * q11),
        bend,
        (@LESS@ * dot + grown * dot2 - turn) / (2.0 * q22),
        0.0 * root,
    )
    return of_nngp, of_dot


def _@STEM@_own(q):
    """The pair (nngp, dot) for u = v, and twice q times its derivatives."""
    at = 0.5 * _log(_@STEM@_known(q))
    grown = _exp(@LESS@ * 2.0 * at)
    nngp = nngp1 = dot = dot1 = 0.0
    every = zip(_@STEM@_weights(at, at), @UP@_DIAG, @UP@_FACTORS)
    for (weight, of_at, _), (k, d), (first, second) in every:
        nngp, nngp1 = nngp + weight * first * k, nngp1 + 2.0 * of_at * first * k
        dot, dot1 = dot + weight * second * d, dot1 + 2.0 * of_at * second * d
    nngp, nngp1 = nngp * grown * q, nngp1 * grown * q
    dot, dot1 = dot * grown, dot1 * grown
    return nngp, dot, 2.0 * @POWER@ * nngp + nngp1, 2.0 * @LESS@ * dot + dot1


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return _@STEM@_own(q)[:2]


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    _, _, of_nngp, of_dot = _@STEM@_own(q)
    return (of_nngp / (2.0 * q),), (of_dot / (2.0 * q),)
'''
