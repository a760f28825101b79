"""Libraries of the optional extras, loaded when they are needed."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from .errors import MissingExtra


def need(module: str, package: str = "", *, extra: str, purpose: str) -> Any:
    """The module, imported.

    Args:
        module: its name.
        package: what it is installed as, where that is another name.
        extra: the extra of this library that has it.
        purpose: what needs it, for the message.

    Raises:
        MissingExtra: it is not installed; the hint is the command that installs it.
    """
    top = module.split(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != top:
            raise
        raise MissingExtra(
            f"{purpose} needs {package or top}, which is not installed",
            hint=f"python -m pip install 'ntksym[{extra}]'",
        ) from error


for_site = partial(need, extra="render", purpose="a site")
for_gram = partial(need, extra="gram", purpose="a matrix larger than memory")
