"""Long formulas with names for what repeats, as papers print them: Delta, rho, A1 and A2, Re."""

from .names import Abbreviated as Abbreviated
from .names import abbreviate as abbreviate
from .names import decimal_digits as decimal_digits
from .names import latex_rows as latex_rows
from .rewrite import tidied as tidied
