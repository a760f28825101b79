"""A proof as zero tests, each with what it shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ZeroTest:
    """One zero test: what was shown, and whether it came out zero."""

    what: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """All zero tests of one dual, or why there are none."""

    lines: tuple[ZeroTest, ...]
    obstacle: str = ""

    @property
    def holds(self) -> bool:
        """Every zero test came out zero, and there was at least one."""
        return bool(self.lines) and all(line.holds for line in self.lines) and not self.obstacle

    @property
    def failed(self) -> tuple[str, ...]:
        """The zero tests that did not come out zero."""
        return tuple(line.what for line in self.lines if not line.holds)
