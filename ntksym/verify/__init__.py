"""Check: proofs, enclosures and samples, each with its evidence; undecided is never a pass."""
