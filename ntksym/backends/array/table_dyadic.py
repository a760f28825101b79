r"""A dyadic table for JAX, PyTorch and NumPy gradients: its polynomials, and slopes in q12.

With $t = \tan(\theta/2)$, $\theta$ the angle to the nearer pole, the derivative of the value in
$q_{12}$ is the tabulated derivative dual.  That of the derivative dual is
$\mp\dot K_t(t)(1+t^2)^2/(4qt)$; next to $\rho = \pm1$, where it is often infinite and a table of
$\dot K$ does not know it, its value at t = 2^-8 is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...numeric.table.dyadic.table import DyadicTable, Lines
from ..numpy.table.dyadic import notes, padded
from ..text import filled, tuple_text

STILL = 2.0**-8
"""Below this t the slope of the derivative dual is that at it."""


@dataclass(frozen=True, slots=True)
class ArrayDyadic:
    """A dyadic table as functions of arrays with derivatives in q12.

    Attributes:
        table: the numbers.
        jumps: whether the activation jumps: the derivative of the value is then more than the dual
            of the derivative almost everywhere, and differentiates the polynomials.
    """

    table: DyadicTable
    jumps: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the table, and what is known of the derivatives."""
        return (
            *notes(self.table),
            "Derivatives: that of the value in q12 is the tabulated derivative dual; that of"
            if not self.jumps
            else "Derivatives: that of the value in q12 is the slope of the polynomials; that of",
            "the derivative dual is a slope of the polynomials; nearer to rho = 1 and -1 than",
            f"tan(theta/2) = {STILL:g} such a slope is held: no bound is proven for it.",
        )

    def text(self, stem: str) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.
        """
        marks = {"STEM": stem, "VALUE": self.table.value.diag, "DOT": self.table.dot.diag}
        body = _DIAG
        for mark, said in marks.items():
            body = body.replace(f"@{mark}@", str(said))
        return self.pairs(stem) + body

    def pairs(self, stem: str, first: str = "") -> str:
        """The first two of `text`; `first` is the stem of such a text before, whose sum serves."""
        t, up = self.table, stem.upper()
        value, dot = padded(t)
        text = f"{up}_VALUE = {_columns(value)}\n{up}_DOT = {_columns(dot)}\n"
        text += f"{up}_SCALE = {tuple_text(tuple(4.0 * 2.0**i for i in range(t.panels + 1)))}\n"
        body = _TEXT
        body = filled(
            body,
            {
                "@ALONG@": "_@FIRST@_sum(@UP@_VALUE, line, x)[1] * turn" if self.jumps else "dot",
                "@SUM@": "" if first else _SUM,
                "@FIRST@": first or stem,
                "@STEM@": stem,
                "@UP@": up,
                "@Q@": repr(t.low),
                "@LAST@": str(t.panels),
                "@BELOW@": str(t.panels + 1),
                "@LOOSE@": repr(16.0 * t.error),
                "@STILL@": repr(STILL),
            },
        )
        return text + body


def _columns(lines: Lines) -> str:
    """The coefficients by powers, each of all lines."""
    rows = ",\n    ".join(tuple_text(column) for column in zip(*lines, strict=True))
    return f"(\n    {rows},\n)"


_TEXT = '''

def _@STEM@_near(q):
    """The variance, or NaN."""
    near = _abs(q - @Q@) <= _slack(q) * @Q@
    return _where(near, @Q@ + 0.0 * q, float("nan") + 0.0 * q)


def _@STEM@_tangent(q11, q12, q22, root):
    """The number tan(theta/2); NaN outside the range of the table."""
    size = _abs(q12)
    both = _@STEM@_near(q11) + 0.0 * _@STEM@_near(q22)
    inside = size <= @Q@ * (1.0 + @LOOSE@ + _slack(q12))
    return _where(inside, root / (both + size), float("nan") + 0.0 * root)


def _@STEM@_place(t, negative):
    """The line of the table, and its variable."""
    line = (t < 0.0) * 1
    for i in range(1, @LAST@ + 1):
        line = line + (t < 0.5**i)
    x = _taken(@UP@_SCALE, line, t) * t - 3.0
    return line + negative * @BELOW@, x


@SUM@def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN outside the range of the table."""
    t = _@STEM@_tangent(q11, q12, q22, root)
    line, x = _@STEM@_place(t, (q12 < 0.0) & (t == t))
    return _@FIRST@_sum(@UP@_VALUE, line, x)[0], _@FIRST@_sum(@UP@_DOT, line, x)[0]


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q12; none in q11 and q22: the inputs are scaled."""
    nngp, dot = _@STEM@(q11, q12, q22, root)
    root = _held(root, q11, q12, q22)
    t = _@STEM@_tangent(q11, q12, q22, root)
    t = _where(t < @STILL@, @STILL@ + 0.0 * t, t)
    negative = (q12 < 0.0) & (t == t)
    line, x = _@STEM@_place(t, negative)
    steep = _taken(@UP@_SCALE, line - negative * @BELOW@, t)
    toward = _where(negative, 1.0 + 0.0 * t, -1.0 + 0.0 * t)
    wide = 1.0 + t * t
    turn = toward * steep * wide * wide / (4.0 * @Q@ * t)
    bend = _@FIRST@_sum(@UP@_DOT, line, x)[1] * turn
    zero = 0.0 * t
    return (zero, @ALONG@, zero, zero), (zero, bend, zero, zero)
'''

_SUM = '''def _@FIRST@_sum(rows, line, x):
    """The polynomial of every entry's line, and its derivative in x."""
    total = slope = 0.0 * x
    for row in reversed(rows):
        slope = slope * x + total
        total = total * x + _taken(row, line, x)
    return total, slope


'''

_DIAG = '''

def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    zero = 0.0 * _@STEM@_near(q)
    return @VALUE@ + zero, @DOT@ + zero


def @STEM@_diag_partials(q):
    """None: the inputs are scaled."""
    return (0.0 * q,), (0.0 * q,)
'''
