"""All variances from tables of one: activations whose dilates lie in a plane."""
