"""The parameters of the catalogue, with the assumptions that the closed forms rest on.

The names are ones that SymPy reads back as symbols (`beta`, `gamma`, `N`, `S` are not).
"""

from __future__ import annotations

from sympy import Symbol

a = Symbol("a", real=True)
b = Symbol("b", real=True)
phase = Symbol("phase", real=True)
cut = Symbol("cut", real=True)
value = Symbol("value", real=True)
slope = Symbol("alpha", real=True)

rate = Symbol("a", positive=True)
alpha = Symbol("alpha", positive=True)
scale = Symbol("scale", positive=True)
lam = Symbol("lam", positive=True)
g = Symbol("g", positive=True)

# The signs say which bound is the lower one.
low = Symbol("a", negative=True)
high = Symbol("b", positive=True)
