"""What the whole run shares: the compiled bytecode of the package."""

from __future__ import annotations

import os
import sys

# About a hundred tests start an interpreter of their own.  Where no bytecode may be written each of
# them compiles the package anew, which takes longer than most of what they test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
