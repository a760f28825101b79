"""The first lines of the generated JAX modules: primitives under the names of `array.helpers`."""

from __future__ import annotations

COMPILED = "@_compiled\n"
PREAMBLE = '''
import contextlib
import functools

import jax
import jax.numpy as jnp
from jax.scipy import special as _special

_INF = jnp.inf
_FAR, _SMALL = 1e18, 1e-37  # their squares and quotients neither overflow nor vanish in float32
_abs, _sign, _sqrt, _exp, _expm1 = jnp.abs, jnp.sign, jnp.sqrt, jnp.exp, jnp.expm1
_log, _log1p, _sin, _cos = jnp.log, jnp.log1p, jnp.sin, jnp.cos
_sinh, _cosh, _tanh, _hypot, _atan2 = jnp.sinh, jnp.cosh, jnp.tanh, jnp.hypot, jnp.arctan2
_max, _min, _where = jnp.maximum, jnp.minimum, jnp.where
_erf, _erfc, _gamma = _special.erf, _special.erfc, _special.gamma
_ERFC_IS_RIGHT = False  # in tails XLA's is off by 6 eps
_still = jax.lax.stop_gradient
_x64 = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64


def _is_array(a):
    return hasattr(a, "dtype")


def _arrays(*values):
    """The values as arrays of one dtype, float32 or float64; shapes are left alone."""
    dtype = jnp.result_type(*values)
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError("a covariance is no complex number: give its real part")
    if not jnp.issubdtype(dtype, jnp.floating):
        dtype = jnp.result_type(float)
    dtype = jnp.promote_types(dtype, jnp.float32)  # half precision has too few digits
    return tuple(jnp.asarray(v, dtype) for v in values)


def _compiled(f):
    """f, compiled once for each shape and type; what is not given in a call stays a constant."""
    fixed = [name for name in ("exact",) if name in f.__code__.co_varnames]
    run = jax.jit(f, static_argnames=fixed)

    @functools.wraps(f)
    def call(*args, **given):
        return run(*args, **given)

    return call


def _width_of(at):
    """x64 where these are doubles: derivatives of what is compiled are taken later, outside."""
    doubles = any(a.dtype == jnp.float64 for a in at)
    return _x64(True) if doubles else contextlib.nullcontext()


def _rule(value, partials):
    """A function with its partial derivatives: exact forms, not the derivative of a series."""
    f = jax.custom_jvp(value)

    @f.defjvp
    def _(at, along):
        with _width_of(at):
            return f(*at), sum(p * t for p, t in zip(partials(*at), along))

    return lambda *values: f(*_arrays(*values))


def _pair_rule(value, partials):
    """The same for a function of several values."""
    f = jax.custom_jvp(lambda *at: tuple(_wide(v, at) for v in value(*at)))

    @f.defjvp
    def _(at, along):
        with _width_of(at):
            both = f(*at)
            flows = (sum(p * t for p, t in zip(each, along)) for each in partials(*at))
            return both, tuple(_wide(v, both) for v in flows)

    return lambda *values: f(*_arrays(*values))


def _wide(value, others):
    shape = jnp.broadcast_shapes(*(o.shape for o in others))
    return jnp.broadcast_to(jnp.asarray(value, others[0].dtype), shape)


def _in_doubles(f):
    """f, whose floats are computed in doubles and rounded, with x64 or without."""

    def rounded(value):
        several = isinstance(value, tuple)
        return tuple(map(rounded, value)) if several else jnp.asarray(value, jnp.float32)

    def run(*at):
        if at[0].dtype == jnp.float64:
            return f(*at)
        with _x64(True):
            return rounded(f(*(jnp.asarray(a, jnp.float64) for a in at)))

    return run


def _together(f, *calls):
    """f of each of several tuples of arguments: of those of one shape in one call, which XLA writes
    the code of once.
    """
    shapes = [jnp.broadcast_shapes(*map(jnp.shape, given)) for given in calls]
    found = {}
    for shape in dict.fromkeys(shapes):
        same = [k for k, other in enumerate(shapes) if other == shape]
        flat = _arrays(*(v for k in same for v in calls[k]))  # of one type
        flat, count = [jnp.broadcast_to(v, shape) for v in flat], len(calls[0])
        each = f(*(jnp.stack(flat[k::count]) for k in range(count)))
        found.update({k: each[i] for i, k in enumerate(same)})
    return tuple(found[k] for k in range(len(calls)))


def _added(part, count, zero):
    return jax.lax.fori_loop(0, count, lambda i, total: total + part(i), zero)


def _weighted(part, rule, zero):
    """The sum of weight*part(node); a loop, which compiles in a fraction of the time."""
    at, share = jnp.asarray(rule, zero.dtype).T
    return _added(lambda i: share[i] * part(at[i]), len(rule), zero)


def _floor(a):
    """A power of two that can be squared and divided by."""
    return 2.0**-500 if _is_array(a) and a.dtype == jnp.float64 else 2.0**-60


def _bits(a):
    return (jnp.int64, 52) if a.dtype == jnp.float64 else (jnp.int32, 23)


def _high(a):
    """The upper half of the digits of a."""
    whole, digits = _bits(a)
    lower = (1 << (digits // 2 + 1)) - 1
    return jax.lax.bitcast_convert_type(jax.lax.bitcast_convert_type(a, whole) & ~lower, a.dtype)


def _rounded(a):
    """The value itself, rounded before it is used: a compiler may not fuse it into a sum."""
    return jax.lax.reduce_precision(a, 11 if a.dtype == jnp.float64 else 8, _bits(a)[1])


def _half_exponent(a):
    """k with 4**k about a."""
    return jnp.frexp(a)[1] // 2


def _scaled(a, k):
    """a*2**k, in steps that are all representable."""
    first = k // 2
    return a * _two(first, a) * _two(k - first, a)


def _two(k, like):
    whole, digits = _bits(like)
    bias = (1 << (10 if digits == 52 else 7)) - 1
    k = jnp.clip(k, 1 - bias, bias).astype(whole)
    return jax.lax.bitcast_convert_type((k + bias) << digits, like.dtype)
'''

HOST = '''
def _words(a):
    """The bits of numbers, in words along a new last axis."""
    return jax.lax.bitcast_convert_type(a, jnp.uint32).reshape(*a.shape, -1)


def _on_host(name, used, given, fill, plain):
    """NumPy's values where used, where XLA cannot go; they have no derivatives.

    Blocks are small: copies of large arrays wait for the threads that wait for the callback.
    Numbers go as words: without x64 doubles would arrive as floats.
    """

    def values(used, *words):
        found = _numpy_values(name, used, *(np.asarray(w).view(plain.dtype)[..., 0] for w in words))
        return found[..., None].view(np.uint32)

    def run(used, *at):
        at = [_words(a.astype(plain.dtype)) for a in at]
        shape = jax.ShapeDtypeStruct(at[0].shape, jnp.uint32)
        found = jax.pure_callback(values, shape, used, *at, vmap_method="broadcast_all")
        found = found if plain.itemsize > 4 else found[..., 0]
        return jax.lax.bitcast_convert_type(found, plain.dtype)

    return _chosen(used, run, (used, *given), (False, *fill), plain, 16)
'''
"""How JAX calls NumPy."""
