"""The JAX and PyTorch files of an activation or a network, and what a C library needs to be used.

For C: a public header, a CMake project with an exported target, a pkg-config file, a consumer.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from typing import Any

from .. import __version__
from ..backends import Contract, SourceFile
from ..backends._base import comment
from ..backends.array import jax as jax_backend
from ..backends.array import jax_units, torch_units
from ..backends.array import torch as torch_backend
from ..backends.c.gradient import dual as c_gradient_dual
from ..backends.c.gradient.library import gradient_library
from ..dual import Dual, dual
from ..errors import BadSpec, UnsupportedOp
from ..gradients import dual_gradients
from ..language.write import in_decimals
from ..lower import lower_network
from ..network import Network, Recursion, recurse
from ..runtime.gradients.alone import standalone_plan
from ..runtime.units.array_plan import array_plan, dual_choice, unit_of_choice
from ..runtime.units.layers import Wanted, input_range
from ..runtime.units.network import needs_numeric
from .example import example
from .layer_slopes import layer_slopes
from .lowered import about_network
from .made import Made
from .settled import settled_of
from .slopes import dual_slopes, network_slopes

ARRAY_TARGETS = ("jax", "torch")
_DUALS = {"jax": jax_backend.dual_file, "torch": torch_backend.dual_file}
_NETWORKS = {"jax": jax_backend.network_file, "torch": torch_backend.network_file}
_UNITS = {"jax": jax_units.dual_file, "torch": torch_units.dual_file}
_UNIT_NETWORKS = {"jax": jax_units.network_file, "torch": torch_units.network_file}


def array_sources(
    thing: Any, target: str, name: str = "", command: str = "", **options: Any
) -> tuple[SourceFile, ...]:
    """The one file of `array_made`, which takes the same."""
    return array_made(thing, target, name, command, **options).files


def array_made(
    thing: Any,
    target: str,
    name: str = "",
    command: str = "",
    formula: tuple[str, ...] = (),
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
) -> Made:
    """The one module of a network, a recursion, an activation or its dual, in JAX or PyTorch.

    Args:
        thing: what is written.
        target: "jax" or "torch".
        name: of the file.
        command: how its head says it was made.
        formula: for the head, instead of the activation's.
        method: of duals without closed form, or of all: see `ntksym.choose`.
        error: what is asked of the method.
        variances: as for `export`: what tables and series are for.

    Raises:
        BadSpec: another target, a parameter of a layer without a value, or a range of variances
            is needed and none is given.
        NoClosedForm: a method that was asked for does not apply.
        UnsupportedOp: an operation that the target cannot spell (2F1 of parameters), a parameter
            without a closed-form derivative, or a method that the target does not have.
    """
    if target not in ARRAY_TARGETS:
        raise BadSpec(f"unknown target {target!r}", hint="one of: " + ", ".join(ARRAY_TARGETS))
    command = command or f"ntksym.export(..., {target!r})"
    if needs_numeric(thing, method, variances):
        wanted = Wanted(method, error)
        network = getattr(thing, "network", thing)
        if isinstance(network, Network):
            return _network_units(network, target, name, command, wanted, variances)
        return _dual_units(thing, target, name, command, wanted, variances)
    if isinstance(thing, (Network, Recursion)):
        recursion = thing if isinstance(thing, Recursion) else recurse(thing)
        shown = formula or about_network(recursion, len(recursion.layers))
        contract = Contract(command, shown, _ACCURACY, _references(recursion.network), __version__)
        schedule = lower_network(recursion, name or "network")
        return Made((_NETWORKS[target](schedule, contract, layer_slopes(recursion, schedule)),), ())
    found = thing if isinstance(thing, Dual) else dual(thing)
    act = found.activation
    shown = formula or (
        f"nngp = E[s(u) s(v)], s(x) = {in_decimals(act.expr)}",
        "dot = d nngp/d q12",
    )
    contract = Contract(command, shown, _ACCURACY, tuple(act.refs), __version__)
    given = dual_gradients(found), contract, settled_of(found)
    return Made((_DUALS[target](name or act.name or "dual", *given),), ())


def gradient_source(thing: Any, name: str, command: str, measure: bool = False) -> SourceFile:
    """The C file of the derivatives of a closed form's kernels, or of those of a network.

    `measure`: what its errors are found to be stands in its head.

    Raises:
        NoCompiler: there is none to measure with.
        UnsupportedOp: a parameter without a closed-form derivative, or a layer whose derivative
            dual is infinite.
    """
    if hasattr(thing, "input_rule") or hasattr(thing, "blocks"):
        recursion = thing if isinstance(thing, Recursion) else recurse(thing)
        net = recursion.network
        about = (
            "the NNGP kernel and the NTK of a network, and their derivatives",
            *net.described(),
        )
        contract = Contract(command, about, _ACCURACY, _references(net), __version__)
        plan = standalone_plan(recursion, name)
        file = gradient_library(plan, contract)
        if not measure:
            return file
        return gradient_library(plan, replace(contract, accuracy=network_slopes(file, recursion)))
    found = thing if isinstance(thing, Dual) else dual(thing)
    given = dual_gradients(found)
    if given.left_out:
        raise UnsupportedOp(f"no closed form for the derivative in {given.left_out[0]!r}")
    act = found.activation
    shown = (
        f"nngp = E[s(u) s(v)], s(x) = {in_decimals(act.expr)}",
        "dot = d nngp/d q12",
        "derivatives of both",
    )
    contract = Contract(command, shown, _ACCURACY, tuple(act.refs), __version__)
    file = c_gradient_dual.gradient_file(name, given, contract)
    if not measure:
        return file
    found_to_be = replace(contract, accuracy=dual_slopes(file, given))
    return c_gradient_dual.gradient_file(name, given, found_to_be)


def _references(network: Network) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r for a in network.activations for r in a.refs))


_ACCURACY = "not measured; no bound is proven for this file"
_BOUNDS = "the bounds of the duals, below; rounding not measured"


def _dual_units(
    thing: Any, target: str, name: str, command: str, wanted: Wanted, variances: Any
) -> Made:
    """The module of one dual without closed form."""
    choice = dual_choice(thing, wanted, variances)
    act = choice.activation
    shown = (f"nngp = E[s(u) s(v)], s(x) = {in_decimals(act.expr)}", "dot = d nngp/d q12")
    contract = Contract(command, shown, _BOUNDS, tuple(act.refs), __version__)
    unit = unit_of_choice(choice, {}, "distributional")
    return Made((_UNITS[target](name or act.name or "dual", unit, contract),), (choice,))


def _network_units(
    network: Network, target: str, name: str, command: str, wanted: Wanted, variances: Any
) -> Made:
    """The module of a network with duals without closed form."""
    span = input_range(network, variances)
    found, choices = array_plan(network, wanted, span, name or "network")
    shown = about_network(network, network.depth)
    contract = Contract(command, shown, _BOUNDS, _references(network), __version__)
    return Made((_UNIT_NETWORKS[target](found, contract),), choices)


_PROTOTYPE = re.compile(
    r"^((?:/\*(?:[^*]|\*(?!/))*\*/\n)?)"
    r"((?:void |int |size_t |const char \*)(ntksym_\w+)\([^)]*\))\s*\{",
    re.M,
)


def c_extras(
    files: tuple[SourceFile, ...],
    without: str = "",
    variances: Any = None,
    network: Network | None = None,
) -> tuple[SourceFile, ...]:
    """What makes generated C a library: header, CMake, pkg-config, and a consumer that builds.

    The functions are those that the `.c` files define.  `<name>.pc.in` and the CMake package
    are filled in by CMake at installation.  `without` says what the library lacks; the consumer
    calls it inside its `variances`, as `export` takes them.
    """
    bodies = [f for f in files if f.name.endswith(".c")]
    name = bodies[0].name.removesuffix(".c")
    found = [row for f in bodies for row in _PROTOTYPE.findall(f.text)]
    guard = f"NTKSYM_{name.upper()}_H"
    units = " ".join(f.name for f in bodies)
    listed = " and ".join(f.name for f in bodies)
    prototypes = {f: text for _, text, f in found}
    about = f"The functions of {listed}, which say what they compute and how well."
    said = textwrap.wrap(about, 94)
    said += textwrap.wrap(comment(without), 94)
    head = "/* " + "\n * ".join(said) + " */\n"
    body = "".join(f"{doc}{text.replace('NTKSYM_RESTRICT ', '')};\n\n" for doc, text, _ in found)
    header = (
        f"{head}#ifndef {guard}\n#define {guard}\n#include <stddef.h>\n#ifdef __cplusplus\n"
        f'extern "C" {{\n#endif\n\n{body}#ifdef __cplusplus\n}}\n#endif\n#endif\n'
    )
    cmake = _CMAKE.replace("@UNITS@", units).replace("@N@", name).replace("@V@", __version__)
    return (
        SourceFile(f"{name}.h", header),
        SourceFile("CMakeLists.txt", cmake),
        SourceFile(f"ntksym_{name}.pc.in", _PKG_CONFIG.replace("@N@", name)),
        SourceFile("consumer.c", _consumer(name, prototypes, example(variances, network, 3))),
    )


def _consumer(
    name: str, prototypes: dict[str, str], where: tuple[float, float, float | None]
) -> str:
    """A program that calls the library where it has values, and prints what it gets."""
    stem = f"ntksym_{name}"
    head = f'#include "{name}.h"\n#include <stdio.h>\n#include <stdlib.h>\n\nint main(void)\n{{\n'
    inside = prototypes.get(stem, "").split("(", 1)[-1]
    params = ", 0.5" * len(re.findall(r"(?<=[(,])\s*double \w+(?=[,)])", inside))
    body, given = _CALL_DUAL, f"1, q, q12, q + 1{params}, out"
    if f"{stem}_input" in prototypes:
        body = _CALL_NETWORK if stem in prototypes else _CALL_DIAGONAL
        given = "1, 1, 3, x, y, out, NULL"
    if f"{stem}_gradient" in prototypes:
        body += _CALL_GRADIENT.replace("@GIVEN@", given)
    low, high, square = where
    side, last = (1.0, 0.5) if square is None else ((square / 3) ** 0.5,) * 2
    numbers = {"LOW": low, "HIGH": min(high, max(low, 1.0)), "COVARIANCE": 0.5 * low}
    numbers |= {"SIDE": side, "LAST": last}
    for mark, value in numbers.items():
        body = body.replace(f"@{mark}@", repr(value))
    body = body.replace("@STEM@", stem).replace("@PARAMS@", params)
    return head + body + "  return 0;\n}\n"


_CALL_DUAL = """  const double q[2] = {@LOW@, @HIGH@}, q12[1] = {@COVARIANCE@};
  double nngp[2], dot[2];
  @STEM@_diag(2, q@PARAMS@, nngp, dot);
  for (int i = 0; i < 2; ++i)
    printf("q = %g: nngp %.17g, derivative %.17g\\n", q[i], nngp[i], dot[i]);
  @STEM@(1, q, q12, q + 1@PARAMS@, nngp, dot);
  printf("q11, q12, q22 = %g, %g, %g: ", q[0], q12[0], q[1]);
  printf("nngp %.17g, derivative %.17g\\n", nngp[0], dot[0]);
"""

_CALL_NETWORK = """  const double x[3] = {@SIDE@, @SIDE@, @SIDE@}, y[3] = {@SIDE@, -@SIDE@, @LAST@};
  double nngp[1], ntk[1];
  if (@STEM@(1, 1, 3, x, x, nngp, ntk)) return 1;
  printf("x and itself: nngp %.17g, ntk %.17g\\n", nngp[0], ntk[0]);
  if (@STEM@(1, 1, 3, x, y, nngp, ntk)) return 1;
  printf("x and y: nngp %.17g, ntk %.17g\\n", nngp[0], ntk[0]);
"""

_CALL_DIAGONAL = """  const double g = 3.0;
  double first[4], ntk, *q = (double *)malloc(2 * (@STEM@_layers() + 1) * sizeof *q);
  if (!q) return 1;
  @STEM@_input(3, first);
  @STEM@_diag(1, &g, first, q, &ntk);
  printf("<x, x> = %g in dimension 3: ntk %.17g\\n", g, ntk);
  free(q);
"""

_CALL_GRADIENT = """  const size_t planes = @STEM@_gradient_planes();
  double *out = (double *)malloc(planes * sizeof *out);
  if (!out) return 1;
  @STEM@_gradient(@GIVEN@);
  for (size_t i = 0; i < planes; ++i) printf("%s %.17g\\n", @STEM@_gradient_plane(i), out[i]);
  free(out);
"""

_CMAKE = """cmake_minimum_required(VERSION 3.15)
project(ntksym_@N@ VERSION @V@ LANGUAGES C)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(ntksym_@N@ @UNITS@)
add_library(ntksym::@N@ ALIAS ntksym_@N@)
set_target_properties(ntksym_@N@ PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON
  POSITION_INDEPENDENT_CODE ON EXPORT_NAME @N@ WINDOWS_EXPORT_ALL_SYMBOLS ON)
if(NOT MSVC)
  # never -ffast-math: exact products need IEEE rounding
  target_compile_options(ntksym_@N@ PRIVATE -O3 -ffp-contract=off -fno-math-errno
    -fno-trapping-math)
  target_link_libraries(ntksym_@N@ PUBLIC m)
endif()
target_include_directories(ntksym_@N@ PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ntksym>)

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)  # not where it is a part of a project
  add_executable(consumer consumer.c)
  target_link_libraries(consumer PRIVATE ntksym::@N@)
  enable_testing()
  add_test(NAME consumer COMMAND consumer)
endif()

install(TARGETS ntksym_@N@ EXPORT ntksym_@N@-targets)
install(FILES @N@.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ntksym)
install(EXPORT ntksym_@N@-targets NAMESPACE ntksym:: FILE ntksym_@N@-config.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ntksym_@N@)
write_basic_package_version_file(ntksym_@N@-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ntksym_@N@-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ntksym_@N@)
configure_file(ntksym_@N@.pc.in ntksym_@N@.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ntksym_@N@.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
"""

_PKG_CONFIG = """prefix=@CMAKE_INSTALL_PREFIX@
libdir=@CMAKE_INSTALL_FULL_LIBDIR@
includedir=@CMAKE_INSTALL_FULL_INCLUDEDIR@/ntksym

Name: ntksym_@N@
Description: generated kernel @N@
Version: @PROJECT_VERSION@
Libs: -L"${libdir}" -lntksym_@N@
Libs.private: -lm
Cflags: -I"${includedir}"
"""
