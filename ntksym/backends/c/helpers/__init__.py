"""C of `ntksym.h`: the functions that generated files call."""
