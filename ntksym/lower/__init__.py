"""Lower: duals and layer rules to `Program`, a straight line of total scalar operations."""

from .kernel import lower_dual as lower_dual
from .kernel import lower_dual_diag as lower_dual_diag
from .kernel import lower_input as lower_input
from .kernel import lower_layer as lower_layer
from .kernel import lower_layer_diag as lower_layer_diag
from .ops import OPS as OPS
from .ops import Op as Op
from .program import Let as Let
from .program import Program as Program
from .schedule import Schedule as Schedule
from .schedule import lower_network as lower_network
