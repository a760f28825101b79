"""Stage judge: a verdict on a claim, with its evidence, its diagnosis and the formula that holds."""

from .judgement import Counterexample as Counterexample
from .judgement import Diagnosis as Diagnosis
from .judgement import Judgement as Judgement
