"""Check: proofs, enclosures and samples, each with its evidence; undecided is never a pass."""

from .prove import compare as compare
from .prove import evaluate as evaluate
from .prove import prove as prove
from .report import Comparison as Comparison
from .report import Report as Report
from .report import Verdict as Verdict
