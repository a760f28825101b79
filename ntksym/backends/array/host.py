"""Duals by their definition, or at small variances, in JAX and PyTorch: NumPy's rules, on the host.

Few entries need them, and as operations of arrays they were slow, XLA took 20 seconds to compile
them.  NumPy's own text takes no time.  Where some entry needs it, NumPy is called (in JAX by
`pure_callback`, in compiled PyTorch by an operator of the module) and computes those alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from textwrap import indent

from ...lower.direct import Direct
from ...lower.direct_where import BINS, COMPILED, FIRST
from ...lower.ops import DIRECT_OPS
from ...lower.price import Small
from ...lower.program import Let, Program, with_inner
from ...lower.settled import Settled
from ...lower.small import NODES, WEIGHTS, one_signed, small_below
from ..numpy.helpers import helper_names, helpers
from ..numpy.scales import scale_functions
from ..text import filled
from .module import ArrayBackend, function
from .settled import COMMON, settled_host, settled_names, slope_table

HOSTED = (Small, Direct)
"""What runs on the host."""


def host_text(
    programs: tuple[Program, ...], backend: ArrayBackend, settled: Mapping[str, Settled]
) -> str:
    """NumPy's functions of these operations, in a scope of their own; what calls them.

    `settled`: programs whose slopes are differences, by the stems of their functions.
    """
    own = scale_functions(programs, HOSTED)
    more = scale_functions(tuple(one.program for one in settled.values()))
    body = "\n\n\n".join(dict.fromkeys((*own, *more)))
    labels = {let.label for p in with_inner(programs) for let in p.body if let.inner is not None}
    names = ", ".join(f'"{k}": _{k}' for k in sorted(labels) if f"def _{k}(" in body)
    table = ""
    if settled:
        slopes = (settled_host(one, stem) for stem, one in settled.items())
        body = "\n\n".join((body, COMMON.strip("\n"), *slopes))
        names += ("," if names else "") + settled_names(settled) + "\n"
        table = slope_table(settled) + "\n\n\n"
    called = frozenset(re.findall(r"\b_\w+", body)) & helper_names()
    whole = f"{helpers(called)}\n\n{body}\n\nreturn {{{names}}}"
    marks = {"@TWICE_FIRST@": repr(2.0 * FIRST), "@BODY@": indent(whole, "    ")}
    marks["@DIGEST@"] = hashlib.sha256(whole.encode()).hexdigest()[:16]
    text = f"{table}{_HOST.strip(chr(10))}\n\n\n{backend.host.strip(chr(10))}\n"
    return filled(text, marks)


def host_rule(rule: Direct, stem: str, backend: ArrayBackend) -> str:
    """What says where a rule is needed: by the variances, and where the value is small."""
    marks = function(rule.marks, f"{stem}_marks", backend, "The unit of variances comes last.")
    used = "".join(f"    {''.join(str(int(v)) for v in row)!r},\n" for row in rule.used)
    text = f"{marks}\n\n{stem}_USED = (\n{used})\n".replace("'", '"')
    if not any(one_signed(rule)):
        return text
    point = function(rule.point, f"{stem}_point", backend, "The activation, and its slope.")
    params = "".join(f", p{k}" for k in range(len(rule.point.args) - 1))
    shared = {"@STEM@": stem, "@GIVEN@": params, "@ALONE@": params[2:]}
    shared |= {"@PLACES@": repr(NODES), "@SHARES@": repr(WEIGHTS)}
    shared |= {"@BELOW@": repr(tuple(small_below(rule, which) for which in range(2)))}
    shared |= {"@KINKS@": str(rule.kinks), "@TWICE@": str(2 * rule.kinks)}
    shared |= {"@JUMPED@": " / r" if rule.jumps else "", "@PART@": "0" if rule.jumps else "1"}
    return f"{text}\n\n{point}\n\n{filled(_SMALL, shared).strip(chr(10))}\n"


def host_operation(let: Let, rule: Direct, stem: str) -> str:
    """The function of one operation."""
    which = DIRECT_OPS.index(let.op)
    params = tuple(f"p{k}" for k in range(len(rule.point.args) - 1))
    return filled(
        _PAIR if which < 2 else _DIAGONAL,
        {
            "@SMALL@": _WHERE_SMALL if which < 2 and one_signed(rule)[which] else "",
            "@WHICH@": str(which % 2),
            "@NAME@": f"_{let.label}",
            "@LABEL@": let.label,
            "@STEM@": stem,
            "@START@": "_INF" if rule.start == float("inf") else repr(rule.start),
            "@LEAST@": repr(rule.least),
            "@MOST@": repr(rule.widest) if rule.grow else "_INF",
            "@BINS@": str(BINS),
            "@COMPILED@": str(COMPILED),
            "@TABLE@": str(which),
            "@APART@": "    can = can & (root > 0.0)\n" if which % 2 and rule.jumps else "",
            "@GIVEN@": "".join(f", {p}" for p in params),
            "@ALONE@": ", ".join(params),
        },
    )


def host_price(small: Small, label: str) -> str:
    """The function of an operation `price`."""
    return filled(_PRICE, {"@LABEL@": label, "@SMALL@": repr(float(small.below))})


_HOST = '''
def _numpy_rules():
    """Integrals and series, for the few entries that need them."""
@BODY@


_NUMPY_RULES = _numpy_rules()


def _numpy_values(name, used, *at):
    """An operation for arrays of one shape where used, in doubles; NaN elsewhere.

    NaN also where it has nothing to say.  In blocks, which have many arrays of their length.
    """
    used, *at = map(np.asarray, (used, *at))
    found = np.full(used.shape, np.nan, at[0].dtype)
    wide = [v[used].astype(np.float64) for v in at]
    if at[0].dtype != np.float64 and len(at) > 3:  # the root in doubles, where it is no other
        q11, q12, q22, root = wide[:4]
        exact = np.sqrt(np.maximum(q11 * q22 - q12 * q12, 0.0))
        wide[3] = np.where(abs(exact - root) <= 2.0**-20 * root, exact, root)
    values = np.full(len(wide[0]), np.nan)
    for k in range(0, len(values), 4096):
        part = slice(k, k + 4096)
        values[part] = _NUMPY_RULES[name](values[part], *(v[part] for v in wide))
    with np.errstate(all="ignore"):
        found[used] = values
    return found


def _by_numpy(name, used, given, closed):
    """An operation on the host where used; elsewhere, and where it has none, the closed form."""
    found = _elsewhere(used, lambda *at: _on_host(name, *at), given, closed)
    return _where(found == found, found, closed)


def _slopes_by_numpy(stem, names, used, given, closed):
    """Slopes of these names, each where used: one call, as JAX takes long to compile each."""
    like, count = given[3], len(names)
    whole = [_as(v, like, like) for v in given]

    def joined(rows):  # entry by entry
        return _joined([v.reshape(1, -1) for v in rows]).T.reshape(-1)

    which = joined([_as(float(_SLOPES[stem].index(k)), like, like) for k in names])
    plain = joined([_as(v, like, like) for v in closed])
    at = [joined([v] * count) for v in whole]
    found = _by_numpy(stem, joined(used), (*at, which), plain).reshape(-1, count)
    return tuple(found[:, k].reshape(like.shape) for k in range(count))


def _direct_used(table, bins, variances, unit, most):
    """The flags of these variances: bins of them over the square of the unit, times 4 each.

    None where the standard deviations of u and v add up to more than `most`.
    """
    double = _double(variances[0])
    least, widest = (1e-280, 1e280) if double else (1e-30, 1e30)
    place, roots = 0, 0.0
    low, high = variances[0], variances[-1]
    low, high = _min(low, high), _max(low, high)
    for q in variances:
        k = _half_exponent(_min(_max(q / unit / unit, least), widest) / @TWICE_FIRST@)
        k = k + bins // 2
        place, roots = place * bins + k.clip(0, bins - 1), roots + _sqrt0(q)
    inside = ((low > least) | ((low == 0.0) & (high > 0.0))) & (high < widest)
    inside = inside & (roots <= most / (3 - len(variances)))
    return _read([int(c) for c in table], place) * inside
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    unit = @STEM@_marks(@ALONE@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q11, q22), unit, @MOST@)
    least, most = _sqrt0(_min(q11, q22)), _sqrt0(_max(q11, q22))
    far = (least >= @START@) & (root >= @LEAST@ * most)  # the rule there is right, and faster
    can = ~far & (_abs(q12) < _INF) & (root >= 0.0) & (root < _INF)
@APART@    used = (used > 0) & (used < @COMPILED@) & can  # @COMPILED@: in compiled code only
@SMALL@    given = q11, q12, q22, root@GIVEN@
    return _by_numpy("@LABEL@", used, given, closed)
'''

_WHERE_SMALL = """    can = can & (least > 1e-140) & (most < 1e140) & (least + most <= @MOST@)
    turned = can & (8.0 * q12 < -least * most)  # elsewhere no value of one sign is small
    used = used | (turned & @STEM@_small(@WHICH@, closed, q11, q22@GIVEN@))
"""

_SMALL = '''
def @STEM@_small(which, closed, q11, q22@GIVEN@):
    """Whether s, or its slope, has one sign, and the value is small beside its size."""
    size, less, more = @BELOW@[which], 0.0 * q11, 0.0 * q11
    for jump in @STEM@_marks(@ALONE@)[@KINKS@:@TWICE@] if which else ():
        own = jump + 0.0 * q11
        less, more = less + _max(-own, 0.0), more + _max(own, 0.0)
    for q in (q11, q22):
        r = _sqrt0(q)
        found = @STEM@_point(r * _column(@PLACES@, q)@GIVEN@)
        own = found[which] + 0.0 * r
        less, more = less + _max(-own, 0.0).sum(0), more + _max(own, 0.0).sum(0)
        part = found[@PART@]@JUMPED@ if which else own
        size = size * _sqrt0((_column(@SHARES@, q) * part * part).sum(0))
    return ((less == 0.0) | (more == 0.0)) & ~((_abs(closed) >= size) & (size > 0.0))
'''

_DIAGONAL = '''
def @NAME@(closed, q@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    unit = @STEM@_marks(@ALONE@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q,), unit, @MOST@) == 1
    given = (q@GIVEN@,)
    return _by_numpy("@LABEL@", used, given, closed)
'''

_PRICE = '''
def _@LABEL@(closed, q11, q12, q22, root, *more):
    """The closed form; at small variances a series, or the integral of its derivative."""
    small = (q11 >= 0.0) & (q22 >= 0.0) & ((q11 < @SMALL@) | (q22 < @SMALL@))
    return _by_numpy("@LABEL@", small, (q11, q12, q22, root, *more), closed)
'''
