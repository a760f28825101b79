"""Tabulated duals: polynomials with a proven error, for code that costs what a closed form does."""

from .bands.banded import BandedDual as BandedDual
from .bands.banded import read_table as read_table
from .cost import Cost as Cost
from .cost import table_cost as table_cost
from .dual import Sheet as Sheet
from .dual import TableDual as TableDual
from .dual import table_dual as table_dual
from .split.kinks import KinkTable as KinkTable
from .split.kinks import kink_table as kink_table
from .split.table import SplitTable as SplitTable
from .split.table import split_table as split_table
