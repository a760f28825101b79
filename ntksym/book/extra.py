"""Libraries of the optional extra `render`, loaded when they are needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .records import MissingExtra


def need(module: str, package: str = "") -> ModuleType:
    """The module, imported.

    Raises:
        MissingExtra: it is not installed; the hint is the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtra(
            f"a site needs {package or module}, which is not installed",
            hint="python -m pip install 'ntksym[render]'",
        ) from error
