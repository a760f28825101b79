"""Exact arithmetic: rational functions with square roots, in canonical form."""

from .element import Exact as Exact
from .field import Field as Field
