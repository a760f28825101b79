"""NumPy for a folded table: even and odd parts in rho that serve both duals and both signs."""

from __future__ import annotations

from ....numeric.table.bands.banded import BandedDual, Pair
from ....numeric.table.dual import part_of
from ...text import filled, rows_text

NOTE = "of 2^-53.  Polynomials in 1 - rho^2, whose derivatives are the second function, from"
SINE_NOTE = "of 2^-53.  Polynomials in sqrt(1 - rho^2), their derivatives the second function, from"
"""Lines of the head."""


def pair_data(pair: Pair, up: str) -> tuple[str, str]:
    """The arrays of a pair of bands, and its line in the dictionary of pairs."""
    name = f"{up}_{pair.first}_{pair.second}"
    text, names = "", []
    for label, odd in (("EVEN", 0), ("ODD", 1)):
        rows = part_of(pair.value, odd)
        text += f"{name}_{label} = {rows_text(rows) if rows else '()'}\n"
        names.append(f"{name}_{label}")
    return text, f"    ({pair.first}, {pair.second}): ({pair.kappa!r}, {', '.join(names)}),\n"


FOLDED = '''
def @STEM@_sum(rows, first, second, x):
    """The polynomial in both variances and x, and its derivative in x."""
    total, slope = np.zeros_like(x), np.zeros_like(x)
    for k in reversed(range(@LEAD@, len(rows[0][0]) if rows else 0)):
        part = np.zeros_like(x)
        for j in reversed(range(len(rows[0]))):
            column = [p[j][k] for p in rows if j < len(p) and k < len(p[j])]
            if not column:
                continue
            line = column[-1]
            for m in column[-2::-1]:
                line = line * first + m
            part *= second
            part += line
        slope *= x
        slope += total
        total *= x
        total += part
    return total, slope


def @STEM@_block(one, two, q11, q12, q22, root):
    """The pair (nngp, dot) for variances of two bands; arrays broadcast."""
    if one > two:
        one, two, q11, q22 = two, one, q22, q11
    kappa, even, odd = @UP@_PAIRS[one, two]
    product = np.sqrt(q11) * np.sqrt(q22)
    over = np.where(np.abs(q12) <= product * @SLACK@, 1.0, np.nan) / product
    rho = q12 * over
@BEND@
'''

SQUARE = """    square = (root * over) ** 2
    less = 1.0 / (1.0 + kappa * square)
    x = 2.0 * (1.0 + kappa) * square * less - 1.0
    first, second = @STEM@_tau(q11, one), @STEM@_tau(q22, two)
    value, bend = @STEM@_sum(even, first, second, x)
    other, turn = @STEM@_sum(odd, first, second, x)
    steep = -4.0 * (1.0 + kappa) * (less * less) * rho
    return @SCALE@(value + rho * other), other + steep * (bend + rho * turn)
"""
SINE = """    sine = root * over
    less = 1.0 / (1.0 + kappa * sine)
    w = (1.0 + kappa) * sine * less
    first, second = @STEM@_tau(q11, one), @STEM@_tau(q22, two)
    x = 2.0 * w - 1.0
    value, bend = @STEM@_sum(even, first, second, x)
    other, turn = @STEM@_sum(odd, first, second, x)
    bend, turn = value + w * bend, other + w * turn
    square = w * w
    value = @STEM@_start(even, first, second) + square * value
    other = @STEM@_start(odd, first, second) + square * other
    steep = -2.0 * (1.0 + kappa) ** 2 * (less * less * less) * rho
    return @SCALE@(value + rho * other), other + steep * (bend + rho * turn)
"""
START = '''
def @STEM@_start(rows, first, second):
    """The polynomial in both variances of the first numbers of all lines."""
    total = 0.0
    for j in reversed(range(len(rows[0]) if rows else 0)):
        line = 0.0
        for m in [p[j][0] for p in rows if j < len(p)][::-1]:
            line = line * first + m
        total = total * second + line
    return total

'''


AWAY = """    sine = root * over
    part = (sine - @INNER@) * @GAIN@
    less = 1.0 / (1.0 + kappa * part)
    x = @TWICE@ * part * less - 1.0
    first, second = @STEM@_tau(q11, one), @STEM@_tau(q22, two)
    value, bend = @STEM@_sum(even, first, second, x)
    other, turn = @STEM@_sum(odd, first, second, x)
    steep = @FALL@ * (less * less) / sine * rho
    return @SCALE@(value + rho * other), other + steep * (bend + rho * turn)
"""


def folded_body(t: BandedDual) -> str:
    """The functions of a folded table: in rho^2, in its sine, or in the variable of a shell."""
    if t.shell is None:
        bend = SINE if t.sine else SQUARE
    else:
        twice = 2.0 * (1.0 + t.shell.kappa)
        marks = {"@INNER@": t.shell.inner, "@GAIN@": t.shell.scale, "@TWICE@": twice}
        bend = filled(AWAY, {**marks, "@FALL@": -twice * t.shell.scale})
    body = (START if t.sine else "") + FOLDED.replace("@BEND@\n", bend)
    return body.replace("@LEAD@", str(int(t.sine)))
