"""Hermite (Mehler) series of a dual: one coefficient sequence per variance, a polynomial in rho."""

from .dual import SeriesDual as SeriesDual
from .dual import series_dual as series_dual
from .table import SeriesTable as SeriesTable
from .table import series_table as series_table
from .truncation import Truncation as Truncation
