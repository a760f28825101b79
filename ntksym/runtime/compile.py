"""`compile`: from a network or an activation to a function of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from ..errors import NoCompiler, NoRoom
from ..waiting import told
from .arguments import (
    read_cache,
    read_collapse,
    read_dtype,
    read_error,
    read_only,
    read_target,
    read_threads,
)
from .later import Asked, is_network, named, network_of, read_toml
from .library.recipes import read_recipe, write_recipe

if TYPE_CHECKING:
    from os import PathLike

    from sympy import Expr

    from ..activation import Activation
    from ..dual import Dual
    from ..network import Network, Recursion
    from ..numeric.expected import ExpectedDual
    from ..numeric.mixture import MixtureDual
    from .alone import NngpDual, NngpKernel
    from .deep.collapsed import CollapsedKernel
    from .dual_arrays import CompiledDual
    from .kernel import CompiledKernel
    from .units.ranged import RangedDual, RangedKernel

Only: TypeAlias = Literal["nngp"]


@overload
def compile(
    net: Network | Recursion,
    target: str = ...,
    dtype: Any = ...,
    cache: bool = ...,
    threads: int | None = ...,
    *,
    method: str = ...,
    error: float | None = ...,
    variances: Any = ...,
    collapse: bool | float | None = ...,
    only: None = ...,
) -> CompiledKernel | RangedKernel | CollapsedKernel: ...


@overload
def compile(  # text says a network or an activation: no type checker reads it
    net: str | PathLike[str],
    target: str = ...,
    dtype: Any = ...,
    cache: bool = ...,
    threads: int | None = ...,
    *,
    method: str = ...,
    error: float | None = ...,
    variances: Any = ...,
    collapse: bool | float | None = ...,
    only: Only | None = ...,
) -> Any: ...


@overload
def compile(  # type: ignore[overload-cannot-match]  # where SymPy has no types
    net: Activation | Dual | MixtureDual | ExpectedDual | Expr | Callable[..., Any],
    target: str = ...,
    dtype: Any = ...,
    cache: bool = ...,
    threads: int | None = ...,
    *,
    method: str = ...,
    error: float | None = ...,
    variances: Any = ...,
    only: None = ...,
) -> CompiledDual | RangedDual: ...


@overload
def compile(  # the kernel alone
    net: Any,
    target: str = ...,
    dtype: Any = ...,
    cache: bool = ...,
    threads: int | None = ...,
    *,
    method: str = ...,
    error: float | None = ...,
    variances: Any = ...,
    collapse: bool | float | None = ...,
    only: Only,
) -> NngpKernel | NngpDual: ...


def compile(
    net: Any,
    target: str = "c",
    dtype: Any = "float64",
    cache: bool = True,
    threads: int | None = None,
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
    collapse: bool | float | None = None,
    only: Only | None = None,
) -> Any:
    """Code that runs: of a network a function of data, of an activation one of covariances.

    The kernel `k` of a network gives `k(X, Y).nngp` and `k(X, Y).ntk`, arrays (n, m) for rows
    (n, d) and (m, d); `k(X)` is symmetric and `k.diag(X)` its diagonal.  The dual `d` of an
    activation gives `d(q11, q12, q22)`, a pair of arrays.

    Args:
        net: a network or recursion, its text (`mlp:...`, a TOML file), an activation, its text, a
            SymPy expression of one variable, a dual, or a Python callable (sampled, and says so).
        target: "c" or "numpy".
        dtype: "float64" or "float32", as a name or a NumPy type.  Of "float32" products and layers
            are in float where the generated code has float layers and the variances are of
            moderate size, else in double and rounded; diagonals and nearly collinear pairs are
            always in double.
        cache: keep what is generated, compiled and built; False leaves nothing behind.
        threads: by default the processors that this program may run on.
        method: of duals without closed form, or of all: see `ntksym.choose`.
        error: what is asked of the method, relative to sqrt(K(q11) K(q22)).
        variances: of the pre-activations of an activation: (lo, hi) or a number; a network takes
            those of its data.
        collapse: one certified polynomial of the angle instead of layers, for data on a sphere
            or homogeneous activations without biases: True, or the error asked for.  None: in
            calls of a deep network where it pays, proven to 2e-14, float32 to 1e-8; the kernel's
            `taken` says what the last call did.  False: never.
        only: "nngp" for that kernel alone, which needs no E[s'(u)^2]: for activations such as
            |x - 1|^0.3, whose slope is not square integrable, there is no other.

    Returns:
        A `CompiledKernel` for a network or a recursion, a `CompiledDual` for an activation or a
        dual; a `RangedKernel` or `RangedDual`, with the same calls, where code is made for the
        range of the variances; a `CollapsedKernel` where `collapse` asks for one.  Without a
        compiler that works, `target="c"` gives the NumPy version and warns.  With `only` an
        `NngpKernel` or `NngpDual`, whose calls give one array.

    Raises:
        BadSpec: an unknown target or dtype, another bad option, an object that says neither a
            network nor an activation, or a parameter without a value.
        NoClosedForm: the activation has none.
        UnsupportedOp: the target cannot spell an operation.
    """
    if read_only(only) is not None:
        from .alone import NngpDual, NngpKernel

        method = "nngp" if method == "auto" else method
        options = {"method": method, "error": error, "variances": variances}
        made = compile(net, target, dtype, cache, threads, collapse=collapse, **options)
        return NngpKernel(made) if hasattr(made, "gram") else NngpDual(made)
    asked = Asked(
        read_target(target),
        read_dtype(dtype),
        read_cache(cache),
        read_threads(threads),
        method,
        read_error(error),
        variances,
        read_collapse(collapse),
    )
    net = read_toml(net)
    try:
        return _made(net, asked)
    except NoCompiler as missing:
        if target != "c":
            raise
        said = [line for line in missing.where.splitlines() if "error" in line][:1]
        reason = "; ".join((missing.what, *missing.tried, *said))
        how = "Install gcc or clang, or set CC to a compiler, for the speed of C"
        if isinstance(missing, NoRoom):
            how = f"For the speed of C: {missing.hint}"
        warnings.warn(
            f'{reason}: the slower NumPy version is used. {how}; target="numpy" asks for NumPy '
            "without this warning",
            RuntimeWarning,
            stacklevel=2,
        )
    return _made(net, asked.on("numpy"))


def _made(net: Any, asked: Asked) -> Any:
    """From its recipe, or afresh; then there is one for the next time."""
    key = asked.key(net)
    recipe = read_recipe(key)
    if recipe is not None:
        from .stored import again

        return again(recipe, net, asked)
    from .collector import collecting_seldom
    from .library.objects import compiled_beside

    many = is_network(net) and asked.target == "c"
    beside = compiled_beside(asked.cache, asked.dtype) if many else nullcontext()
    with (
        told(f"compile {named(net)}", "deriving, generating, compiling"),
        beside,
        collecting_seldom(),
    ):
        if many:
            from .foreseen import say_early

            say_early(network_of(net))
        from .fresh import fresh  # what lowers and generates takes a while to import

        made = fresh(net, asked)
    from .stored import recipe_of

    write_recipe(key, recipe_of(made))
    return made
