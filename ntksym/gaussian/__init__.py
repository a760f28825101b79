"""Expect: Gaussian expectations of products of term sums, in closed form."""

from .closed import ClosedForm as ClosedForm
from .expect import expect as expect
from .law import Law as Law
