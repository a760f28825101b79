"""Quadrature for any activation: rules with proven errors, and sampled callables without."""

from .dual import QuadratureDual as QuadratureDual
from .dual import quadrature_dual as quadrature_dual
from .dual import rule_bounds as rule_bounds
from .level import Level as Level
from .sampled import SampledDual as SampledDual
from .sampled import sampled_dual as sampled_dual
