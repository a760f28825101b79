"""Recurse: networks, their conventions, and the kernels after each layer."""

from __future__ import annotations

from .convention import Convention as Convention
from .layers import Dense as Dense
from .layers import Input as Input
from .layers import Nonlinearity as Nonlinearity
from .network import Network as Network
from .network import mlp as mlp
from .recursion import InputRule as InputRule
from .recursion import LayerRule as LayerRule
from .recursion import Recursion as Recursion
from .recursion import recurse as recurse
from .spec import parse_spec as parse_spec
from .state import KernelState as KernelState
