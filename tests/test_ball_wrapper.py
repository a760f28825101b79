"""The safe integrator: every fault surfaces, and the precision is always put back."""

from __future__ import annotations

import pytest
from flint import acb, arb, ctx

from ntksym.errors import NotSquareIntegrable, Undecided
from ntksym.precision import precision
from ntksym.verify.safe import integral

FAULTS = (ZeroDivisionError, KeyError, TypeError, KeyboardInterrupt)


def calls_of(func) -> int:
    count = 0

    def counted(z, analytic):
        nonlocal count
        count += 1
        return func(z, analytic)

    integral(counted, arb(-3), arb(3), tol=arb(2) ** -40)
    return count


def smooth(z, analytic):
    return (-z * z).exp() / (1 + z * z)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_every_fault_surfaces(fault) -> None:
    total = calls_of(smooth)
    assert total >= 20
    for at in range(0, total, max(1, total // 16)):
        count = 0

        def broken(z, analytic, at=at):
            nonlocal count
            count += 1
            if count == at + 1:
                raise fault("planted")
            try:
                return smooth(z, analytic)
            except ZeroDivisionError:  # code that clears a pending exception must not hide it
                return acb(0)

        with pytest.raises(fault, match="planted"):
            integral(broken, arb(-3), arb(3), tol=arb(2) ** -40)


def test_fault_stops_the_work() -> None:
    count = 0

    def broken(z, analytic):
        nonlocal count
        count += 1
        raise LookupError("at once")

    with pytest.raises(LookupError):
        integral(broken, arb(0), arb(1), tol=arb(2) ** -40)
    assert count == 1


@pytest.mark.parametrize(
    "func", [lambda z, a: 1 / z, lambda z, a: (1 / z).sin()], ids=["1/x", "sin(1/x)"]
)
def test_no_convergence_is_refused(func) -> None:
    with pytest.raises(Undecided):
        integral(func, arb(-1), arb(2), tol=arb(2) ** -40)


def test_missed_accuracy_is_refused() -> None:
    wide = acb(arb(1, 1e-6))
    with pytest.raises(Undecided, match="reached the radius"):
        integral(lambda z, a: z * wide, arb(0), arb(1), tol=arb(2) ** -60)


def test_value() -> None:
    with precision(100):
        value = integral(lambda z, a: z.sqrt(analytic=a), arb(0), arb(1), tol=arb(2) ** -80).real
        assert value.contains(arb(2) / 3) or value.overlaps(arb(2) / 3)
        assert value.rad() < 1e-20


def test_precision_is_restored() -> None:
    before = ctx.prec
    with precision(333):
        assert ctx.prec == 333
    assert ctx.prec == before
    with pytest.raises(KeyError), precision(200):
        raise KeyError
    assert ctx.prec == before


def test_enclosures_restore_the_precision() -> None:
    from sympy import Max, cosh

    from ntksym.symbols import x
    from ntksym.verify.balls import enclose_definition

    before = ctx.prec
    enclose_definition(Max(x, 0), 1, "0.5", 1)
    with pytest.raises(NotSquareIntegrable):  # it grows like exp(x^2)
        enclose_definition(cosh(x) ** x, 1, "0.5", 1)
    assert ctx.prec == before
