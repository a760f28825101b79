"""Export: the generated sources of an activation or a network, in memory and on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sympy import Expr

from .. import __version__
from ..activation import Activation
from ..backends import Contract, SourceFile
from ..backends.c import backend as c_backend
from ..backends.c.network import file as c_network
from ..backends.numpy import backend as numpy_backend
from ..backends.numpy import network as numpy_network
from ..errors import BadSpec, CannotWrite, UnsupportedOp
from ..runtime.arguments import read_collapse, read_only
from ..runtime.units.network import is_spec
from .collapsed import collapsed_sources
from .disk import write_all
from .languages import ARRAY_TARGETS, array_made, c_extras, gradient_source
from .lowered import Lowered, identifier, lower_any, network_of
from .made import Made
from .measured import measure as measured
from .mixture import unit_sources
from .package import package_made

TARGETS = ("c", "numpy")
"""What the shelf holds."""
MORE_TARGETS = ("jax", "torch", "package")
"""What an export writes beside: modules for frameworks, and a package with everything."""
COMMAND = "ntksym export --shelf codegen"
NOT_MEASURED = "not measured; ntksym export --measure does it"


def sources(
    lowered: Lowered, target: str, accuracy: str = NOT_MEASURED, command: str = COMMAND
) -> tuple[SourceFile, ...]:
    """The files of one target, support files first.

    Raises:
        BadSpec: an unknown target.
        UnsupportedOp: the target cannot spell an operation.
    """
    contract = Contract(command, lowered.formula, accuracy, lowered.source, __version__)
    if target not in TARGETS:
        raise BadSpec(f"unknown target {target!r}", hint="one of: " + ", ".join(TARGETS))
    if lowered.network is not None:
        if target == "numpy":
            return (numpy_network.network_file(lowered.network, contract),)
        made = c_network.network_file(lowered.network, contract)
        return c_backend.support_file(), made
    assert lowered.dual is not None
    pair, diag = lowered.dual
    if target == "numpy":
        return (numpy_backend.dual_file(lowered.name, pair, diag, contract),)
    return c_backend.support_file(), c_backend.dual_file(lowered.name, pair, diag, contract)


def generate(
    spec_or_net: Any,
    target: str,
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
    params: Mapping[str, Any] | None = None,
    collapse: bool | float = False,
    measure: bool = False,
    only: Literal["nngp"] | None = None,
) -> Made:
    """The files that `export` writes, and why the duals in them are computed as they are.

    `params` are numbers for parameters of an activation; those of a network are in its text.
    `measure` puts the measured accuracy of closed forms into the heads of C and NumPy files.
    `only` is as in `export`.

    There are no choices for a network of closed forms: there is nothing to choose.

    Raises:
        BadSpec, NoClosedForm, Undecided, NoCompiler: as `export`.
    """
    name, command = "", f"ntksym.export(..., {target!r})"
    if isinstance(spec_or_net, str):
        command = f'ntksym export "{spec_or_net}" --target {target}'
        command += "".join(f" --param {k}={v}" for k, v in (params or {}).items())
        command += _options(method, error, variances) + (f" --only {only}" if only else "")
        command += (" --collapse" if collapse else "") + (" --measure" if measure else "")
        if is_spec(spec_or_net):
            name = _name_of(spec_or_net)
    if read_only(only) and method == "auto":
        method = "nngp"
    thing = _with_params(network_of(spec_or_net), params or {})
    if target not in TARGETS + MORE_TARGETS:
        raise BadSpec(
            f"unknown target {target!r}", hint="one of: " + ", ".join(TARGETS + MORE_TARGETS)
        )
    if measure and (read_collapse(collapse) or target not in TARGETS):
        raise _not_measured("collapsed networks" if target in TARGETS else f"{target} files")
    if read_collapse(collapse):
        whole = collapsed_sources(thing, target, identifier(name), command, collapse, variances)
        return _with_extras(whole, target, variances, thing)
    if target in ARRAY_TARGETS:
        options = {"method": method, "error": error, "variances": variances}
        return array_made(thing, target, identifier(name), command, **options)
    if target == "package":
        options = {"method": method, "error": error, "variances": variances}
        return package_made(thing, name, command=command, **options)
    made = unit_sources(
        thing,
        target,
        identifier(name),
        command,
        __version__,
        method=method,
        error=error,
        variances=variances,
    )
    if made is not None and measure:
        raise _not_measured("mixtures, tables, series and rules")
    if made is None:
        lowered = lower_any(thing, name)
        accuracy = measured(lowered, target, {}).text() if measure else NOT_MEASURED
        made = Made(sources(lowered, target, accuracy, command), ())
        if target == "c":
            return _with_gradient(made, thing, lowered.name, command, measure)
    return _with_extras(made, target, variances, thing)


def _not_measured(what: str) -> BadSpec:
    return BadSpec(
        f"{what}: the accuracy is measured of closed forms in C and NumPy",
        hint="without --measure (measure=False); what is proven stands in the head",
    )


def _with_gradient(made: Made, thing: Any, name: str, command: str, measure: bool) -> Made:
    """C of closed forms as a library, with the derivatives where they are closed forms too."""
    without = ""
    files = made.files
    try:
        files = (*files, gradient_source(thing, name, command, measure))
    except (UnsupportedOp, BadSpec) as error:
        without = f"No gradient function: {error.what}"
    return replace(made, files=(*files, *c_extras(files, without)))


def _with_extras(made: Made, target: str, variances: Any, thing: Any) -> Made:
    """With what makes C a library: a header, CMake and pkg-config files, a consumer."""
    if target != "c":
        return made
    without = ""
    if not any(f.name.endswith("_gradient.c") for f in made.files):
        without = "No gradient function: " + (made.lacks or "not of collapsed layers")
    network = getattr(thing, "network", thing)
    net = network if hasattr(network, "blocks") else None
    files = (*made.files, *c_extras(made.files, without, variances, net))
    return replace(made, files=files)


def _with_params(thing: Any, params: Mapping[str, Any]) -> Any:
    """The activation with numbers for parameters."""
    if not params:
        return thing
    from ..language import as_activation, parse_number

    if not isinstance(thing, (str, Expr, Activation)):
        raise BadSpec(
            "parameters of a network are part of its text", hint="mlp:x*sigmoid(beta*x):beta=2"
        )
    numbers = {k: parse_number(str(v)) for k, v in params.items()}
    return as_activation(thing).with_params(**numbers)


def _options(method: str, error: float | None, variances: Any) -> str:
    """The options of the command that makes the file again."""
    text = "" if method == "auto" else f" --method {method}"
    text += "" if error is None else f" --error {error:g}"
    if variances is None:
        return text
    shown = variances if isinstance(variances, str) else None
    if shown is None:
        pair = variances if isinstance(variances, (tuple, list)) else (variances,)
        shown = ":".join(str(v) for v in pair)
    return f"{text} --variance {shown}"


def export(
    spec_or_net: Any,
    target: str,
    out_dir: str | os.PathLike[str],
    force: bool = False,
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
    collapse: bool | float = False,
    measure: bool = False,
    only: Literal["nngp"] | None = None,
) -> tuple[Path, ...]:
    """Write the sources of a network or an activation; the paths written.

    Args:
        spec_or_net: a network, an activation, or the text of one.
        target: "c" (with derivatives, header, CMake and pkg-config files, a consumer), "numpy",
            "jax", "torch", or "package", a directory that pip installs.
        out_dir: where the files go; it is made where it is not there.
        force: replace files that are there with other contents.
        method: as `ntksym.choose` takes it.
        error: the same.
        variances: the same; for a network of its inputs, |x|^2/d (|x|^2 where the convention does
            not scale), and the ranges of the layers follow.
        collapse: one certified polynomial of the angle of a network (C and NumPy), for homogeneous
            activations without biases, or for inputs with |x|^2/d = `variances`: True, or the error
            asked for.
        measure: compile and run the code of closed forms (C and NumPy) at hard covariances or rows,
            and write the worst errors, against 34 digits, into the head of the file.
        only: "nngp" where that kernel alone will do: where E[s'(u)^2] is infinite, so that nothing
            gives the NTK, the file has NaN for it and says so (C and NumPy).

    Raises:
        CannotWrite: the directory cannot be made or written, or a file would be overwritten.
        BadSpec: an unknown target, or a specification that does not say a network; a range of
            variances is needed and none is given.
        NoClosedForm: a method that was asked for does not apply.
        Undecided: a bound that was asked for cannot be proven.
        NoCompiler: C is to be measured, and no compiler works.
    """
    made = generate(
        spec_or_net,
        target,
        method=method,
        error=error,
        variances=variances,
        collapse=collapse,
        measure=measure,
        only=only,
    )
    return write_files(made.files, Path(out_dir), force=force)


def _name_of(spec: str) -> str:
    if spec.endswith(".toml"):
        return Path(spec).stem
    return "_".join(spec.split(":")[:2][::-1])


def write_files(files: tuple[SourceFile, ...], folder: Path, *, force: bool) -> tuple[Path, ...]:
    """Write files atomically: all are checked before the first is touched.

    Raises:
        CannotWrite: as in `export`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"cannot make the directory {folder}", where=str(error), hint="another --out"
        ) from error
    for f in files:
        path = folder / f.name
        if path.exists() and not force and _read(path) != f.text:
            raise CannotWrite(
                f"{path} exists and differs", hint="force=True (--force), or another directory"
            )
    return write_all(files, folder)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
