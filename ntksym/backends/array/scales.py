"""Duals where the closed form cancels, in JAX and PyTorch: the operations `price`, `far`, `direct`.

Each returns the closed form where that is good, and computes another rule for the other entries
only, in blocks (`_chosen` of the two preambles).  Derivatives by tracing, in networks, are those of
the closed form; the modules of duals have forms of their own.  `price` and `direct` run on the
host: see `host`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...lower.direct import Direct
from ...lower.far import Far
from ...lower.ops import FAR_OPS
from ...lower.price import Small
from ...lower.program import Program, with_inner
from ...lower.settled import Settled
from .far import far_operation, far_rule
from .host import HOSTED, host_operation, host_price, host_rule, host_text
from .module import ArrayBackend


def with_scales(backend: ArrayBackend) -> ArrayBackend:
    """The same target, where these operations are calls."""
    return replace(
        backend, spell=backend.spell | dict.fromkeys(("price", *FAR_OPS), "_{LABEL}({ALL})")
    )


def scale_functions(
    programs: tuple[Program, ...],
    backend: ArrayBackend,
    settled: Mapping[str, Settled] | None = None,
) -> list[str]:
    """The functions of these operations, each once, and what they call; empty without any.

    `settled`: programs whose slopes are asked of the host, as for `host.host_text`.

    Raises:
        UnsupportedOp: an operation that the target cannot spell.
    """
    found: dict[str, str] = {}
    whole = with_scales(backend)
    for p in with_inner(programs):
        for let in p.body:
            if let.inner is None or let.label in found:
                continue
            if isinstance(let.inner, Small):
                found[let.label] = host_price(let.inner, let.label)
                continue
            stem = f"_rule_{let.inner.digest()[:12]}"
            if isinstance(let.inner, Far):
                found.setdefault(stem, far_rule(let.inner, stem, whole))
                found[let.label] = far_operation(let, stem)
            elif isinstance(let.inner, Direct):
                found.setdefault(stem, host_rule(let.inner, stem, whole))
                found[let.label] = host_operation(let, let.inner, stem)
    host = any(isinstance(let.inner, HOSTED) for p in with_inner(programs) for let in p.body)
    first = [host_text(programs, backend, settled or {})] if host or settled else []
    return [_ELSEWHERE, *first, *found.values()] if found or settled else []


_ELSEWHERE = '''
def _elsewhere(used, chosen, given, closed):
    """What `chosen` gives where used, elsewhere the closed form, whose derivatives it has.

    chosen(used, given, fill, plain) takes flat arrays; see `_chosen`.
    """
    used = used & ((closed == closed) | (closed != closed))  # of the shape of both
    fill = (1.0, 0.0, 1.0, 1.0) if len(given) > 3 else (1.0,)
    fill += (0.5,) * (len(given) - len(fill))
    given = [_where(used, _still(_as(v, used, closed)), o).reshape(-1) for v, o in zip(given, fill)]
    kept = _where(_abs(closed) < _INF, closed, 0.0)
    plain = _as(_still(kept), used, closed).reshape(-1)
    value = _still(chosen(used.reshape(-1), given, fill, plain)).reshape(used.shape)
    return _where(used, value + (kept - _still(kept)), closed)
'''
