"""Long formulas with names for what repeats, as papers print them: Delta, rho, A1 and A2, Re."""

from .arranged import gathered as gathered
from .arranged import one_line as one_line
from .arranged import reflected as reflected
from .lines import fitting as fitting
from .lines import laid_out as laid_out
from .lines import latex_names as latex_names
from .lines import latex_rows as latex_rows
from .names import Abbreviated as Abbreviated
from .names import abbreviate as abbreviate
from .names import arranged as arranged
from .names import decimal_digits as decimal_digits
from .names import presented as presented
from .printers import drawn as drawn
from .printers import latex as latex
from .printers import ordered_terms as ordered_terms
from .rewrite import tidied as tidied
