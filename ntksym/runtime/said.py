"""What `print` says of a compiled kernel: its conditions, and the errors that are proven of it."""

from __future__ import annotations

from typing import Any

from .later import found_network

SUPPORT = "ntksym.h"


class Said:
    """What has generated `sources`; its `str` is what they say of themselves.

    One line of what it is, how the last call was computed, the network with its conventions, and
    the head of the generated file: conditions, proven or measured errors, sources.
    """

    sources: Any

    def __str__(self) -> str:
        """The `repr` without its brackets, then the lines above, indented."""
        head = head_lines(self.sources)
        lines = [f"taken: {taken}"] if (taken := getattr(self, "taken", "")) else []
        network = getattr(self, "_network", None)
        if network is not None and not any("parametrisation" in line for line in head):
            found = found_network(network)
            about = getattr(found, "network", found).described()
            head[1:1] = [f"Computes   {row}" for row in about]
        lines += head or ["no code yet: it is made for the variances of the data"]
        return "\n".join([repr(self)[1:-1], *(f"  {line}".rstrip() for line in lines)])


def head_lines(sources: Any) -> list[str]:
    """The head of the first generated file, from what it computes on; none without a file."""
    text = next((s.text for s in sources if s.name != SUPPORT), "")
    if text.startswith("/*"):
        rows = [row.removeprefix(" *").removeprefix(" ") for row in text.split("*/")[0].split("\n")]
    else:
        rows = text.removeprefix('"""').split('"""')[0].split("\n")
    begin = next((i for i, row in enumerate(rows) if row.startswith("Computes")), len(rows))
    return [row for row in rows[begin:] if row.strip()]
