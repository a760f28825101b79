"""The rule for code where none is asked for: the cheapest entries that are there soon.

Where no error is asked for building ends within about `SOON` seconds if any rule is proven by
then: what is likely to take longer waits, and is built only where nothing else is proven.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import inf
from typing import Any

from ..activation import Activation
from ..errors import NoClosedForm, Undecided
from .choice import Candidate, price
from .endless import endless_slope
from .patience import TooLong, at_most
from .rules import NNGP, RULES, Build, Rule, Variances, seconds_of

CODE_ERROR = 1e-10
"""What the rules for code aim at where nothing is asked for."""
RELAXED = 1e-8
"""What the automatic choice is content with where `CODE_ERROR` is not proven."""
SOON = 14.0
"""Seconds of one core within which the automatic choice ends where some rule is proven by then.

A table of `RELAXED` may take `_GRACE` more."""
LONGEST = 150.0
"""The same for a rule where an error is asked for, or where no other rule is proven."""
_FIRST = 0.85
"""Of `SOON`, at most, for rules of `CODE_ERROR`: the rest is for those of `RELAXED`."""
_LAST = 5.0
"""Seconds at least for the rule that needs the least building."""
_GRACE = 6.0
"""Seconds more for a table of `RELAXED`: entries are dear without it."""
_BEGUN = 0.25
"""So much of its time more for a rule that was expected to be there in time."""
_LOOK = 5.0
"""Seconds for a look at how long building takes: one that takes longer is no look."""
_LOOKS = 8.0
"""Seconds for all looks of one request."""
_EASIER = 0.25
"""With an error a hundred times as large building takes about half the time, never this part."""
_SEEN: dict[tuple[Rule, Activation], list[tuple[Variances, float, Exception | None]]] = {}
"""Looks that were refused, or took too long (None), each with its range and error."""
_MANY = 256
"""Activations and rules that are remembered."""


@dataclass(slots=True)
class Soon:
    """One request, and what came of the rules so far.

    Attributes:
        activation, variances, error, build: as `choose` takes them.
        seen: every rule that was considered is added to it.
        looks: seconds of one core that are left for looks.
        late: what the last look at a rule that takes too long expected, in seconds.
        unseen: rules and errors that were not looked at because of that.
    """

    activation: Activation
    variances: Variances
    error: float | None
    build: Build
    seen: list[Candidate]
    looks: float = field(default_factory=lambda: _LOOKS)
    late: dict[str, float] = field(default_factory=dict)
    unseen: set[tuple[str, float]] = field(default_factory=set)

    def first(self, alone: bool = False) -> tuple[Any, Rule]:
        """The dual of the first rule that is proven, and the rule.

        Args:
            alone: whether E[s(u) s(v)] alone will do where no rule gives both duals.

        Raises:
            Undecided: none is; the hint has the one that would only take long.
        """
        errors = (self.error,) if self.error is not None else (CODE_ERROR, RELAXED)
        *fast, last = RULES.values()  # a table of RELAXED comes before entries that take long
        tries = [(error, rule) for error in errors for rule in fast]
        tries += [(error, last) for error in errors]
        begin, put_off = time.thread_time(), []
        for error, rule in tries:
            left = SOON - (time.thread_time() - begin)
            if error == CODE_ERROR:
                left -= (1 - _FIRST) * SOON
            within = LONGEST if self.error is not None else max(left, _LAST * (rule is last))
            grace = _GRACE if (error, rule.name) == (RELAXED, "tabulated") else 0.0
            try:
                made = self.attempt(rule, error, within, grace)
            except TooLong as late:
                put_off.append((_expected(late), rule, error))
                continue
            if made is not None:
                self._tell(error, put_off)
                return made, rule
        self.late.clear()
        begin = time.thread_time()  # all that were put off share the time of one
        long: list[tuple[float, Rule, float]] = []
        for waiting in put_off:
            seconds, rule, error = waiting
            unseen = (rule.name, error) in self.unseen
            left = max(LONGEST - (time.thread_time() - begin), _LAST * (rule is last))
            if self.error is not None or not (left >= seconds or (seconds == inf and left > 0)):
                long.append((inf, rule, error) if unseen else waiting)
                continue
            try:
                made = self.attempt(rule, error, left, look=unseen)
            except TooLong as late:
                long.append((_expected(late), rule, error) if unseen else waiting)
                continue
            if made is not None:
                return made, rule
        for error in errors if alone else ():
            made = self.attempt(NNGP, error, LONGEST)
            if made is not None:
                return made, NNGP
        raise self._nothing(errors[-1], long)

    def attempt(
        self, rule: Rule, error: float, within: float, grace: float = 0.0, look: bool = True
    ) -> Any:
        """The dual of a rule, None where it is not proven.

        Args:
            rule: what is tried.
            error: what is to be proven.
            within: seconds of one core for building it.
            grace: seconds more.
            look: whether it is not begun where it is expected to take longer than both.

        Raises:
            TooLong: it takes longer, or probably does.
        """
        begin = time.thread_time()
        try:
            if look:
                seconds = _EASIER * self.late.get(rule.name, 0.0)
                if seconds <= within + grace or self.known(rule, error):
                    seconds = self.seconds(rule, error)
                else:
                    self.unseen.add((rule.name, error))
                if seconds > within + grace:
                    self.late[rule.name] = seconds if seconds < inf else 0.0
                    raise _Expected(seconds)
                within = max(within - (time.thread_time() - begin), 0.0)
                if seconds > 0 and self.error is None:  # most of it is then done
                    grace = max(grace, _BEGUN * within)
            with at_most(within + grace):  # what was expected may be wrong
                made = self.build(rule, self.activation, self.variances, error)
        except (Undecided, NoClosedForm) as failed:
            said = f"{error:g}: {with_place(failed)}"
            self.seen.append(Candidate(rule.name, False, said, rule.cost))
            if isinstance(failed, TooLong):
                raise
            return None
        reason = f"the cheapest that proves {error:g}"
        self.seen.append(Candidate(rule.name, True, reason, price(made, rule.cost)))
        return made

    def seconds(self, rule: Rule, error: float) -> float:
        """About how long building takes; nothing where it is there already, or is not known.

        Infinite where finding that out takes long itself.  What a look was refused for holds for
        wider ranges and smaller errors too, and is not looked at again.

        Raises:
            Undecided, NoClosedForm: as `Rule.seconds`, or as it did before.
        """
        if rule.seconds is None or self.known(rule, error):
            return 0.0
        noted = _SEEN.setdefault((rule, self.activation), [])
        for variances, least, refusal in noted:
            if error <= least and _holds(self.variances, variances):
                if refusal is None:
                    return inf
                raise refusal.with_traceback(None)
        begin, within = time.thread_time(), min(_LOOK, self.looks)
        looking = getattr(self.build, "looking", lambda *_: nullcontext())
        try:
            with at_most(within), looking(rule, self.activation, self.variances, error):
                return seconds_of(rule, self.activation, self.variances, error)
        except TooLong:
            if time.thread_time() - begin >= _LOOK:  # not where a limit around it ended it
                noted.append((self.variances, error, None))
            return inf
        except (Undecided, NoClosedForm) as failed:
            noted.append((self.variances, error, failed))
            raise
        finally:
            self.looks = max(self.looks - (time.thread_time() - begin), 0.0)
            while len(_SEEN) > _MANY:
                _SEEN.pop(next(iter(_SEEN)), None)

    def known(self, rule: Rule, error: float) -> bool:
        """Whether the dual is there without building it."""
        known = getattr(self.build, "known", None)
        return known is not None and known(rule, self.activation, self.variances, error)

    def _tell(self, error: float, put_off: list[tuple[float, Rule, float]]) -> None:
        """Say what was taken instead of what, where the way of building has `tell`."""
        tell = getattr(self.build, "tell", None)
        if tell is None or not put_off:
            return
        taken = self.seen[-1]
        seconds, better, wanted = put_off[0]
        long = "longer than is waited for" if seconds == inf else f"about {seconds:.0f} s"
        tell(
            f"ntksym: {taken.method} dual of {self.activation.name}, error {error:g}, is taken "
            f"({taken.cost}); {better.name}, error {wanted:g}, takes {long} to build: "
            f"method={better.name!r} with error={wanted:g} asks for it"
        )

    def _nothing(self, error: float, put_off: list[tuple[float, Rule, float]]) -> Undecided:
        hint = "a larger error, or a narrower range of variances: rows of one norm are best"
        known = [p for p in put_off if p[0] < inf]
        endless = endless_slope(self.activation)
        if endless:
            hint = (
                'the NNGP alone: compile(..., only="nngp"), ntksym export --only nngp; '
                "ntksym eval: both duals at unequal inputs, enclosed"
            )
        elif known:
            seconds, rule, wanted = min(known, key=lambda p: p[0])
            hint += f"; method {rule.name!r} with error={wanted:g} builds for about {seconds:.0f} s"
        return Undecided(
            f"no method proves an error of {error:g} for {self.activation.name}"
            + (f" within {LONGEST:.0f} s" if put_off else ""),
            where=endless,
            tried=[f"{c.method}: {c.reason}" for c in self.seen],
            hint=hint,
        )


def _holds(wide: Variances, narrow: Variances) -> bool:
    """Whether a range holds another; one variance, which has rules of its own, only itself."""
    if wide[0] == wide[1] or narrow[0] == narrow[1]:
        return wide == narrow
    return wide[0] <= narrow[0] and narrow[1] <= wide[1]


class _Expected(TooLong):
    """A rule that is not even begun."""

    def __init__(self, seconds: float) -> None:
        long = f"about {seconds:.0f} s" if seconds < inf else "too long"
        super().__init__(f"{long} to build")
        self.seconds = seconds


def _expected(late: TooLong) -> float:
    """Seconds that were expected; infinite where the expectation was wrong."""
    return late.seconds if isinstance(late, _Expected) else inf


def with_place(error: NoClosedForm | Undecided) -> str:
    """What failed, and the best bound reached where that was said, in one line."""
    return "; ".join((error.what, *(line.strip() for line in error.where.splitlines()[:1])))
