"""C of networks: the layer map once, the loop over layers outside, vector lanes inside."""
