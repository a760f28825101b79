"""Matrices over all pairs of rows: tiles, threads, nearly parallel rows."""
