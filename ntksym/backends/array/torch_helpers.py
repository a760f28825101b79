"""The first lines of the generated PyTorch modules: primitives under the names of `array.helpers`.

Everything stays on the device of the inputs, and nothing waits for it.
"""

from __future__ import annotations

PREAMBLE = '''
import torch

_INF = float("inf")
_FAR, _SMALL = 1e18, 1e-37  # their squares and quotients neither overflow nor vanish in float32
_abs, _sqrt, _exp, _expm1 = torch.abs, torch.sqrt, torch.exp, torch.expm1
_log, _log1p, _sin, _cos = torch.log, torch.log1p, torch.sin, torch.cos
_sinh, _cosh, _tanh, _hypot, _atan2 = torch.sinh, torch.cosh, torch.tanh, torch.hypot, torch.atan2
_erf, _erfc = torch.erf, torch.erfc
_ERFC_IS_RIGHT = True


def _still(a):
    return a.detach()


def _is_array(a):
    return isinstance(a, torch.Tensor)


def _arrays(*values):
    """The values as tensors of one dtype, float32 or float64, and device, broadcast."""
    known = torch.Tensor, int, float
    values = [v if isinstance(v, known) else torch.as_tensor(v) for v in values]
    tensors = [v for v in values if isinstance(v, torch.Tensor)]
    dtype = torch.get_default_dtype()
    if tensors:
        kinds = [t.dtype for t in tensors if t.dim()] or [t.dtype for t in tensors]
        found = kinds[0]
        for kind in kinds[1:]:
            found = torch.promote_types(found, kind)
        if found.is_complex:
            raise TypeError("a covariance is no complex number: give its real part")
        dtype = found if found.is_floating_point else dtype
    dtype = torch.promote_types(dtype, torch.float32)  # half precision has too few digits
    device = tensors[0].device if tensors else None

    def made(v):
        if isinstance(v, torch.Tensor):
            return v.to(dtype)
        return torch.full((), v, dtype=dtype, device=device)

    return torch.broadcast_tensors(*map(made, values))


def _like(a, b):
    if not isinstance(b, torch.Tensor):
        b = torch.full((), b, dtype=a.dtype, device=a.device)
    return b


def _max(a, b):
    return torch.maximum(a, _like(a, b)) if _is_array(a) else torch.maximum(_like(b, a), b)


def _min(a, b):
    return torch.minimum(a, _like(a, b)) if _is_array(a) else torch.minimum(_like(b, a), b)


def _sign(a):
    return torch.sign(a) if _is_array(a) else float((a > 0.0) - (a < 0.0))


def _where(choice, a, b):
    if not _is_array(choice):
        return a if choice else b
    if _is_array(a):
        return torch.where(choice, a, _like(a, b))
    if _is_array(b):
        return torch.where(choice, _like(b, a), b)
    return torch.where(choice, a, b)


def _rule(value, partials):
    """A function with its partial derivatives: exact forms, not the derivative of a series."""
    both = _pair_rule(lambda *at: (value(*at),), lambda *at: (partials(*at),))
    return lambda *values: both(*values)[0]


def _pair_rule(value, partials):
    """The same for a function of several values."""

    def full(*at):
        return tuple(_like(at[0], v) + torch.zeros_like(at[0]) for v in value(*at))

    def back(flows, *at):
        # what is not read has no flow, and its slopes may be infinite: not 0 times infinity
        each = [[f * p for p in row] for f, row in zip(flows, partials(*at)) if f is not None]
        return tuple(map(sum, zip(*each))) if each else (None,) * len(at)

    class Rule(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*at):
            return full(*at)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)

        @staticmethod
        def backward(ctx, *flows):
            return back(flows, *ctx.saved_tensors)

        @staticmethod
        def jvp(ctx, *along):
            return tuple(
                sum(p * t for p, t in zip(each, along) if t is not None)
                for each in partials(*ctx.saved_tensors)
            )

    class Traced(torch.autograd.Function):  # what torch.compile takes; once, and none inside

        @staticmethod
        def forward(ctx, *at):
            ctx.save_for_backward(*at)
            return full(*(a.detach() for a in at))

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, *flows):
            return back(flows, *(a.detach() for a in ctx.saved_tensors))

    def run(*values):
        at = _arrays(*values)
        if not torch.compiler.is_compiling():
            return Rule.apply(*at)
        return Traced.apply(*at) if any(a.requires_grad for a in at) else full(*at)

    return run


def _in_doubles(f):
    """f, whose floats are computed in doubles and rounded; not where a device has no doubles."""

    def rounded(value):
        if isinstance(value, tuple):
            return tuple(map(rounded, value))
        return value.to(torch.float32) if _is_array(value) else value

    def run(*at):
        if at[0].dtype == torch.float64 or at[0].device.type == "mps":
            return f(*at)
        return rounded(f(*(a.double() for a in at)))

    return run


def _added(part, count, zero):
    for i in range(count):
        zero = zero + part(i)
    return zero


def _weighted(part, rule, zero):
    """The sum of weight*part(node)."""
    for at, weight in rule:
        zero = zero + weight * part(at)
    return zero


def _gamma(a):
    return torch.exp(torch.lgamma(a))


def _floor(a):
    """A power of two that can be squared and divided by."""
    return 2.0**-500 if _is_array(a) and a.dtype == torch.float64 else 2.0**-60


def _bits(a):
    """The integers as wide as floats like a, the bias of their exponents, and their digits."""
    wide = a.dtype == torch.float64
    return (torch.int64, 1023, 52) if wide else (torch.int32, 127, 23)


def _high(a):
    """The upper half of the digits of a."""
    whole, _, digits = _bits(a)
    lower = (1 << (digits // 2 + 1)) - 1
    return (a.contiguous().view(whole) & ~lower).view(a.dtype)


def _rounded(a):
    return a


def _half_exponent(a):
    """k with 4**k about a, by its bits: no compiled loop takes doubles beside frexp's integers."""
    whole, bias, digits = _bits(a)
    power = (a.contiguous().view(whole) >> digits) & (2 * bias + 1)
    return (power - (bias - 1)) >> 1


def _scaled(a, k):
    """a*2**k, in steps that are all representable."""
    first = k >> 1
    return a * _two(first, a) * _two(k - first, a)


def _two(k, like):
    _, bias, digits = _bits(like)
    return ((torch.clamp(k, 1 - bias, bias) + bias) << digits).view(like.dtype)
'''

HOST = '''
@torch.library.custom_op("ntksym::numpy_@DIGEST@", mutates_args=())
def _numpy_operator(name: str, used: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """NumPy's values where used; an operator, so that whole graphs compile."""
    return _at_once(name, used, at)


@_numpy_operator.register_fake
def _(name, used, at):
    return torch.empty_like(at[0])


@_numpy_operator.register_vmap
def _(info, dims, name, used, at):
    used, at = (v.expand(info.batch_size, *v.shape) if d is None else v.movedim(d, 0)
                for v, d in zip((used, at), dims[1:]))
    return _numpy_operator(name, used, at.movedim(1, 0)), 0


def _at_once(name, used, at):
    found = _numpy_values(name, *(v.detach().cpu().numpy() for v in (used, *at)))
    return torch.as_tensor(found, device=used.device)


def _on_host(name, used, given, fill, plain):
    """NumPy's values where used; they have no derivatives."""
    some = _any(used)
    if some is False:
        return plain
    try:
        found = None if some is None else _at_once(name, used, given)
    except RuntimeError:  # tensors that functions are mapped or differentiated over have no memory
        found = None
    if found is None:
        found = _numpy_operator(name, used, torch.stack(tuple(given)))
    return _where(used, found, plain)
'''
"""How PyTorch calls NumPy."""
