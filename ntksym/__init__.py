"""ntksym: derive, prove and run the kernels of infinitely wide neural networks."""
