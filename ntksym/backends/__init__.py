"""Emit: programs to text, one language per file."""

from ._base import Backend as Backend
from ._base import SourceFile as SourceFile
from ._base import missing_ops as missing_ops
from .c import C as C
from .c import Contract as Contract
from .numpy import NUMPY as NUMPY

BACKENDS: tuple[Backend, ...] = (C, NUMPY)
"""Every backend; the tests are products over it."""
