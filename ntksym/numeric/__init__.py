"""Duals without a closed form in the class: exact sums and certified rules, each with its bound."""

from .bound import MixtureBound as MixtureBound
from .bound import prove_bound as prove_bound
from .choice import Candidate as Candidate
from .choice import Choice as Choice
from .choice import read_variances as read_variances
from .choose import best_dual as best_dual
from .choose import choose as choose
from .expected import ExpectedDual as ExpectedDual
from .logistic import LogisticSum as LogisticSum
from .logistic import recognise as recognise
from .mixture import MixtureDual as MixtureDual
from .mixture_build import mixture_dual as mixture_dual
from .nodes import Mixture as Mixture
from .nodes import mixture as mixture
from .pairs import PairForms as PairForms
from .verdict import prove as prove
