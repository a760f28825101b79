"""The bounds on text.  All of them are checked before any SymPy object is built."""

from __future__ import annotations

MAX_CHARS = 4096
"""Characters of a source text."""
MAX_NODES = 512
"""Numbers, names, calls and operations of a source text."""
MAX_DEPTH = 64
"""Nested parentheses, calls and powers."""
MAX_NUMBER_BITS = 256
"""Bits of the digits of one number."""
MAX_DECIMAL_EXPONENT = 308
"""Largest `|k|` in `1e<k>`: the range of doubles."""
MAX_EXPONENT = 64
"""Largest exponent, whole or not."""
MAX_DENOMINATOR = 10**6
"""Largest denominator of an exponent."""
MAX_POWER_BITS = 4096
"""Bits of a number that a power can produce (it would let `((9**64)**64)**64` through)."""
MAX_BITS = 65536
"""Bits of any number that arithmetic can produce."""
MAX_DEGREE = 512
"""Polynomial degree that nested powers can reach."""
MAX_SIZE = 4096
"""Nodes of the expression: a call such as `mish(z)` writes `z` several times."""
MAX_ORDER = 64
"""Order of a Hermite polynomial, of a monomial, of a rectified power."""
MAX_EXTREMES = 16
"""Arguments of one max or min, after nested ones are merged: SymPy compares all pairs."""
MAX_ALL_EXTREMES = 64
"""Arguments of all max and min together."""
MAX_PIECES = 32
"""Pieces of one piecewise."""
MAX_CLAUSES = 64
"""Clauses of the joined condition of neighbouring equal pieces, which SymPy multiplies out."""
