"""Real powers: sums of a x_+^p + b x_-^p, with p real, and their expectations by 2F1."""

from .derivation import Part as Part
from .derivation import PowerDerivation as PowerDerivation
from .derivation import pair_parts as pair_parts
from .equal import is_zero as is_zero
from .expect import Expectation as Expectation
from .expect import expect as expect
from .halves import PowerSum as PowerSum
from .halves import recognise as recognise
from .logarithm import LogDerivation as LogDerivation
from .proof import prove_pair as prove_pair
from .proof import prove_powers as prove_powers
