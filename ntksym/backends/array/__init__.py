"""JAX and PyTorch, and what both share with gradients in NumPy: functions of arrays."""
