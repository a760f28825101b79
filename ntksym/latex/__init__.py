"""Formulas as papers print them: LaTeX to the language, with an echo of how it was read."""

from __future__ import annotations

from .reader import Reading as Reading
from .reader import name_for as name_for
from .reader import read_equation as read_equation
from .reader import read_latex as read_latex
