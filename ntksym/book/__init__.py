"""The book: literate derivation files, read as pages and published as a site."""

from __future__ import annotations

from ..errors import MissingExtra as MissingExtra
from .collect import collect as collect
from .records import BadBook as BadBook
from .records import Book as Book
from .records import Page as Page
from .render import Rendered as Rendered
from .render import render as render
