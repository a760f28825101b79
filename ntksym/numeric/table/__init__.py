"""Tabulated duals: polynomials with a proven error, for code that costs what a closed form does."""

from .banded import BandedDual as BandedDual
from .banded import read_table as read_table
from .cost import Cost as Cost
from .cost import table_cost as table_cost
from .dual import Sheet as Sheet
from .dual import TableDual as TableDual
from .dual import table_dual as table_dual
from .split import SplitTable as SplitTable
from .split import split_table as split_table
from .split_kinks import KinkTable as KinkTable
from .split_kinks import kink_table as kink_table
