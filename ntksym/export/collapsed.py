"""The files of a collapsed network: one certified polynomial of the angle instead of layers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sympy import Rational

from .. import __version__
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c.network import collapsed as c_collapsed
from ..backends.numpy import collapsed as numpy_collapsed
from ..errors import BadSpec
from ..numeric.choice import read_variances
from ..runtime.deep.collapsed import ERROR
from ..runtime.deep.collapsed_forms import collapsed_program, kept_collapse
from ..runtime.units.layers import first_affine
from .made import Made


def collapsed_sources(
    thing: Any, target: str, name: str, command: str, collapse: bool | float, variances: Any
) -> Made:
    """The C or NumPy files.

    Args:
        thing: a network or a recursion.
        target: "c" or "numpy".
        name: of the file and the functions.
        command: how the head of the files says they were made.
        collapse: True, or the error to be proven.
        variances: |x|^2/d of all inputs (|x|^2 where the convention does not scale), or None for
            homogeneous activations without biases.

    Raises:
        BadSpec: not a network, another target, or a range of variances.
        NoClosedForm: not a function of the angle alone.
        Undecided: the error is not reached.
    """
    network = getattr(thing, "network", thing)
    if not hasattr(network, "blocks"):
        raise BadSpec("only a network can be collapsed", hint="mlp:relu:depth=20, for example")
    if target not in ("c", "numpy"):
        raise BadSpec(f"a collapsed network has no target {target!r}", hint="c or numpy")
    variance = None
    if variances is not None:
        low, high = (Fraction(v) for v in read_variances(variances))
        if low != high:
            raise BadSpec(
                f"a network is collapsed for one variance, not for {variances}",
                hint="--variance 1 for normalised inputs",
            )
        slope, offset = first_affine(network, 1)
        variance = Rational(float(slope * low + offset))
    error = ERROR if collapse is True else float(collapse)
    found = kept_collapse(network, variance, error, True)
    program = collapsed_program(found, name or "network")
    refs = tuple(dict.fromkeys(r for a in network.activations for r in a.refs))
    formula = (
        "the NNGP kernel and the NTK of a network",
        *network.described(),
    )
    contract = Contract(
        command, formula, "the bound above; rounding not measured", refs, __version__
    )
    if target == "numpy":
        files: tuple[SourceFile, ...] = (numpy_collapsed.network_file(program, contract),)
    else:
        files = (c_backend.support_file(), c_collapsed.network_file(program, contract))
    return Made(files, (), proven=tuple(program.notes))
