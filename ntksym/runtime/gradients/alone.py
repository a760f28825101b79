"""A network's gradient as code that stands alone: with what it knows of large variances."""

from __future__ import annotations

from math import inf

from ...backends.c.gradient.file import GradientPlan
from ...network import Recursion
from .c import Far
from .layers import Layer, layers_of
from .lowered import lower_gradient
from .parallel import parallel_up_to
from .sound import sound_up_to
from .steps import numeric


def standalone_plan(recursion: Recursion, name: str) -> GradientPlan:
    """The plan of an exported file.

    Beyond the variances that its layers are for it takes wide ones, as compiled kernels do; pairs
    beyond those at which slopes are measured to be lost (`sound`, `parallel`) are marked.

    Raises:
        NoClosedForm: an activation has no closed form.
        UnsupportedOp: a dual that is not a closed form; a parameter without a derivative.
        BadSpec: a parameter without a value.
    """
    given, closed = lower_gradient(recursion), layers_of(recursion, closed=True)
    sound, parallel = _limits(given.layers, closed)
    steepest = min((w.steepest for w in given.layers), default=inf)
    if given.most == inf:
        return given.plan(name, Far((), (), inf, min(sound, steepest), parallel))
    wide = lower_gradient(recursion, wide=True)
    if sound == inf or parallel == inf:
        later = _limits(wide.layers, closed)
        sound, parallel = (
            max(w, given.most) if v == inf else v
            for v, w in zip((sound, parallel), later, strict=True)
        )
    limits = min(sound, steepest), parallel
    return given.plan(name, Far(wide.layers, wide.turning, given.most, *limits))


def _limits(layers: tuple[Layer, ...], closed: tuple[Layer, ...]) -> tuple[float, float]:
    """The variances beyond which slopes, and those of nearly parallel pairs, lose digits."""
    programs = {id(p): p for w in layers for p in (w.pair, w.side, w.settled) if p}
    run = numeric(tuple(programs.values()))
    distinct = {
        (id(w.pair), *w.values.items()): (w, c) for w, c in zip(layers, closed, strict=True)
    }
    sound = min((sound_up_to(w, run) for w, _ in distinct.values()), default=inf)
    later = len(layers) > 1
    return sound, min((parallel_up_to(w, c, run, later) for w, c in distinct.values()), default=inf)
