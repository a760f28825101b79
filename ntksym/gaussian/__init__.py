"""Expect: Gaussian expectations of products of term sums, in closed form."""

from .closed import ClosedForm as ClosedForm
from .expect import expect as expect
from .expect import value_at as value_at
from .law import Law as Law
