"""NumPy for a mixture dual: a module with node tables, one function per generic expectation."""

from __future__ import annotations

from .._base import SourceFile
from ..c.backend import Contract
from ..mixture.far import SKEW, Far
from ..mixture.programs import MixturePrograms
from .backend import function, module_head, used_helpers
from .helpers import helpers


def mixture_file(m: MixturePrograms, contract: Contract) -> SourceFile:
    """The module of a mixture dual: `dual(q11, q12, q22, ..., root=None)` and `diagonal(q, ...)`.

    Both return the pair (nngp, dot).

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    wanted = used_helpers(m.programs) | {"_rootdet"}
    pieces = [module_head(contract, m.programs).rstrip("\n"), helpers(wanted)]
    pieces += [*core(m, "_"), _ENTRIES.strip("\n")]
    return SourceFile(f"{m.name}.py", "\n\n\n".join(pieces) + "\n")


def core(m: MixturePrograms, prefix: str) -> list[str]:
    """Definitions: `<prefix>pairs(q11, q12, q22, root, ...)` and `<prefix>diag(q, ...)`."""
    pieces = []
    kinds = [(m.plain, "plain")]
    kinds += [(two, f"single{i}") for i, two in enumerate(m.singles)]
    kinds += [((k.program, k.diagonal), f"pair{i}") for i, k in enumerate(m.pairs)]
    for (pair, diag), label in kinds:
        pieces.append(function(pair, f"{prefix}{label}", "One expectation."))
        pieces.append(function(diag, f"{prefix}{label}_diag", "One expectation, u = v."))
    text = _SUMS + (_far(m.far) if m.far else "")
    text = text.replace("@NAME@", "sum" if m.far else "pairs")
    text = text.replace("@DIAG@", "diag_sum" if m.far else "diag").replace("@P@", prefix)
    return [piece.strip("\n") for piece in (*pieces, _tables(m, prefix), text)]


def _tables(m: MixturePrograms, p: str) -> str:
    """The nodes, and which function stands for which families."""
    rows = "".join(f"    ({a!r}, {w!r}),\n" for a, w in m.nodes)
    singles = "".join(f"({p}single{i}, {p}single{i}_diag), " for i in range(len(m.singles)))
    pairs = "".join(
        f"({p}pair{i}, {p}pair{i}_diag, {k.same}, {k.twice}), " for i, k in enumerate(m.pairs)
    )
    tables = f"{p}NODES = (\n{rows})\n" if rows else f"{p}NODES = ()\n"
    return f"{tables}{p}SINGLES = ({singles.rstrip()})\n{p}PAIRS = ({pairs.rstrip()})"


def _far(f: Far) -> str:
    """Large variances are brought down before the sums: `mixture.far` says why."""
    text = (_EACH if f.slope >= 0 else _TOGETHER) + _DOWN
    for name, n in (("K", f.degree), ("D", f.slope)):
        v = "nngp" if name == "K" else "dot"
        both = own = v
        if n < 0:
            both, own = f"{v} * moved", f"np.ldexp({v}, -down)"
        elif n > 0:
            both, own = f"np.ldexp({v}, {n} * moved)", f"np.ldexp({v}, {2 * n} * down)"
        text = text.replace(f"@{name}@", both).replace(f"@OWN {name}@", own)
    text = text.replace("@LAST@", "np.inf" if f.known else repr(f.last))
    text = text.replace("@START@", repr(f.start)).replace("@LEAD@", str(f.lead))
    return text.replace("@WIDE@", str(f.lead + SKEW)).replace("@APART@", str(f.apart))


_ENTRIES = '''
def dual(q11, q12, q22, *params, root=None):
    """The pair (nngp, dot); arrays broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2), for nearly collinear inputs.
    """
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    root = _rootdet(q11, q12, q22) if root is None else root
    return _pairs(q11, q12, q22, root, *params)


def diagonal(q, *params):
    """The pair (nngp, dot) for u = v with variance q."""
    return _diag(np.asarray(q, dtype=np.float64), *params)
'''

_SUMS = '''
def @P@@NAME@(q11, q12, q22, root, *params):
    """The sum over nodes: the pair (nngp, dot)."""
    zero = np.zeros(np.broadcast_shapes(*map(np.shape, (q11, q12, q22))))
    nngp, dot = (part + zero for part in @P@plain(q11, q12, q22, root, *params))
    for b, w in @P@NODES:
        for single, _ in @P@SINGLES:
            k, d = single(q11, q12, q22, root, b, *params)
            nngp += w * k
            dot += w * d
    for pair, _, _, _ in @P@PAIRS:
        for a, v in @P@NODES:
            inner, inner_dot = zero.copy(), zero.copy()
            for b, w in @P@NODES:
                k, d = pair(q11, q12, q22, root, a, b, *params)
                inner += w * k
                inner_dot += w * d
            nngp += v * inner
            dot += v * inner_dot
    return nngp, dot


def @P@@DIAG@(q, *params):
    """The same for u = v with variance q."""
    zero = np.zeros(np.shape(q))
    nngp, dot = (part + zero for part in @P@plain_diag(q, *params))
    for b, w in @P@NODES:
        for _, single in @P@SINGLES:
            k, d = single(q, b, *params)
            nngp += w * k
            dot += w * d
    for _, pair, same, twice in @P@PAIRS:
        if not (same or twice):
            continue
        for i, (a, v) in enumerate(@P@NODES):
            inner, inner_dot = zero.copy(), zero.copy()
            for j in range(i if same else 0, len(@P@NODES)):
                b, w = @P@NODES[j]
                w = 2.0 * w if twice or j > i else w
                k, d = pair(q, a, b, *params)
                inner += w * k
                inner_dot += w * d
            nngp += v * inner
            dot += v * inner_dot
    return nngp, dot
'''

_EACH = '''

def @P@down(q11, q12, q22, root):
    """Standard deviations above 2^@LEAD@, where the activation is a power, made smaller by powers
    of two; and the sum of both exponents.
    """
    i, j = (np.maximum(np.frexp(np.sqrt(q))[1] - @LEAD@, 0) for q in (q11, q22))
    down = np.ldexp(q11, -2 * i), np.ldexp(q12, -(i + j)), np.ldexp(q22, -2 * j)
    return *down, np.ldexp(root, -(i + j)), i + j
'''

_TOGETHER = '''

def @P@down(q11, q12, q22, root):
    """Standard deviations above 2^@LEAD@, where the activation is a constant on each side, made
    smaller by powers of two; and what the expectation of an integrable function is then multiplied
    by.  That one sees how far both inputs are apart: root over the larger standard deviation is
    kept, up to a large one, and the ratio of both.
    """
    i, j = (np.frexp(np.sqrt(q))[1] for q in (q11, q22))
    both = np.maximum(np.minimum(i, j) - @LEAD@, 0)
    more = np.maximum(np.maximum(i, j) - both - @WIDE@, 0)
    alike, kept = np.ldexp(root, -2 * both), np.ldexp(root, -both)
    most = np.ldexp(np.sqrt(np.maximum(q11, q22)), @APART@ - both)
    near = np.maximum(alike, np.minimum(kept, most))
    once = near == kept
    moved = np.where(once, np.ldexp(1.0, -both), near / np.where(once, 1.0, root))
    down = np.ldexp(q11, -2 * (both + np.where(i > j, more, 0)))
    down = down, np.ldexp(q12, -(2 * both + more))
    down = *down, np.ldexp(q22, -2 * (both + np.where(j > i, more, 0)))
    return *down, np.ldexp(near, -more), np.ldexp(moved, -more)
'''

_DOWN = '''

def @P@pairs(q11, q12, q22, root, *params):
    """The pair (nngp, dot), for variances of any size."""
    large = np.maximum(q11, q22)
    if not np.any(large > @START@):
        return @P@sum(q11, q12, q22, root, *params)
    *state, moved = @P@down(q11, q12, q22, root)
    nngp, dot = @P@sum(*state, *params)
    lost = ~(large < @LAST@)
    return np.where(lost, np.nan, @K@), np.where(lost, np.nan, @D@)


def @P@diag(q, *params):
    """The pair (nngp, dot) for u = v, for variances of any size."""
    if not np.any(q > @START@):
        return @P@diag_sum(q, *params)
    down = np.maximum(np.frexp(np.sqrt(q))[1] - @LEAD@, 0)
    nngp, dot = @P@diag_sum(np.ldexp(q, -2 * down), *params)
    lost = ~(q < @LAST@)
    return np.where(lost, np.nan, @OWN K@), np.where(lost, np.nan, @OWN D@)
'''
