"""Write certificates: what an independent checker (`ntksym.replay`) needs to confirm a verdict."""

from .files import write as write
from .record import certify as certify
