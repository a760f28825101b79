"""`ntksym.ufunc`: a real NumPy ufunc with a compiler, the same calls without one."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import ntksym
from ntksym.backends import Contract
from ntksym.backends.numpy.unit_network import dual_file
from ntksym.backends.units import off_jumps, slope_said, unit_of
from ntksym.errors import BadData, BadSpec
from ntksym.lower import lower_dual
from ntksym.numeric.choose import choose
from ntksym.runtime import dask_names
from ntksym.runtime import ufunc as module
from ntksym.runtime.engines import load_module
from ntksym.runtime.library import recipes
from ntksym.runtime.ufunc import PlainUfunc, ufunc

R = np.random.default_rng(0)
Q11, Q22 = R.uniform(0.2, 3.0, 50), R.uniform(0.2, 3.0, 50)
Q12 = R.uniform(-1.0, 1.0, 50) * np.sqrt(Q11 * Q22)


@pytest.fixture(params=["c", "plain"])
def gelu(request, monkeypatch):
    if request.param == "c":
        found = ufunc("gelu")
        assert isinstance(found, np.ufunc)
        yield found
        return
    module._named.cache_clear()
    monkeypatch.setenv("CC", "/nowhere/cc")
    with pytest.warns(RuntimeWarning, match="no working C compiler") as seen:
        found = ufunc("gelu")
    assert len(seen) == 1 and isinstance(found, PlainUfunc)
    yield found
    module._named.cache_clear()
    vars(module).pop(found.__name__)


def test_values(gelu):
    program = lower_dual(ntksym.dual("gelu"))
    nngp, dot = gelu(Q11, Q12, Q22)
    for i in range(0, 50, 7):
        want = program.evaluate({"q11": Q11[i], "q12": Q12[i], "q22": Q22[i]})
        assert abs(nngp[i] - float(want["nngp"])) < 1e-14
        assert abs(dot[i] - float(want["dot"])) < 1e-14


def test_signature_types_and_single_precision(gelu):
    assert (gelu.nin, gelu.nout, gelu.nargs) == (3, 2, 5)
    assert tuple(gelu.types) == ("fff->ff", "ddd->dd")
    single = gelu(*(q.astype(np.float32) for q in (Q11, Q12, Q22)))
    double = gelu(*(q.astype(np.float32).astype(float) for q in (Q11, Q12, Q22)))
    for s, d in zip(single, double, strict=True):
        assert s.dtype == np.float32 and (s == d.astype(np.float32)).all()


def test_broadcasting_out_and_where(gelu):
    a, b = np.linspace(0.5, 2.0, 4)[:, None], np.linspace(0.5, 2.0, 3)
    full = gelu(a, 0.1, b)
    assert full[0].shape == full[1].shape == (4, 3)
    assert full[0][2, 1] == gelu(a[2, 0], 0.1, b[1])[0]
    kept = np.full((4, 3), -7.0), np.full((4, 3), -7.0)
    back = gelu(a, 0.1, b, out=kept, where=a > 1.2)
    assert back[0] is kept[0] and back[1] is kept[1]
    assert (kept[0][:2] == -7.0).all() and (kept[0][2:] == full[0][2:]).all()


def test_strides_big_endian_and_empty(gelu):
    wide = np.stack([Q11, Q12, Q22], axis=1)
    one = gelu(wide[::2, 0], wide[::2, 1], wide[::2, 2])[0]
    assert (one == gelu(Q11, Q12, Q22)[0][::2]).all()
    assert (gelu(Q11.astype(">f8"), Q12, Q22)[0] == gelu(Q11, Q12, Q22)[0]).all()
    assert gelu(np.empty(0), np.empty(0), np.empty(0))[0].shape == (0,)


def test_bad_covariances_are_nan_without_warnings(gelu):
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        nngp, dot = gelu([np.nan, -1.0, 1.0, 0.0], [0.0, 0.0, 0.5, 0.0], [1.0, 1.0, 1.0, 0.0])
    assert np.isnan(nngp).tolist() == np.isnan(dot).tolist() == [True, True, False, False]


def test_pickle_in_this_program(gelu):
    assert pickle.loads(pickle.dumps(gelu)) is gelu


def test_pickle_in_another_program():
    text = pickle.dumps(ufunc("leaky_relu", alpha=0.25)).hex()
    code = f"import pickle; f = pickle.loads(bytes.fromhex('{text}')); print(repr(float(f(2., 2., 2.)[0])))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(1.0625, rel=1e-14)


def test_a_name_that_is_no_activation_is_refused():
    for text in ("zz", "x; alpha = 1", "x; variances = 1", "x; alpha: real = 1/0", ""):
        with pytest.raises(AttributeError, match="is no name of a ufunc"):
            getattr(module, f"{module.PREFIX}{text})")
    with pytest.raises(AttributeError):
        module.something_else  # noqa: B018


def test_messages_of_numpy_say_the_activation(gelu):
    assert gelu.__name__ == "dual(gelu)"
    assert gelu.__name__ in repr(gelu)


def test_a_name_has_the_parameters():
    slanted = ufunc("max(x, beta*x)", beta=0.1)
    assert slanted.__name__ == "dual(Max(x, beta*x); beta: real = 1/10)"
    with pytest.raises(TypeError, match=r"ufunc 'dual\(Max\(x, beta\*x\); beta: real = 1/10\)'"):
        slanted("a", 1.0, 1.0)
    assert pickle.loads(pickle.dumps(slanted, 2)) is slanted


def test_a_covariance_beyond_its_bound_counts_as_equal_to_it(gelu):
    for q11, q22 in ((1.0, 1.0), (1.5, 0.7)):
        bound = np.sqrt(q11) * np.sqrt(q22)
        for sign in (1.0, -1.0):
            for times in (1.0 + 1e-9, 2.0):
                assert gelu(q11, sign * bound * times, q22) == gelu(q11, sign * bound, q22)


def test_other_duals():
    assert ufunc("x*tanh(x)")(1.0, 0.3, 1.0)[0] == pytest.approx(0.3994281322921440, rel=1e-13)
    step = ufunc("step")(1.0, 1.0, 1.0)
    assert step[0] == 0.5 and np.isinf(step[1])


def test_rules_of_what_jumps_say_which_slope_they_have():
    """Off the jumps: closed forms have the derivative in q12, which is 0.293 here."""
    found = choose("step(x-1)*x", method="tabulated", error=1e-3, variances="1", code=True)
    unit = unit_of(found.dual)
    file = dual_file("dual", unit, Contract("", (slope_said(found.dual, found.activation),)))
    assert "dot = E[s'(u) s'(v)], s' off the jumps of s: not d nngp/d q12" in file.text
    assert load_module(file).dual(1.0, 0.5, 1.0)[1] == pytest.approx(0.0625140947, abs=1e-3)
    assert ufunc("step(x-1)*x")(1.0, 0.5, 1.0)[1] == pytest.approx(0.2932675823, abs=1e-9)
    assert not off_jumps(found.dual, ntksym.parse_activation("max(x - 1, 0)"))


def test_parameters_are_checked():
    with pytest.raises(BadSpec, match="'alpha' has no value"):
        ufunc("leaky_relu")
    with pytest.raises(BadData, match="has no parameter 'beta'"):
        ufunc("gelu", beta=1.0)
    for bad in ("x", "1/0", None, float("nan"), True):
        with pytest.raises(BadData, match=r"alpha = .* is not a number"):
            ufunc("leaky_relu", alpha=bad)
    assert ufunc("leaky_relu", alpha="1/4") is ufunc("leaky_relu", alpha=0.25)
    with pytest.raises(BadSpec, match="is not a number"):
        ufunc("gelu", variances="x")


def test_dask_takes_it():
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    made = ufunc("gelu")
    q11, q12 = (da.from_array(q, chunks=10) for q in (Q11, Q12))
    for given in ((q11, q12, 1.0), (q11, q12.rechunk(7), Q11), (Q11, q12, q11[:1])):
        lazy, known = made(*given), made(*(np.asarray(q) for q in given))
        assert all(isinstance(v, da.Array) for v in lazy)
        assert all((v.compute() == w).all() for v, w in zip(lazy, known, strict=True))
    floats = made(q11.astype("f"), q12.astype("f"), 1.0)
    assert [v.dtype for v in floats] == [v.compute().dtype for v in floats] == [np.float32] * 2
    for option in ({"where": Q11 > 1.0}, {"out": (q11, q12)}, {"dtype": "f"}):
        with pytest.raises(TypeError, match="NotImplemented"):
            made(q11, q12, 1.0, **option)
    lazy = da.apply_gufunc(made, "(),(),()->(),()", q11, q12, 1.0, output_dtypes=(float, float))
    assert (lazy[0].compute() == made(Q11, Q12, 1.0)[0]).all()


def test_dask_that_is_imported_later_takes_it(monkeypatch):
    """A new import of the module that Dask looks ufuncs up in."""
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    monkeypatch.delitem(sys.modules, dask_names.WHERE)
    dask_names.known_to_dask("later", ufunc("erf"))
    again = importlib.import_module(dask_names.WHERE)
    assert not any(isinstance(f, dask_names._Later) for f in sys.meta_path)
    q11, q12 = (da.from_array(q, chunks=10) for q in (Q11, Q12))
    assert (again.later(q11, q12, 1.0)[1].compute() == ufunc("erf")(Q11, Q12, 1.0)[1]).all()


@pytest.mark.parametrize("library", ["xarray", "pandas"])
def test_tables_with_labels_stay_tables(library):
    module = pytest.importorskip(library)
    kind = module.Series if library == "pandas" else module.DataArray
    found = ufunc("gelu")(kind(Q11), kind(Q12), 1.0)
    assert all(isinstance(v, kind) for v in found)
    assert all((v == w).all() for v, w in zip(found, ufunc("gelu")(Q11, Q12, 1.0), strict=True))


@pytest.mark.parametrize("text", ["max(x, x/8 - 1/2)", "max(x, -x/3)"])
def test_dask_takes_what_has_a_minus_in_its_name(text):
    da = pytest.importorskip("dask.array", reason="dask is not installed")
    made = ufunc(text)
    assert "-" not in made.__name__ and module.MINUS in made.__name__
    assert pickle.loads(pickle.dumps(made)) is made
    q11, q12 = (da.from_array(q, chunks=10) for q in (Q11, Q12))
    lazy = da.apply_gufunc(made, "(),(),()->(),()", q11, q12, 1.0, output_dtypes=(float, float))
    assert (lazy[1].compute() == made(Q11, Q12, 1.0)[1]).all()


def test_without_a_compiler_the_same_inputs_are_refused(monkeypatch):
    monkeypatch.setenv("CC", "/nowhere/cc")
    module._named.cache_clear()
    with pytest.warns(RuntimeWarning, match="no working C compiler"):
        plain = ufunc("max(x, x/9)")
    for bad in (1j, "1", np.longdouble(1), None):
        with pytest.raises(BadData, match="for real numbers, not"):
            plain(bad, 0.5, 1.0)
    out = np.empty(2), np.empty(2)
    found = plain(1.0, [0.5, 0.25], 1.0, out=out)
    assert found[0] is out[0] and found[1] is out[1]
    module._named.cache_clear()
    vars(module).pop(plain.__name__)


def test_a_closed_form_that_no_backend_spells_becomes_a_table():
    made = ufunc("max(x, 0)*cos(x)", variances=1)
    want = ntksym.evaluate("max(x, 0)*cos(x)", (1, "1/2", 1))[1]
    for got, exact in zip(made(1.0, 0.5, 1.0), want, strict=True):
        ball = exact.definition
        assert got == pytest.approx(ball.mid_man * 2.0**ball.mid_exp, abs=1e-10)
    assert np.isnan(made(2.0, 0.5, 2.0)[0])


def test_a_ufunc_is_derived_once_for_all_programs(monkeypatch, tmp_path):
    """By text, parameters and variances; a pickle is read from the same recipe."""
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path))
    monkeypatch.setattr(recipes, "makers", lambda: "some code")
    asked = {"alpha": "1/4"}
    text = "max(x, alpha*x)"
    first = ufunc(text, **asked)
    want = first(1.0, 0.5, 2.0)
    for again in (lambda: ufunc(text, **asked), lambda: getattr(module, first.__name__)):
        module._named.cache_clear()
        vars(module).pop(first.__name__)
        with monkeypatch.context() as without:
            without.setitem(sys.modules, "ntksym.runtime.ufunc_fresh", None)
            made = again()
            with pytest.raises(ImportError):  # other numbers are another request
                ufunc(text, alpha="1/5")
        assert made.__name__ == first.__name__
        assert made(1.0, 0.5, 2.0) == want
    module._named.cache_clear()
    vars(module).pop(first.__name__)
