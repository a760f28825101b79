"""Networks as text and as files: what is read, what is refused and how."""

from __future__ import annotations

import pytest
from sympy import Rational

from ntksym.errors import BadSpec, NtksymError
from ntksym.network import (
    Convention,
    mlp,
    parse_spec,
    recurse,
)

# -- specifications ----------------------------------------------------------------------------------


def test_text_specification() -> None:
    net = parse_spec(
        "mlp:gelu:depth=4,weight_var=2,bias_var=1/3,parametrization=standard,width=128"
    )
    assert net.depth == 4
    assert net.convention.weight_var == 2
    assert net.convention.bias_var == Rational(1, 3)
    assert net.convention.width == 128
    assert parse_spec("mlp:relu").depth == 3
    assert parse_spec('mlp:"max(x, 0)":depth=2').depth == 2
    assert parse_spec("mlp:max(x, 0):depth=2").depth == 2


def test_text_specification_with_parameters_and_lists() -> None:
    net = parse_spec("mlp:elu:depth=2,alpha=0.1,weight_var=[1,2,2],trained=[true,false,true]")
    assert net.blocks[0][0].values == (("alpha", Rational(1, 10)),)
    assert net.input.dense.weight_var == 1
    assert net.convention.trained == (True, False, True)
    rule = recurse(net).layers[0]
    assert {s.name: v for s, v in rule.values} == {
        "weight_var": 2,
        "bias_var": 0,
        "alpha": Rational(1, 10),
    }


def test_presets() -> None:
    assert parse_spec("mlp:relu:preset=jacot").convention == Convention.jacot()
    assert parse_spec("mlp:relu:preset=arora").convention == Convention.arora()


def test_file(tmp_path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        '[network]\nkind = "mlp"\nactivation = "elu"\ndepth = 2\nweight_var = 1.1\n'
        '[params]\nalpha = "1/2"\n'
    )
    net = parse_spec(str(path))
    assert net.convention.weight_var == Rational(11, 10)
    assert net.blocks[1][0].values == (("alpha", Rational(1, 2)),)


def test_file_with_layers(tmp_path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        "[network]\nbias_var = 1\n[input]\nweight_var = 3\n"
        '[[layer]]\nactivation = "relu"\nweight_var = 2\n[[layer]]\nactivation = "erf"\nbias_var = 0\n'
    )
    net = parse_spec(path)
    assert [a.name for a in net.activations] == ["relu", "erf"]
    assert [n.weight_var for n in (net.input.dense, *(b for _, b in net.blocks))] == [3, 2, 1]
    assert [n.bias_var for n in (net.input.dense, *(b for _, b in net.blocks))] == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cnn:relu:depth=3", "unknown kind of network 'cnn'"),
        ("mlp:relu:dept=3", "did you mean depth?"),
        ("mlp:relu:depth", "'depth' is not key=value"),
        ("mlp:elu:alpha=1:depth=2", "a colon between two options: commas separate them"),
        ("mlp:relu:depth=0", "depth = 0"),
        ("mlp:relu:depth=2.5", "depth = '2.5'"),
        ("mlp:relu:depth=2,depth=3", "depth is given twice"),
        ("mlp::depth=2", "no activation"),
        ("mlp:relu:weight_var=[1,2]", "weight_var has 2 entries, the network needs 4"),
        ("mlp:relu:weight_var=two", "cannot read 'two' as a number"),
        ("mlp:relu:weight_var=-2", "weight_var = -2 is negative"),
        ("mlp:relu:preset=jacto", "did you mean jacot?"),
        ("mlp:elu:alpha=-1", "alpha is positive"),
        ("mlp:relu:depth=2,trained=[true]", "trained has 1 entries for 3 dense layers"),
        ('mlp:"relu:depth=2', "a quote without its end"),
        ("nothing.toml", "cannot read the network file"),
        ("mlp:sofplus(x):depth=2", "there is no function 'sofplus'"),
        ("mlp:gelu:w_std=1.5", "did you mean weight_var, the square of the standard deviation?"),
        ("mlp:gelu:b_std=0.1", "did you mean bias_var, the square of the standard deviation?"),
        ("gelu", "mlp:gelu:depth=3; an activation alone is none"),
        ("mlp:relu:depth=999999999", "depth = '999999999'"),
    ],
)
def test_bad_specifications(text: str, message: str) -> None:
    with pytest.raises(NtksymError) as caught:
        parse_spec(text)
    assert message in caught.value.text
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        ("[network\n", "", "not a TOML file"),
        ('[network]\nactivaton = "relu"\n', "[network]", "did you mean activation?"),
        ("[netwrok]\n", "", "did you mean network?"),
        (
            '[network]\nactivation = "relu"\n[params]\nalpha = 1\n',
            "[network]",
            "unknown key 'alpha'",
        ),
        ('[network]\nactivation = "relu"\nweight_var = nan\n', "[network]", "cannot read 'NaN'"),
        ("[[layer]]\nwidth = 3\n", "", "[[layer]] 1 has no activation"),
        ("[network]\nactivation = 3\n", "[network]", "activation = 3"),
        (
            '[network]\ndepth = 3\n[[layer]]\nactivation = "relu"\n',
            "",
            "there are 1 [[layer]] tables",
        ),
    ],
)
def test_bad_files(tmp_path, content: str, where: str, message: str) -> None:
    path = tmp_path / "net.toml"
    path.write_text(content)
    with pytest.raises(BadSpec) as caught:
        parse_spec(path)
    assert message in caught.value.text
    assert str(path) in caught.value.where
    assert where in caught.value.where


def test_nothing_in_a_specification_runs(tmp_path) -> None:
    target = tmp_path / "made"
    for text in (
        f"mlp:__import__('os').mkdir('{target}'):depth=2",
        f"mlp:relu:weight_var=__import__('os').mkdir('{target}')",
    ):
        with pytest.raises(NtksymError):
            parse_spec(text)
    assert not target.exists()


@pytest.mark.parametrize("depth", [0, -1, True, 2.0, 10**9])
def test_bad_depth(depth: object) -> None:
    with pytest.raises(BadSpec, match="depth = "):
        mlp("max(x, 0)", depth)


def test_unknown_parameter() -> None:
    with pytest.raises(BadSpec, match="has no parameter 'alpha'"):
        mlp("max(x, 0)", 2, params={"alpha": 1})


def test_activations_are_listed_in_text() -> None:
    """One for each layer; brackets of a formula, and commas inside calls, are no list."""
    net = parse_spec("mlp:[gelu, max(x, 0), relu]:weight_var=[1, 2, 2, 1]")
    assert (net.depth, net.name) == (3, "gelu, max(x, 0), relu")
    assert net.activations[0].name == "gelu"
    assert parse_spec("mlp:[gelu, relu, relu]").name == "gelu, relu x2"
    assert parse_spec("mlp:[max(x, 0)]:depth=2").name.endswith(" x2")
    assert mlp(["relu", "erf"]).depth == 2
    with pytest.raises(BadSpec, match="2 activations for depth 3"):
        parse_spec("mlp:[gelu, relu]:depth=3")
