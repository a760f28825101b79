"""The language of activations and formulas: a safe parser, and a writer that inverts it."""

from __future__ import annotations

from .define import as_activation as as_activation
from .define import parse_activation as parse_activation
from .read import parse as parse
from .read import parse_number as parse_number
from .write import to_text as to_text
