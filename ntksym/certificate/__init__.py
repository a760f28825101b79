"""Write certificates: what an independent checker (`ntksym.replay`) needs to confirm a verdict."""

from .expectation import Expected as Expected
from .files import write as write
from .record import certify as certify
