"""What is proved of functions: where they are smooth, zeros, growth, ranges, better forms."""
