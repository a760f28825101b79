"""Derivatives of both kernels in covariances, variances, parameters and rows."""
