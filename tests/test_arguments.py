"""What is no network, no activation and no option is refused with one clear error everywhere."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.errors import BadCovariance, BadData, BadSpec, NtksymError, Undecided

WRONG = (None, 3, 2.5, True, [3], b"relu", {}, object())
SQNL = "piecewise((-1, x < -2), (x + x**2/4, x < 0), (x - x**2/4, x < 2), (1, True))"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: type(w).__name__)
@pytest.mark.parametrize(
    "name",
    "best_dual choose collapse compile dual dual_gradients mlp named NetworkGradient parse "
    "parse_activation parse_spec prove quadrature_dual recurse sampled_dual series_dual "
    "ufunc".split(),
)
def test_an_object_of_another_type(name: str, wrong: Any) -> None:
    with pytest.raises(NtksymError):
        getattr(ntksym, name)(wrong)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: type(w).__name__)
def test_with_more_arguments(wrong: Any, tmp_path: Any) -> None:
    with pytest.raises(NtksymError):
        ntksym.export(wrong, "c", tmp_path)
    with pytest.raises(NtksymError):
        ntksym.table_dual(wrong, 1)
    with pytest.raises(NtksymError):
        ntksym.evaluate(wrong, (1, 0, 1))
    if wrong is not None and wrong != {}:  # those say that there are no claims
        with pytest.raises(BadSpec, match="is no claim"):
            ntksym.check(wrong)
    with pytest.raises(BadSpec, match="not both"):
        ntksym.check((), quantity="nngp")


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ((1, 2, 1), "not positive semi-definite"),
        ((-1, 0, 1), "not positive semi-definite"),
        (("a", 0, 1), "not three finite rational numbers"),
        ((1, float("nan"), 1), "not three finite rational numbers"),
        ((1, None, 1), "not three finite rational numbers"),
    ],
)
def test_a_dual_has_no_value_where_there_is_no_covariance(point: Any, said: str) -> None:
    with pytest.raises(BadCovariance, match=said):
        ntksym.dual("relu").at(*point)


@pytest.mark.parametrize(
    ("given", "kind", "use"),
    [
        (
            {"relu": 3},
            "dict",
            'text such as "mlp:relu:depth=3" or "max(x, 0)", a SymPy expression, ntksym.mlp(...)',
        ),
        (
            ["relu"],
            "list",
            'ntksym.mlp(["gelu", "relu"], depth=2), or "mlp:[gelu,relu]:weight_var=2"',
        ),
    ],
)
def test_compile_says_what_it_takes(given: Any, kind: str, use: str) -> None:
    with pytest.raises(BadSpec) as caught:
        ntksym.compile(given)
    assert str(caught.value) == (
        f"an object of type {kind} says neither a network nor an activation\n  use:   {use}"
    )


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"threads": 1.5}, "threads = 1.5 is not a whole number"),
        ({"threads": True}, "threads = True is not a whole number"),
        ({"threads": "2"}, "threads = '2' is not a whole number"),
        ({"threads": 0}, "threads = 0"),
        ({"cache": "no"}, "cache = 'no' is neither True nor False"),
        ({"collapse": -1}, "collapse = -1 is neither a choice nor an error"),
        ({"collapse": "yes"}, "collapse = 'yes' is neither"),
        ({"collapse": float("nan")}, "collapse = nan is neither"),
        ({"dtype": np.int32}, "unknown dtype"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"dtype": None}, "unknown dtype None"),
        ({"dtype": ">f4" if sys.byteorder == "little" else "<f4"}, "unknown dtype"),
        ({"target": None}, "unknown target None"),
        ({"target": ["c"]}, "unknown target"),
        ({"error": "small"}, "error = 'small': not between 0 and 1"),
        ({"error": 2}, "error = 2: not between 0 and 1"),
        ({"method": ["exact"]}, "unknown method"),
        ({"variances": ...}, "is not a number"),
    ],
    ids=str,
)
def test_options_that_are_none(option: dict[str, Any], text: str) -> None:
    with pytest.raises(BadSpec) as caught:
        ntksym.compile("relu", **option)
    assert text in caught.value.what and caught.value.hint


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("float32"), "float32", "f4"], ids=str)
def test_float_types_of_numpy(dtype: Any) -> None:
    kernel = ntksym.compile("mlp:relu:depth=1", target="numpy", dtype=dtype, threads=np.int64(1))
    assert kernel(np.eye(3)).ntk.dtype == np.float32


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("activation", ["gelu", "erf", "sin(x)", "hardtanh", "tanh"])
def test_a_covariance_beyond_its_bound_counts_as_equal_to_it(activation: str, target: str) -> None:
    dual = ntksym.compile(activation, target=target)
    q11, q22 = np.array([1.0, 1.5, 0.0]), np.array([1.0, 0.7, 1.0])
    bound = np.sqrt(q11) * np.sqrt(q22)
    for sign in (1.0, -1.0):
        equal = dual(q11, sign * bound, q22)
        for times in (1.0 + 1e-9, 2.0):
            beyond = dual(q11, sign * bound * times, q22)
            assert (beyond.nngp == equal.nngp).all() and (beyond.dot == equal.dot).all()
    assert np.isnan(dual(1.0, np.nan, 1.0).nngp)


NOT_REAL = (1j, "1", None, [None], np.array([1], "m8[s]"), np.ma.array([1.0, 2.0], mask=[0, 1]))


@pytest.mark.parametrize("wrong", NOT_REAL, ids=lambda w: type(w).__name__)
@pytest.mark.parametrize(
    ("activation", "target"), [("leaky_relu", "c"), ("erf", "numpy"), ("mish", "numpy")]
)
def test_covariances_that_are_not_real(activation: str, target: str, wrong: Any) -> None:
    """The imaginary part, the text, the mask: nothing is read as a number, or left out."""
    dual = ntksym.compile(activation, target=target)
    for given in ((wrong, 0.5, 1.0), (1.0, wrong, 1.0), (1.0, 0.5, wrong)):
        with pytest.raises(BadData, match=r"real numbers are needed|1 masked element"):
            dual(*given, **dict.fromkeys(dual.params, 1.0))
    with pytest.raises(BadData, match=r"q: (real numbers are needed|1 masked element)"):
        dual.diag(wrong)


def test_covariances_of_unlike_shapes() -> None:
    with pytest.raises(BadData) as caught:
        ntksym.compile("erf", target="numpy")(np.ones(2), np.ones((3, 3)), 1)
    assert "q11 (2,), q12 (3, 3), q22 ()" in str(caught.value)


def test_parameters_that_are_no_numbers() -> None:
    dual = ntksym.compile("leaky_relu", target="numpy")
    for wrong in ("half", b"1", None, 1j, True, [0.1, 0.2], 10**400):
        with pytest.raises(BadData, match=r"alpha = .* is not a number"):
            dual(1.0, 0.5, 1.0, alpha=wrong)
    assert dual(1.0, 0.5, 1.0, alpha="1/4").nngp == dual(1.0, 0.5, 1.0, alpha=0.25).nngp


def test_what_is_exact_stays_so_for_one_variance() -> None:
    """A closed form of microseconds is left only for an error that was asked for."""
    assert ntksym.choose(SQNL, variances=1, code=True).method == "exact"
    assert ntksym.choose("hardtanh", variances=(1, 1), code=True).method == "exact"
    quick = ntksym.choose("hardtanh", variances=1, code=True, error=1e-4)
    assert quick.method == "tabulated"
    assert "slower" in next(c.reason for c in quick.candidates if c.method == "exact")


def test_the_best_bound_reached_is_said() -> None:
    with pytest.raises(Undecided) as caught:
        ntksym.choose("tanh", error=1e-40)
    assert "the best bound reached:" in caught.value.where
    reached = float(caught.value.where.split(": ")[1].split()[0])
    assert 1e-40 < reached <= 1e-14


@pytest.mark.parametrize(
    "wrong", [{"threads": "2"}, {"threads": 0}, {"threads": True}, {"target": "fortran"}]
)
def test_gradients_read_their_options_as_compile_does(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSpec):
        ntksym.NetworkGradient(ntksym.mlp("relu", depth=1), **wrong)


def test_text_of_a_network_is_read_wherever_one_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "net.toml"
    file.write_text('[network]\nkind = "mlp"\nactivation = "relu"\ndepth = 2\n')
    net = ntksym.mlp("relu", depth=2)
    for text in ("mlp:relu:depth=2", str(file)):
        gradient = ntksym.NetworkGradient(text, "numpy")
        assert gradient([[1.0, 2.0]]).ntk == ntksym.NetworkGradient(net, "numpy")([[1.0, 2.0]]).ntk
        assert "relu" in repr(gradient)
        assert ntksym.recurse(text).sigma == ntksym.recurse(net).sigma
    assert ntksym.collapse("mlp:relu:depth=2").ends == ntksym.collapse(net).ends
    for take in (ntksym.NetworkGradient, ntksym.recurse, ntksym.collapse):
        with pytest.raises(BadSpec, match="is not a network"):
            take("relu")


@pytest.mark.parametrize("wrong", [-1, "yes", float("nan")])
def test_files_read_collapse_as_compile_does(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="neither a choice nor an error"):
        ntksym.export("mlp:relu:depth=3", "c", tmp_path, collapse=wrong)
    assert not list(tmp_path.iterdir())
