"""Convention: every choice that two papers make differently, as an explicit value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from sympy import Expr, Integer, Symbol, latex

from ..errors import BadSpec
from .numbers import exact, variance

Parametrization = Literal["ntk", "standard"]
BiasInit = Literal["normal", "zero"]
DerivativeSense = Literal["almost_everywhere", "distributional"]

_ZERO, _ONE = Integer(0), Integer(1)


@dataclass(frozen=True, slots=True)
class Convention:
    r"""What a "network of infinite width" means: variances, parametrisation, what is trained.

    With $K = \mathbb{E}[\sigma(u)\sigma(v)]$ and $\dot K = \mathbb{E}[\sigma'(u)\sigma'(v)]$ under
    the state before the layer:

    - "ntk" (Jacot, Gabriel & Hongler 2018): $\Sigma' = \sigma_w^2 K + \sigma_b^2$,
      $\Theta' = \Sigma' + \sigma_w^2 \dot K\,\Theta$; weights are $\sigma_w \omega/\sqrt{n}$ with
      $\omega \sim N(0, 1)$.
    - "standard" (Sohl-Dickstein et al. 2020): the same $\Sigma'$,
      $\Theta' = n K + [\text{bias}] + \sigma_w^2 \dot K\,\Theta$; weights are $N(0, \sigma_w^2/n)$
      and $n$ is `width`, the fan-in of the layer (the input dimension for the first layer).

    Attributes:
        parametrization: "ntk" or "standard".
        weight_var: $\sigma_w^2$, exact, or a symbol.
        bias_var: $\sigma_b^2$, exact, or a symbol; 0 means that there is no bias.
        input_weight_var: the weight variance of the first layer; None for `weight_var`.
        input_scaling: whether the first layer divides the inner product by the dimension d.
        bias_init: "normal", or "zero" for a trained bias that starts at zero: then $\Sigma$ has no
            bias and $\Theta$ gains `bias_var` ("ntk") or 1 ("standard") per layer.
        trained: "all", or for each dense layer, input first, whether it is trained.  A frozen
            layer adds nothing of its own to $\Theta$.
        derivative: "almost_everywhere" (a finite network under gradient descent) or
            "distributional" (Price's theorem); they differ where the activation jumps.
        width: the fan-in of the hidden layers for "standard"; None leaves the symbol `width`.
        name: of the preset, or "".

    Raises:
        BadSpec: a value that is none of these.
    """

    parametrization: Parametrization = "ntk"
    weight_var: Expr = _ONE
    bias_var: Expr = _ZERO
    input_weight_var: Expr | None = None
    input_scaling: bool = True
    bias_init: BiasInit = "normal"
    trained: Literal["all"] | tuple[bool, ...] = "all"
    derivative: DerivativeSense = "almost_everywhere"
    width: Expr | None = None
    name: str = ""

    def __post_init__(self) -> None:
        for key, kind in (
            ("parametrization", Parametrization),
            ("bias_init", BiasInit),
            ("derivative", DerivativeSense),
        ):
            allowed = get_args(kind)
            if getattr(self, key) not in allowed:
                raise BadSpec(
                    f"convention: {key} = {getattr(self, key)!r}",
                    hint="one of: " + ", ".join(allowed),
                )
        object.__setattr__(self, "weight_var", variance(self.weight_var, "weight_var"))
        object.__setattr__(self, "bias_var", variance(self.bias_var, "bias_var"))
        if self.input_weight_var is not None:
            first = variance(self.input_weight_var, "input_weight_var")
            object.__setattr__(self, "input_weight_var", first)
        if not isinstance(self.input_scaling, bool):
            raise BadSpec(
                f"convention: input_scaling = {self.input_scaling!r}", hint="true or false"
            )
        if self.trained != "all":
            flags = tuple(self.trained) if isinstance(self.trained, (tuple, list)) else ()
            if not flags or not all(isinstance(f, bool) for f in flags):
                raise BadSpec(
                    f"convention: trained = {self.trained!r}",
                    hint='"all", or true/false for each dense layer, input first',
                )
            object.__setattr__(self, "trained", flags)
        if self.width is not None:
            width = exact(self.width, "width")
            if width.is_number and not (width.is_integer and width.is_positive):
                raise BadSpec(f"convention: width = {width}", hint="a positive integer")
            object.__setattr__(self, "width", width)

    # -- presets -------------------------------------------------------------------------------

    @classmethod
    def jacot(cls) -> Convention:
        r"""Unit variances, no input scaling: $\Sigma^{(1)} = x \cdot y + 1$."""
        return cls("ntk", Integer(1), Integer(1), input_scaling=False, name="jacot")

    @classmethod
    def he(cls) -> Convention:
        """Weight variance 2, no bias, inputs divided by d: keeps the norm under ReLU (He 2015)."""
        return cls("ntk", Integer(2), Integer(0), name="he")

    @classmethod
    def arora(cls, c_sigma: object = 2) -> Convention:
        r"""Arora et al. 2019: $\Sigma^{(1)} = x \cdot y$, then $c_\sigma$ as the weight variance.

        $c_\sigma = 1/\mathbb{E}[\sigma(z)^2]$, which is 2 for ReLU; give the one of another
        activation.  The input layer has no factor.
        """
        factor = exact(c_sigma, "c_sigma")
        return cls("ntk", factor, Integer(0), Integer(1), input_scaling=False, name="arora")

    @classmethod
    def neural_tangents(
        cls,
        W_std: object = 1,
        b_std: object | None = None,
        *,
        parametrization: Parametrization = "ntk",
        width: object | None = None,
    ) -> Convention:
        """The arguments of a neural-tangents `Dense`, standard deviations squared.

        There `b_std=0.0` is a bias that starts at zero, and `None` is no bias.
        """
        weight = exact(W_std, "W_std") ** 2
        bias = Integer(0) if b_std is None else exact(b_std, "b_std") ** 2
        zero = parametrization == "standard" and b_std is not None and bias == 0
        return cls(
            parametrization,
            weight,
            Integer(1) if zero else bias,
            bias_init="zero" if zero else "normal",
            width=None if width is None else exact(width, "width"),
            name="neural_tangents",
        )

    @classmethod
    def scikit_ntk(cls, bias: object = 0) -> Convention:
        """The `scikit-ntk` package: raw inner products, He factor 2, a bias that starts at zero.

        There `bias` is a standard deviation and the activation is ReLU.  That package divides the
        tangent kernel by (depth + 1)(bias^2 + 1) at the end; this convention does not.
        """
        return cls(
            "ntk",
            Integer(2),
            exact(bias, "bias") ** 2,
            Integer(1),
            input_scaling=False,
            bias_init="zero",
            name="scikit_ntk",
        )

    # -- questions that layers ask ---------------------------------------------------------------

    def is_trained(self, index: int) -> bool:
        """Whether dense layer `index` (0 is the input layer) is trained.

        Raises:
            BadSpec: the convention does not speak of that layer.
        """
        if self.trained == "all":
            return True
        if index >= len(self.trained):
            raise BadSpec(
                f"convention: trained has {len(self.trained)} entries, dense layer {index + 1}"
                " has none",
                hint="one entry for each dense layer, the input layer first",
            )
        return self.trained[index]

    # -- words -----------------------------------------------------------------------------------

    def items(self) -> tuple[tuple[str, object], ...]:
        """Every choice by name, as text, numbers or booleans that JSON can hold."""
        trained = "all" if self.trained == "all" else list(self.trained)
        return (
            ("parametrization", self.parametrization),
            ("weight_var", str(self.weight_var)),
            ("bias_var", str(self.bias_var)),
            (
                "input_weight_var",
                str(self.weight_var if self.input_weight_var is None else self.input_weight_var),
            ),
            ("input_scaling", self.input_scaling),
            ("bias_init", self.bias_init),
            ("trained", trained),
            ("derivative", self.derivative),
            ("width", None if self.width is None else str(self.width)),
            ("name", self.name),
        )

    def describe(self, variances: tuple[str, ...] = ("weight_var", "bias_var")) -> tuple[str, ...]:
        """The choices as lines of text; of the variances those that are named."""
        lines = [
            f"parametrisation {self.parametrization}" + (f" ({self.name})" if self.name else "")
        ]
        if variances:
            lines.append(", ".join(f"{key} = {getattr(self, key)}" for key in variances))
        if self.input_weight_var not in (None, self.weight_var):
            lines.append(f"weight_var of the first layer = {self.input_weight_var}")
        lines.append(
            "inner products divided by the input dimension d"
            if self.input_scaling
            else "raw inner products of the inputs"
        )
        if self.bias_init == "zero":
            lines.append("biases trained, zero at initialisation")
        if self.trained != "all":
            flags = ", ".join("trained" if f else "frozen" for f in self.trained)
            lines.append(f"dense layers, input first: {flags}")
        if self.parametrization == "standard":
            lines.append(f"width = {'the symbol width' if self.width is None else self.width}")
        lines.append(f"derivative {self.derivative.replace('_', ' ')}")
        return tuple(lines)

    def latex(self) -> str:
        """The update of a layer, in LaTeX."""
        w, b = latex(self.weight_var), latex(self.bias_var)
        zero = self.bias_init == "zero"
        bias = "" if self.bias_var == 0 else f" + {b}"
        sigma = rf"\Sigma' = {w}\,K" + ("" if zero else bias)
        if self.parametrization == "ntk":
            own = rf"\Sigma'{bias if zero else ''}"
        else:
            own = f"{'n' if self.width is None else latex(self.width)}\\,K" + " + 1" * bool(bias)
        return rf"{sigma},\qquad \Theta' = {own} + {w}\,\dot K\,\Theta"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"


NTK = Convention()
"""The default: "ntk", weight variance 1, no bias, inputs divided by d."""

WIDTH = Symbol("width", positive=True, integer=True)
"""The fan-in of a hidden layer where the convention gives no number."""
