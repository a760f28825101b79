"""C for a Python extension module of NumPy ufuncs around generated duals, in the stable ABI.

Each dual is two ufuncs: (q11, q12, q22) -> (nngp, dot) and, for u = v, q -> (nngp, dot), both for
double and float (float inputs are computed in double and rounded once).  One binary serves every
CPython from 3.11 on and every NumPy from 1.25 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._base import SourceFile, comment, identifier

BLOCK = 512


@dataclass(frozen=True, slots=True)
class UfuncSpec:
    """One dual: the stem of its C functions, the names of its two ufuncs, a line of text."""

    stem: str
    pair: str
    diag: str
    doc: str


def ufunc_file(module: str, duals: Sequence[UfuncSpec]) -> SourceFile:
    """The C file of the extension module `module`.

    The functions `void <stem>(size_t n, const double *q11, const double *q12, const double *q22,
    double *nngp, double *dot)` and `<stem>_diag(n, q, nngp, dot)` are expected in other files.
    """
    safe = identifier(module.strip("_"), set())
    name = ("_" if module.startswith("_") else "") + safe
    text = _HEAD.replace("@BLOCK@", str(BLOCK))
    added = ""
    for k, spec in enumerate(duals):
        text += _DECLARED.replace("@STEM@", spec.stem)
        text += _FUNCTIONS.replace("@STEM@", spec.stem).replace("@K@", str(k))
        doc = comment(spec.doc).replace('"', "'")
        for which, inputs, ufunc in (("pair", 3, spec.pair), ("diag", 1, spec.diag)):
            arrays = "(q11, q12, q22)" if inputs == 3 else "(q)"
            called = literal(ufunc)
            added += (
                f'  if (add(module, "{called}", {which}_functions_{k}, {which}_types, {inputs},\n'
            )
            added += f'          "{called}{arrays} -> (nngp, dot): {doc}") < 0) {{\n'
            added += "    Py_DECREF(module);\n    return NULL;\n  }\n"
    return SourceFile(f"{name}.c", text + _INIT.replace("@MODULE@", name).replace("@ADDED@", added))


def literal(text: str) -> str:
    """What stands between the quotes of a C string: ASCII, other letters as octal UTF-8."""
    return "".join(
        chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in text.encode()
    )


_HEAD = """/* NumPy ufuncs around generated duals; CPython's stable ABI.  Generated: do not edit. */
#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define NPY_NO_DEPRECATED_API NPY_1_20_API_VERSION
#define NPY_TARGET_VERSION NPY_1_25_API_VERSION
#include <Python.h>
#include <fenv.h>
#include <math.h>
#include <numpy/ndarrayobject.h>
#include <numpy/ufuncobject.h>
#include <stddef.h>

enum { BLOCK = @BLOCK@ };

typedef void (*pair_function)(size_t, const double *, const double *, const double *, double *,
                              double *);
typedef void (*diag_function)(size_t, const double *, double *, double *);

static size_t part(npy_intp left) { return left < BLOCK ? (size_t)left : (size_t)BLOCK; }

/* The nearest covariance that there is; the bound is rounded itself. */
static double within(double q11, double q12, double q22)
{
  const double bound = q11 == q22 ? q11 : sqrt(q11) * sqrt(q22);
  return fabs(q12) > bound * (1.0 + 0x1p-50) ? copysign(bound, q12) : q12;
}

#define LOOPS(REAL, SUFFIX)                                                                       \\
  static void pair_##SUFFIX(pair_function f, char **a, npy_intp n, const npy_intp *s)             \\
  {                                                                                               \\
    double q11[BLOCK], q12[BLOCK], q22[BLOCK], nngp[BLOCK], dot[BLOCK];                           \\
    for (npy_intp at = 0; at < n; at += BLOCK) {                                                  \\
      const size_t b = part(n - at);                                                              \\
      for (size_t i = 0; i < b; ++i) {                                                            \\
        const npy_intp k = at + (npy_intp)i;                                                      \\
        q11[i] = (double)*(const REAL *)(a[0] + k * s[0]);                                        \\
        q12[i] = (double)*(const REAL *)(a[1] + k * s[1]);                                        \\
        q22[i] = (double)*(const REAL *)(a[2] + k * s[2]);                                        \\
        q12[i] = within(q11[i], q12[i], q22[i]);                                                  \\
      }                                                                                           \\
      f(b, q11, q12, q22, nngp, dot);                                                             \\
      for (size_t i = 0; i < b; ++i) {                                                            \\
        const npy_intp k = at + (npy_intp)i;                                                      \\
        const int good = q11[i] >= 0.0 && q22[i] >= 0.0 && q12[i] == q12[i];                      \\
        *(REAL *)(a[3] + k * s[3]) = (REAL)(good ? nngp[i] : NAN);                                \\
        *(REAL *)(a[4] + k * s[4]) = (REAL)(good ? dot[i] : NAN);                                 \\
      }                                                                                           \\
    }                                                                                             \\
    feclearexcept(FE_ALL_EXCEPT);                                                                 \\
  }                                                                                               \\
  static void diag_##SUFFIX(diag_function f, char **a, npy_intp n, const npy_intp *s)             \\
  {                                                                                               \\
    double q[BLOCK], nngp[BLOCK], dot[BLOCK];                                                     \\
    for (npy_intp at = 0; at < n; at += BLOCK) {                                                  \\
      const size_t b = part(n - at);                                                              \\
      for (size_t i = 0; i < b; ++i)                                                              \\
        q[i] = (double)*(const REAL *)(a[0] + (at + (npy_intp)i) * s[0]);                         \\
      f(b, q, nngp, dot);                                                                         \\
      for (size_t i = 0; i < b; ++i) {                                                            \\
        const npy_intp k = at + (npy_intp)i;                                                      \\
        *(REAL *)(a[1] + k * s[1]) = (REAL)(q[i] >= 0.0 ? nngp[i] : NAN);                         \\
        *(REAL *)(a[2] + k * s[2]) = (REAL)(q[i] >= 0.0 ? dot[i] : NAN);                          \\
      }                                                                                           \\
    }                                                                                             \\
    feclearexcept(FE_ALL_EXCEPT);                                                                 \\
  }

LOOPS(double, double)
LOOPS(float, float)

static const char pair_types[] = {NPY_FLOAT,  NPY_FLOAT,  NPY_FLOAT,  NPY_FLOAT,  NPY_FLOAT,
                                  NPY_DOUBLE, NPY_DOUBLE, NPY_DOUBLE, NPY_DOUBLE, NPY_DOUBLE};
static const char diag_types[] = {NPY_FLOAT,  NPY_FLOAT,  NPY_FLOAT,
                                  NPY_DOUBLE, NPY_DOUBLE, NPY_DOUBLE};
static void *no_data[] = {NULL, NULL};

static int add(PyObject *module, const char *name, PyUFuncGenericFunction *functions,
               const char *types, int inputs, const char *doc)
{
  PyObject *made = PyUFunc_FromFuncAndData(functions, no_data, (char *)types, 2, inputs, 2,
                                           PyUFunc_None, name, doc, 0);
  int status;
  if (made == NULL) return -1;
  status = PyObject_SetAttrString(module, name, made);
  Py_DECREF(made);
  return status;
}

"""

_DECLARED = """void @STEM@(size_t n, const double *q11, const double *q12, const double *q22,
            double *nngp, double *dot);
void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot);

"""

_FUNCTIONS = """static void pair_float_@K@(char **a, const npy_intp *n, const npy_intp *s, void *d)
{
  (void)d;
  pair_float(@STEM@, a, n[0], s);
}
static void pair_double_@K@(char **a, const npy_intp *n, const npy_intp *s, void *d)
{
  (void)d;
  pair_double(@STEM@, a, n[0], s);
}
static void diag_float_@K@(char **a, const npy_intp *n, const npy_intp *s, void *d)
{
  (void)d;
  diag_float(@STEM@_diag, a, n[0], s);
}
static void diag_double_@K@(char **a, const npy_intp *n, const npy_intp *s, void *d)
{
  (void)d;
  diag_double(@STEM@_diag, a, n[0], s);
}
static PyUFuncGenericFunction pair_functions_@K@[] = {pair_float_@K@, pair_double_@K@};
static PyUFuncGenericFunction diag_functions_@K@[] = {diag_float_@K@, diag_double_@K@};

"""

_INIT = """static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "@MODULE@", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_@MODULE@(void)
{
  PyObject *module = PyModule_Create(&definition);
  if (module == NULL) return NULL;
  import_array();
  import_umath();
@ADDED@  return module;
}
"""
