"""The JAX and PyTorch files of an activation or a network, and what a C library needs to be used.

For C: a public header, a CMake project with an exported target, a pkg-config file, a consumer.
"""

from __future__ import annotations

import re
from typing import Any

from . import __version__
from .backends import Contract, SourceFile
from .backends.array import jax as jax_backend
from .backends.array import jax_units, torch_units
from .backends.array import torch as torch_backend
from .dual import Dual, dual
from .errors import BadSpec
from .gradients import dual_gradients
from .lower import lower_network
from .network import Network, Recursion, recurse
from .runtime.array_plan import array_plan, dual_choice, input_range, unit_of_choice
from .runtime.numeric_network import needs_numeric
from .runtime.unit_layers import Wanted

ARRAY_TARGETS = ("jax", "torch")
_DUALS = {"jax": jax_backend.dual_file, "torch": torch_backend.dual_file}
_NETWORKS = {"jax": jax_backend.network_file, "torch": torch_backend.network_file}
_UNITS = {"jax": jax_units.dual_file, "torch": torch_units.dual_file}
_UNIT_NETWORKS = {"jax": jax_units.network_file, "torch": torch_units.network_file}


def array_sources(
    thing: Any,
    target: str,
    name: str = "",
    command: str = "",
    formula: tuple[str, ...] = (),
    *,
    method: str = "auto",
    error: float | None = None,
    variances: Any = None,
) -> tuple[SourceFile, ...]:
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
        UnsupportedOp: an operation that the target cannot spell (2F1), a parameter without a
            closed-form derivative, or a method that the target does not have.
    """
    if target not in ARRAY_TARGETS:
        raise BadSpec(f"unknown target {target!r}", hint="one of: " + ", ".join(ARRAY_TARGETS))
    command = command or f"ntksym.export(..., {target!r})"
    if needs_numeric(thing, method, variances):
        wanted = Wanted(method, error)
        network = getattr(thing, "network", thing)
        if isinstance(network, Network):
            return (_network_units(network, target, name, command, wanted, variances),)
        return (_dual_units(thing, target, name, command, wanted, variances),)
    if isinstance(thing, (Network, Recursion)):
        recursion = thing if isinstance(thing, Recursion) else recurse(thing)
        shown = formula or ("the NNGP kernel and the NTK of a network",)
        refs = tuple(dict.fromkeys(r for a in recursion.network.activations for r in a.refs))
        contract = Contract(command, shown, _ACCURACY, refs, __version__)
        return (_NETWORKS[target](lower_network(recursion, name or "network"), contract),)
    found = thing if isinstance(thing, Dual) else dual(thing)
    act = found.activation
    shown = formula or (f"nngp = E[s(u) s(v)], s(x) = {act.expr}", "dot = d nngp/d q12")
    contract = Contract(command, shown, _ACCURACY, tuple(act.refs), __version__)
    return (_DUALS[target](name or act.name or "dual", dual_gradients(found), contract),)


_ACCURACY = "not measured; no bound is proven for this file"
_BOUNDS = "the bounds of the duals, below; rounding not measured"


def _dual_units(
    thing: Any, target: str, name: str, command: str, wanted: Wanted, variances: Any
) -> SourceFile:
    """The module of one dual without closed form."""
    choice = dual_choice(thing, wanted, variances)
    act = choice.activation
    shown = (f"nngp = E[s(u) s(v)], s(x) = {act.expr}", "dot = d nngp/d q12")
    contract = Contract(command, shown, _BOUNDS, tuple(act.refs), __version__)
    unit = unit_of_choice(choice, {}, "distributional")
    return _UNITS[target](name or act.name or "dual", unit, contract)


def _network_units(
    network: Network, target: str, name: str, command: str, wanted: Wanted, variances: Any
) -> SourceFile:
    """The module of a network with duals without closed form."""
    span = input_range(network, variances)
    found = array_plan(network, wanted, span, name or "network")
    shown = ["the NNGP kernel and the NTK of a network", f"layers: {network.depth}"]
    shown += [f"activation {a.name}: s(x) = {a.expr}" for a in network.activations]
    shown += network.convention.describe()
    refs = tuple(dict.fromkeys(r for a in network.activations for r in a.refs))
    contract = Contract(command, tuple(shown), _BOUNDS, refs, __version__)
    return _UNIT_NETWORKS[target](found, contract)


_PROTOTYPE = re.compile(r"^((?:/\*(?:[^*]|\*(?!/))*\*/\n)?)(void (ntksym_\w+)\([^)]*\))\n?\{", re.M)


def c_extras(files: tuple[SourceFile, ...]) -> tuple[SourceFile, ...]:
    """What makes generated C a library: header, CMake, pkg-config, and a consumer that builds.

    The functions are those that the first `.c` file defines.  `<name>.pc.in` and the CMake package
    are filled in by CMake at installation.
    """
    (source,) = [f for f in files if f.name.endswith(".c")][:1]
    name = source.name.removesuffix(".c")
    found = [(doc, text, f) for doc, text, f in _PROTOTYPE.findall(source.text)]
    guard = f"NTKSYM_{name.upper()}_H"
    head = f"/* The functions of {source.name}, which says what they compute and how well. */\n"
    body = "".join(f"{doc}{text.replace('restrict ', '')};\n\n" for doc, text, _ in found)
    header = (
        f"{head}#ifndef {guard}\n#define {guard}\n#include <stddef.h>\n#ifdef __cplusplus\n"
        f'extern "C" {{\n#endif\n\n{body}#ifdef __cplusplus\n}}\n#endif\n#endif\n'
    )
    return (
        SourceFile(f"{name}.h", header),
        SourceFile("CMakeLists.txt", _CMAKE.replace("@N@", name).replace("@V@", __version__)),
        SourceFile(f"ntksym_{name}.pc.in", _PKG_CONFIG.replace("@N@", name)),
        SourceFile("consumer.c", _consumer(name, {f: text for _, text, f in found})),
    )


def _consumer(name: str, prototypes: dict[str, str]) -> str:
    """A program that calls the library once and prints what it gets."""
    stem = f"ntksym_{name}"
    head = f'#include "{name}.h"\n#include <stdio.h>\n\nint main(void)\n{{\n'
    if f"{stem}_input" in prototypes:
        body = _CALL_NETWORK.replace("@STEM@", stem)
    else:
        inside = prototypes[f"{stem}_diag"].split("(", 1)[1].rstrip(")")
        scalars = [a for a in inside.split(",") if re.fullmatch(r"\s*double \w+\s*", a)]
        body = _CALL_DUAL.replace("@STEM@", stem).replace("@PARAMS@", ", 0.5" * len(scalars))
    return head + body + "  return 0;\n}\n"


_CALL_DUAL = """  const double q[2] = {0.5, 1.0};
  double nngp[2], dot[2];
  @STEM@_diag(2, q@PARAMS@, nngp, dot);
  for (int i = 0; i < 2; ++i)
    printf("q = %g: nngp %.17g, derivative %.17g\\n", q[i], nngp[i], dot[i]);
"""

_CALL_NETWORK = """  enum { ROOM = 4096 };
  static double q[ROOM];
  const double g = 3.0;
  double first[4], ntk;
  @STEM@_input(3, first);
  @STEM@_diag(1, &g, first, q, &ntk);
  printf("<x, x> = %g in dimension 3: ntk %.17g\\n", g, ntk);
"""

_CMAKE = """cmake_minimum_required(VERSION 3.15)
project(ntksym_@N@ VERSION @V@ LANGUAGES C)
include(GNUInstallDirs)

add_library(ntksym_@N@ @N@.c)
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

add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE ntksym::@N@)
enable_testing()
add_test(NAME consumer COMMAND consumer)

install(TARGETS ntksym_@N@ EXPORT ntksym_@N@-targets)
install(FILES @N@.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ntksym)
install(EXPORT ntksym_@N@-targets NAMESPACE ntksym:: FILE ntksym_@N@-config.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ntksym_@N@)
configure_file(ntksym_@N@.pc.in ntksym_@N@.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ntksym_@N@.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
"""

_PKG_CONFIG = """prefix=@CMAKE_INSTALL_PREFIX@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@/ntksym

Name: ntksym_@N@
Description: generated kernel @N@
Version: @PROJECT_VERSION@
Libs: -L${libdir} -lntksym_@N@
Libs.private: -lm
Cflags: -I${includedir}
"""
