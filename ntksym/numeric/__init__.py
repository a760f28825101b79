"""Duals without a closed form in the class: exact sums and certified rules, each with its bound."""
