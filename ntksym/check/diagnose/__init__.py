"""Stage judge: why a refuted formula is wrong, found by search and verified before it is said."""

from .search import diagnose as diagnose
