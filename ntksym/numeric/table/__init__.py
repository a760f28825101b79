"""Tabulated duals: polynomials with a proven error, for code that costs what a closed form does."""

from .cost import Cost as Cost
from .cost import table_cost as table_cost
from .dual import Sheet as Sheet
from .dual import TableDual as TableDual
from .dual import table_dual as table_dual
