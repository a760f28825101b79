"""Stage state: a published formula as a claim, and the statement that it makes."""

from .claim import QUANTITIES as QUANTITIES
from .claim import Claim as Claim
