"""Duals without a closed form in the class: exact sums with proven bounds."""

from .bound import MixtureBound as MixtureBound
from .bound import prove_bound as prove_bound
from .choose import best_dual as best_dual
from .logistic import LogisticSum as LogisticSum
from .logistic import recognise as recognise
from .mixture import MixtureDual as MixtureDual
from .mixture import mixture_dual as mixture_dual
from .nodes import Mixture as Mixture
from .nodes import mixture as mixture
from .pairs import PairForms as PairForms
