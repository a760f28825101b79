"""Stage publish: generated sources for every target, the shelf `codegen/`, and its accuracy."""

from .files import export as export
