"""The only way `acb.integral` is called here.

python-flint's integrator loses exceptions of the integrand: all but two kinds leave its output
unset and it may return a wrong enclosure.  So an exception is kept in a box, the integrand answers
NaN from then on, and the exception is raised again when the integrator is back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, thread_time
from typing import Any

from flint import acb, arb

from ..errors import Undecided

MOST_VALUES = 60_000
"""Values of the integrand in one call of the integrator; smooth functions need a few thousand."""


class Exhausted(Undecided):
    """The method would need more work than its bound allows; more digits do not help."""


class Accumulating(Exhausted):
    """Waves without end matter at a point: no other method follows them either."""


class Endless(Undecided):
    """A function has infinitely many kinks, or they cannot be shown to be finitely many."""


class OpenSign(Undecided):
    """The sign of a number is open at the working precision."""


class Divergent(Undecided):
    """There is no finite expectation to enclose: the integral diverges."""


class Valueless(Undecided):
    """A variance is zero, and the function has no value at that point: as the slope of |x| at 0."""


_until: float | None = None
_look = 0.0
"""Until then the clock of the thread, ten times dearer to read, cannot have come to `_until`."""


@contextmanager
def allowed(seconds: float) -> Iterator[None]:
    """Inside, `in_time` raises after so much processor time of this thread; the least holds."""
    global _until, _look
    before, end = _until, thread_time() + seconds
    _until, _look = end if before is None else min(before, end), 0.0
    try:
        yield
    finally:
        _until, _look = before, 0.0


def in_time() -> None:
    """Nothing, while there is time.

    Raises:
        Exhausted: the time that `allowed` gave is used up.
    """
    global _look
    if _until is None or (now := monotonic()) < _look:
        return
    left = _until - thread_time()
    if left < 0:
        raise Exhausted("the processor time allowed for one enclosure is used up")
    _look = now + left


Integrand = Callable[[Any, bool], Any]
"""`f(z, analytic)`: the value on the box z; NaN when `analytic` and f is not analytic on z."""


def integral(
    func: Integrand,
    lower: Any,
    upper: Any,
    *,
    tol: Any,
    slack: int = 20,
    most: int = MOST_VALUES,
) -> Any:
    r"""An enclosure of $\int_a^b f(x)\,dx$ (`acb`) whose radius is at most `tol` 2^`slack`.

    Args:
        func: the integrand; must honour its `analytic` flag.
        lower: the end $a$, an `arb` or a number that is exact.
        upper: the end $b$.
        tol: the absolute goal given to the integrator, an `arb`.
        most: values of the integrand.
        slack: how many bits the result may miss it by (rounding of large values).

    Raises:
        Undecided: the integrator did not converge, or missed the goal by more than 2^slack.
        BaseException: whatever the integrand raised, unchanged.
    """
    box: list[BaseException] = []

    def guarded(z: Any, analytic: bool) -> Any:
        if box:
            return acb("nan")
        try:
            in_time()
            return func(z, analytic)
        except BaseException as error:  # boxed, and raised again below
            box.append(error)
            return acb("nan")

    value = acb.integral(guarded, lower, upper, abs_tol=tol, rel_tol=0, eval_limit=most)
    if box:
        raise box[0]
    if not value.is_finite():
        raise Undecided("the integrator did not converge", hint="more working digits")
    if not value.real.rad() < (arb(2) ** slack) * tol:
        reached = value.real.rad().str(3, radius=False)
        raise Undecided(f"the integrator reached the radius {reached} only")
    return value
