"""Gram matrices larger than memory: tiles on Dask, stored by Zarr."""

from .fill import GramReport as GramReport
from .fill import gram_to_zarr as gram_to_zarr
from .lazy import gram_dask as gram_dask
from .plan import Plan as Plan
from .plan import Tile as Tile
from .plan import plan_tiles as plan_tiles
