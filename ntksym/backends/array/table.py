r"""A tabulated dual for JAX, PyTorch and NumPy gradients: its polynomials and their derivatives.

With $P = \sqrt{q_{11}q_{22}}$, $h = \tan(\theta/2)$, $\theta$ the angle to the nearer pole, the
table is $F(\tau_1, \tau_2, x(h))$.  $\partial_{q_{12}}$ of the value is the tabulated derivative
dual itself; with $\partial_{q_{11}}|_\theta = F_{\tau_1}\tau'(q_{11})$,
$\partial_{q_{11}} = \partial_{q_{11}}|_\theta - \frac{q_{12}}{2q_{11}}\partial_{q_{12}}$.
The derivative dual has $\partial_{q_{12}}\dot K = -\partial_\theta\dot K/\sqrt{\det}$.  Where $s'$
is continuous this is finite at $\theta = 0$, and $\dot K_x(x) - \dot K_x(-1)$ is divided by $x + 1$
before the code is written.  Where $s'$ jumps it is infinite there: 0 is taken, the mean of its two
one-sided limits in the angle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from ...numeric.table import TableDual
from ...numeric.table.chebyshev import ChebyshevTable
from ...numeric.table.dual import Sheet
from ...numeric.table.pack import Rows
from ..numpy.table.point import notes
from ..text import rows_text, tuple_text


@dataclass(frozen=True, slots=True)
class ArrayTable:
    """A table as functions of arrays with derivatives.

    Attributes:
        table: the numbers.
        kinks: whether the derivative of the activation jumps.
        jumps: whether the activation itself does.
    """

    table: TableDual
    kinks: bool
    jumps: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the table, and what is known of the derivatives."""
        t = self.table
        said = [
            "Derivatives: that of the value in q12 is the tabulated derivative dual (its bound is",
            "above)." if not self.jumps else "above) away from the jumps' own part.",
            "All others differentiate the polynomials: no bound is proven for them.",
        ]
        if not t.single:
            said.append(f"About {self.amplified:.0e} is what the degrees suggest in q11 and q22.")
        return (*notes(t), *said)

    @property
    def amplified(self) -> float:
        """The proven error times the square of the degree in tau, per unit of log q at the ends."""
        t = self.table
        degree = max(len(s.plus) for s in (t.value, t.dot))
        return t.error * degree**2 / max(t.half, 1e-300)

    def text(self, stem: str) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.
        """
        t = self.table
        return table_text(t, stem, POWERS, (t.single, t.weighted), self.kinks, self.jumps)


@dataclass(frozen=True, slots=True)
class Form:
    """How the polynomials of a table are written.

    Attributes:
        name: the function that evaluates them; `<name>_slopes` also gives derivatives.
        line: the same of one variable.
        dense: the function that brings the rows to what `name` takes, or nothing.
        deflated: `(p'(x) - p'(-1))/(x + 1)` of every polynomial p of x.
    """

    name: str
    line: str
    dense: str
    deflated: Callable[[Rows], Rows]


def table_text(
    t: TableDual | ChebyshevTable,
    stem: str,
    form: Form,
    kind: tuple[bool, bool],
    kinks: bool,
    jumps: bool,
) -> str:
    """Python of the four functions `<stem>_value`, `<stem>_partials` and those of the diagonal.

    `kind` says whether the table has one variance, and whether it is of K/sqrt(q11 q22).  Where the
    value jumps (`jumps`) its slope in q12 is not the derivative dual; it is regular at rho = 1 and
    -1 unless there are `kinks`.
    """
    (single, weighted), up = kind, stem.upper()
    parts = [f"{up}_RANGE = ({t.low!r}, {t.high!r})\n"]
    for label, sheet in (("VALUE", t.value), ("DOT", t.dot)):
        parts.append(_sheet(f"{up}_{label}", sheet, form.dense))
        parts.append(f"{up}_{label}_DIAG = {tuple_text(sheet.diag)}\n")
    for label, sheet in (("BEND", t.dot), ("LEVEL", t.value))[: 0 if kinks else 1 + jumps]:
        plus, minus = (form.deflated(rows) for rows in (sheet.plus, sheet.minus))
        turned = replace(sheet, plus=plus, minus=minus)
        parts.append(_sheet(f"{up}_{label}", turned, form.dense))
    body = _TEXT + (_BENT if kinks else _SMOOTH) + _DIAG
    body = body.replace("@SLOPE@", "turned" if jumps else "dot")
    body = body.replace("@TURNED@", (_TURNED if kinks else _LEVEL) if jumps else "")
    body = body.replace("@AXIS@", _ONE if single else _MANY)
    product = f"{t.low!r} + 0.0 * q11" if single else "_sqrt(q11) * _sqrt(q22)"
    body = body.replace("@PRODUCT@", product)
    body = body.replace("@SCALED@", "product * " if weighted else "")
    body = body.replace("@OWN@", "q * " if weighted else "")
    for side in ("q11", "q22"):
        body = body.replace(f"@GROWN {side}@", f" + 0.5 * nngp / {side}" if weighted else "")
    body = body.replace("@DIAGGROWN@", "value + " if weighted else "")
    body = body.replace("@CENTRE@", repr(t.centre)).replace("@HALF@", repr(t.half or 1.0))
    body = body.replace("@KAPPA@", repr(t.kappa)).replace("@REACH@", repr(2.0 + 2.0 * t.kappa))
    body = body.replace("@LOOSE@", repr(16.0 * t.error))  # what a layer before may be off by
    body = body.replace("@FORM@", form.name).replace("@LINE@", form.line)
    body = body.replace("@STEM@", stem).replace("@UP@", up)
    return "\n".join(parts) + "\n" + body.rstrip("\n") + "\n"


def _deflated(rows: Rows) -> Rows:
    """For every polynomial p of x the polynomial (p'(x) - p'(-1))/(x + 1), by exact division."""
    planes = []
    for plane in rows:
        lines = []
        for line in plane:
            slope = [k * Fraction(c) for k, c in enumerate(line)][1:]
            out: list[Fraction] = []
            carry = Fraction(0)
            for c in reversed(slope[1:]):
                carry = c - carry
                out.append(carry)
            lines.append(tuple(float(c) for c in reversed(out)) or (0.0,))
        planes.append(tuple(lines))
    return tuple(planes)


POWERS = Form("_polynomial", "_line", "", _deflated)
"""Horner's rule."""


def _sheet(name: str, sheet: Sheet, dense: str) -> str:
    plus, minus = (f"{dense}({rows_text(rows)})" for rows in (sheet.plus, sheet.minus))
    if not dense:
        plus, minus = plus[1:-1], minus[1:-1]
    if sheet.parity:
        return f"{name} = ({plus}, None, {float(sheet.parity)!r})\n"
    return f"{name} = ({plus}, {minus}, 1.0)\n"


UNROLLED = '''
def _polynomial(rows, first, second, x):
    """The polynomial rows[i][j][k] first**i second**j x**k, by Horner's rule."""
    total = 0.0 * x
    for j in reversed(range(len(rows[0]))):
        part = 0.0 * x
        for k in reversed(range(len(rows[0][j]))):
            m = 0.0
            for plane in reversed(rows):
                if j < len(plane) and k < len(plane[j]):
                    m = m * first + plane[j][k]
            part = part * x + m
        total = total * second + part
    return (total,)


def _polynomial_slopes(rows, first, second, x):
    """The same with its derivatives in first, second and x."""
    total = of_first = of_second = of_x = 0.0 * x
    for j in reversed(range(len(rows[0]))):
        part = part_first = part_x = 0.0 * x
        for k in reversed(range(len(rows[0][j]))):
            m = m_first = 0.0
            for plane in reversed(rows):
                if j < len(plane) and k < len(plane[j]):
                    m_first = m_first * first + m
                    m = m * first + plane[j][k]
            part_x = part_x * x + part
            part = part * x + m
            part_first = part_first * x + m_first
        of_second = of_second * second + total
        total = total * second + part
        of_first = of_first * second + part_first
        of_x = of_x * second + part_x
    return total, of_first, of_second, of_x
'''
"""The polynomials entry by entry; JAX, which would compile every line, has its own."""

SIDES = '''
def _sides(form, sheet, negative, first, second, x):
    """A polynomial of its own on each side of q12 = 0, or one that is even or odd."""
    plus, minus, sign = sheet
    above = form(plus, first, second, x)
    if minus is None:
        return tuple(v * _where(negative, sign + 0.0 * v, 1.0 + 0.0 * v) for v in above)
    below = form(minus, first, second, x)
    return tuple(_where(negative, b, a) for a, b in zip(above, below))
'''
"""What all tables of polynomials share."""

LINE = '''
def _line(coefficients, tau):
    """A polynomial of one variable, and its derivative."""
    total = slope = 0.0 * tau
    for c in reversed(coefficients):
        slope = slope * tau + total
        total = total * tau + c
    return total, slope
'''
"""Helpers that all tables of a module share."""

_MANY = """low, high = @UP@_RANGE
    inside = (q >= low * (1.0 - _slack(q))) & (q <= high * (1.0 + _slack(q)))
    root = _sqrt(_where(inside, q, high + 0.0 * q))
    far = root + @CENTRE@
    nil = _where(inside, 0.0 * root, float("nan") + 0.0 * root)
    return (root - @CENTRE@) / (@HALF@ * far) + nil, @CENTRE@ / (@HALF@ * root * far * far) + nil"""

_ONE = """inside = _abs(q - @UP@_RANGE[0]) <= _slack(q) * @UP@_RANGE[0]
    nil = _where(inside, 0.0 * q, float("nan") + 0.0 * q)
    return nil, nil"""

_TEXT = '''
def _@STEM@_axis(q):
    """The variance as a number in [-1, 1] and its derivative; NaN outside the range."""
    @AXIS@


def _@STEM@_place(q11, q12, q22, root):
    """The variables of the polynomials, and what their derivatives need."""
    (first, slope1), (second, slope2) = _@STEM@_axis(q11), _@STEM@_axis(q22)
    product = @PRODUCT@
    size = _abs(q12)
    inside = size <= product * (1.0 + @LOOSE@ + _slack(q12))
    below = product + size
    below = _where(inside, below, float("nan") + 0.0 * below)
    h = root / below
    stretch = 1.0 + @KAPPA@ * h
    x = @REACH@ * root / (below + @KAPPA@ * root) - 1.0
    return first, second, slope1, slope2, product, h, stretch, x


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN outside the range of the table."""
    first, second, _, _, product, _, _, x = _@STEM@_place(q11, q12, q22, root)
    negative = q12 < 0.0
    (k,) = _sides(@FORM@, @UP@_VALUE, negative, first, second, x)
    (d,) = _sides(@FORM@, @UP@_DOT, negative, first, second, x)
    return @SCALED@k, d


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q11, q12, q22; none in root, which follows."""
    nngp, dot = _@STEM@(q11, q12, q22, root)
    root = _held(root, q11, q12, q22)
    first, second, slope1, slope2, product, h, stretch, x = _@STEM@_place(q11, q12, q22, root)
    negative = q12 < 0.0
    _, k1, k2, kx = _sides(@FORM@_slopes, @UP@_VALUE, negative, first, second, x)
    _, d1, d2, dx = _sides(@FORM@_slopes, @UP@_DOT, negative, first, second, x)
    steep = @REACH@ / (stretch * stretch)
    wide = 1.0 + h * h
    toward = _where(negative, 1.0 + 0.0 * h, -1.0 + 0.0 * h)
    turn1, turn2 = 0.5 * q12 / q11, 0.5 * q12 / q22
@TURNED@'''

_TURNED = """    edge = root == 0.0
    over = _where(edge, 0.0 * root, 1.0 / _where(edge, 1.0 + 0.0 * root, root))
    turned = toward * @SCALED@kx * steep * 0.5 * wide * over
"""

_LEVEL = """    (turned,) = _sides(@FORM@, @UP@_LEVEL, negative, first, second, x)
    turned = toward * turned * (@REACH@ / stretch) * steep * wide * wide / (4.0 * product)
"""

_SMOOTH = """    (bend,) = _sides(@FORM@, @UP@_BEND, negative, first, second, x)
    bend = toward * bend * (@REACH@ / stretch) * steep * wide * wide / (4.0 * product)
"""

_BENT = """    edge = root == 0.0
    over = _where(edge, 0.0 * root, 1.0 / _where(edge, 1.0 + 0.0 * root, root))
    bend = toward * dx * steep * 0.5 * wide * over
"""

_DIAG = '''    of_nngp = (
        @SCALED@k1 * slope1@GROWN q11@ - turn1 * @SLOPE@,
        @SLOPE@,
        @SCALED@k2 * slope2@GROWN q22@ - turn2 * @SLOPE@,
        0.0 * root,
    )
    return of_nngp, (d1 * slope1 - turn1 * bend, bend, d2 * slope2 - turn2 * bend, 0.0 * root)


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    tau, _ = _@STEM@_axis(q)
    return @OWN@@LINE@(@UP@_VALUE_DIAG, tau)[0], @LINE@(@UP@_DOT_DIAG, tau)[0]


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    tau, slope = _@STEM@_axis(q)
    (value, of_value), (_, of_dot) = (@LINE@(c, tau) for c in (@UP@_VALUE_DIAG, @UP@_DOT_DIAG))
    return (@DIAGGROWN@@OWN@of_value * slope,), (of_dot * slope,)
'''
