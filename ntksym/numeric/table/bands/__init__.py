"""A wide range of variances in bands, with polynomials for every pair of them."""
