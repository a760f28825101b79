"""Layers: one frozen dataclass per file, each with `kernel(state, convention, index)`."""

from __future__ import annotations

from .dense import Dense as Dense
from .input import Input as Input
from .nonlinearity import Nonlinearity as Nonlinearity
