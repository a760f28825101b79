r"""A zero test for sums of Gamma functions times powers times 2F1.

Terms with the same 2F1 and the same powers are collected; their coefficients are sums of
`GammaProduct`s, which add where they differ by a rational function.  A sum that comes out zero is
zero; one that does not may still be (2F1 has relations that are not used here).
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul, Pow, expand, expand_mul, floor, gamma, hyper, pi

from .gammas import GammaProduct


def is_zero(expr: Expr) -> bool:
    """Whether the expression is shown to be the zero function, all symbols generic."""
    kernels: dict[Expr, dict[tuple[object, ...], Expr]] = {}
    for term in Add.make_args(expand_mul(expr, deep=False)):
        kernel, scale = _split(term)
        product = GammaProduct.of(scale)
        number, rest = product.two.as_coeff_Add()
        whole = floor(number)
        key = (rest + number - whole, product.half_turns, product.gammas)
        value = product.top / product.bottom * 2**whole
        found = kernels.setdefault(kernel, {})
        found[key] = found.get(key, Integer(0)) + value
    return all(_zero(value) for found in kernels.values() for value in found.values())


def _zero(e: Expr) -> bool:
    top, _ = e.together().as_numer_denom()
    return bool(expand(top) == 0)


def _split(term: Expr) -> tuple[Expr, Expr]:
    """(what is compared as it stands, what goes into a `GammaProduct`)."""
    kernel, scale = [], []
    for f in Mul.make_args(term):
        base, e = (f.base, f.exp) if isinstance(f, Pow) else (f, Integer(1))
        if isinstance(base, hyper):
            kernel.append(Pow(_ordered(base), e))
        elif isinstance(base, gamma) or base in (2, pi) or e.is_Integer:
            scale.append(f)
        else:
            kernel.append(Pow(expand(base), expand(e)))
    return Mul(*kernel), Mul(*scale)


def _ordered(h: hyper) -> Expr:
    """The same 2F1 with its parameters expanded (SymPy keeps them sorted)."""
    top = tuple(expand(a) for a in h.ap)
    bottom = tuple(expand(b) for b in h.bq)
    return hyper(top, bottom, expand(h.argument))
