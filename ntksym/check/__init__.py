"""Stage judge: a verdict on a claim, with its evidence, diagnosis and the formula that holds."""

from .check import check as check
from .judgement import Counterexample as Counterexample
from .judgement import Diagnosis as Diagnosis
from .judgement import Judgement as Judgement
