"""What a search for an error works on: the tree of the formula, and true values at points."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from time import process_time

from sympy import Expr, Integer, Symbol

from ...claims.binding import Binding, bind
from ...claims.claim import Claim
from ...claims.statement import Statement, state
from ...errors import NtksymError
from ...language import to_text
from ...language.parser import read_tree
from ...language.syntax import Node
from ...language.tree_text import write
from ...verify.report import Verdict
from ..judge import DIGITS, Finding, Sample, take
from ..proof import prove
from .floats import NAN, Place
from .trees import names_in

_LONGEST = 2000


@dataclass
class Ground:
    """The material of one search.

    Attributes:
        claim: the claim.
        tree: the formula, in the names of its author.
        part: which of several named formulas; "" where there is one.
        siblings: the statements that the formula makes: one, or one for each index n.
        samples: (index of the sibling, sample), with the ball of the definition.
        places: float values of names and of the nodes of `tree` at each sample.
        target: the true value at each sample.
        values: the value of the formula at each sample.
        vocabulary: names with a value at every sample, one for each meaning.
        deadline: when the search stops.
    """

    claim: Claim
    tree: Node
    part: str
    siblings: tuple[Statement, ...]
    samples: tuple[tuple[int, Sample], ...]
    places: tuple[Place, ...]
    target: tuple[float, ...]
    values: tuple[float, ...]
    vocabulary: tuple[str, ...]
    binding: Binding
    deadline: float
    known: dict[str, Verdict | None] = field(default_factory=dict)
    basis: tuple[tuple[Node, list[float]], ...] | None = None

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return process_time() > self.deadline

    @property
    def single(self) -> bool:
        """Whether there is one value only, so that nothing but its digits can tell."""
        return len(self.samples) == 1

    def vector(self, node: Node) -> list[float]:
        """The values of a tree at the samples."""
        return [p.value(node) for p in self.places]

    def symbol(self, name: str) -> Expr | None:
        """What a name stands for."""
        return self.binding.names.get(name)

    def verified(self, tree: Node) -> Verdict | None:
        """`PROVED` or `ENCLOSED` for a formula that holds, None for any other."""
        text = write(tree)
        if text not in self.known:
            self.known[text] = self._verified(text)
        return self.known[text]

    def _verified(self, text: str) -> Verdict | None:
        if len(text) > _LONGEST:
            return None
        try:
            new = restated(self.claim, self.part, text)
            if self.claim.quantity == "fixed_point":
                return _judged(new)
            sampled = {i for i, _ in self.samples}
            if not _same_definitions(new, self.siblings, sampled):
                return None
            if any(settled(s) is None for i, s in enumerate(new) if i not in sampled):
                return None
            return self._balls(new)
        except NtksymError:
            return None

    def _balls(self, new: tuple[Statement, ...]) -> Verdict | None:
        """The verdict on statements with known definitions, at the samples already taken."""
        good = 0
        for i, sample in self.samples:
            if not set(new[i].variables) <= set(sample.enclosure.point):
                return _judged(new)
            try:
                ball = sample.enclosure.formula(DIGITS, new[i].rhs)
            except NtksymError:
                continue
            if not ball.overlaps(sample.definition):
                return None
            good += 1
        if good < min(3, len(self.samples)) or 2 * good < len(self.samples):
            return None
        return Verdict.PROVED if all(prove(s).lines for s in new) else Verdict.ENCLOSED


def settled(statement: Statement) -> Verdict | None:
    """`PROVED` or `ENCLOSED` for a statement that holds, from a few points; None otherwise.

    Raises:
        NtksymError: the definition cannot be enclosed as an expectation.
    """
    if not _agree(take(statement, 8, 1)[0], 1):
        return None
    few = 3 if statement.variables else 1
    if not _agree(take(statement, DIGITS, few)[0], few):
        return None
    if prove(statement).lines:
        return Verdict.PROVED
    return Verdict.ENCLOSED if _agree(take(statement, DIGITS, 2 * few)[0], few) else None


def _agree(samples: tuple[Sample, ...], least: int) -> bool:
    good = [s for s in samples if s.formula is not None]
    return len(good) >= least and all(
        s.formula is not None and s.formula.overlaps(s.definition) for s in good
    )


def _judged(statements: tuple[Statement, ...]) -> Verdict | None:
    found = [settled(s) for s in statements]
    return None if None in found else min(v for v in found if v is not None)


def _same_definitions(
    new: tuple[Statement, ...], old: tuple[Statement, ...], which: set[int]
) -> bool:
    """Whether a repair left the other side of the equation alone."""
    return len(new) == len(old) and all(
        a.lhs == b.lhs and a.lets == b.lets and a.expectations == b.expectations
        for i, (a, b) in enumerate(zip(new, old, strict=True))
        if i in which
    )


def stem(part: str) -> str:
    """The name of a value without its Hermite index."""
    return part.split("n=")[0].rstrip(", ") if "n=" in part else part


def restated(claim: Claim, part: str, text: str) -> tuple[Statement, ...]:
    """The statements of the claim with another formula for one part.

    Raises:
        NtksymError: the formula cannot be read in the scope of the claim.
    """
    many = isinstance(claim.formula or claim.latex, dict)
    formula: str | dict[str, str] = {part: text} if many else text
    return state(replace(claim, formula=formula, latex=""))


def ground(claim: Claim, finding: Finding, text: str, deadline: float) -> Ground | None:
    """The material of a search, or None where the formula cannot be taken apart.

    Raises:
        NtksymError: the claim cannot be stated again.
    """
    tree = read_tree(text)
    part = stem(finding.statement.part)
    siblings: tuple[Statement, ...] = (finding.statement,)
    samples = tuple((0, s) for s in finding.samples)
    if "n=" in finding.statement.part:
        siblings = restated(claim, part, text)
        # indices at which the formula lost a variable are left to the verification
        most = max(len(one.variables) for one in siblings)
        samples = tuple(
            (i, s)
            for i, one in enumerate(siblings)
            if len(one.variables) == most
            for s in (
                finding.samples[:3]
                if one.part == finding.statement.part
                else take(one, DIGITS, 2)[0]
            )
        )
    if not samples:
        return None
    binding = bind(claim)
    places = tuple(_place(siblings[i], s, binding, claim, tree) for i, s in samples)
    target = _target(samples)
    if claim.quantity == "fixed_point":
        from .fixed import fixed_points

        target = fixed_points(binding, places)
    values = tuple(p.value(tree) for p in places)
    return Ground(
        claim, tree, part, siblings, samples, places, target, values,
        _vocabulary(binding, places, tree), binding, deadline,
    )  # fmt: skip


def _target(samples: tuple[tuple[int, Sample], ...]) -> tuple[float, ...]:
    """The definition in floats; NaN where its ball is absolute and says nothing of its size."""
    balls = [s.definition for _, s in samples]
    return tuple(
        0.0 if b.contains_zero else float(b.mid) if b.rel_digits >= 10 else NAN for b in balls
    )


def _place(
    statement: Statement, sample: Sample, binding: Binding, claim: Claim, tree: Node
) -> Place:
    at = {s.name: float(r) for s, r in sample.enclosure.point.items()}
    bare = Place(at)
    names: dict[str, float] = {}
    known: dict[Expr, float] = {}
    for name, expr in binding.names.items():
        if expr not in known:
            known[expr] = _float(binding.fix(expr), bare)
        if not math.isnan(known[expr]):
            names[name] = known[expr]
    if claim.quantity == "hermite":
        n = claim.n if claim.n is not None else int(statement.part.split("n=")[1])
        names["n"] = float(n)
    return Place(names, tree)


def _float(expr: Expr, place: Place) -> float:
    if isinstance(expr, Symbol):
        return place.names.get(expr.name, NAN)
    if isinstance(expr, Integer):
        return float(int(expr))
    return place.value(read_tree(to_text(expr)))


_PREFERRED = ("q", "m", "q11", "q12", "q22", "m1", "m2", "rho", "theta", "weight_var", "bias_var")
_LETTERS = ("q1", "c", "q2")


def _vocabulary(binding: Binding, places: tuple[Place, ...], tree: Node) -> tuple[str, ...]:
    """One name for each meaning: the author's, or one of the same style."""
    used = [n for n in names_in(tree) if n in binding.names]
    style = _LETTERS if set(used) & set(_LETTERS) else ()
    chosen: dict[Expr, str] = {}
    for name in (*used, *style, *_PREFERRED, *binding.names):
        expr = binding.names.get(name)
        if expr is None or all(name in p.names for p in places) is False:
            continue
        if binding.fix(expr).is_number:
            continue
        if not (name in used or name in (*style, *_PREFERRED) or isinstance(expr, Symbol)):
            continue
        chosen.setdefault(expr, name)
    return tuple(chosen.values())


__all__ = ["Ground", "ground", "restated", "settled", "stem"]
