"""Identification: what the candidates of an index miss, and what a large one costs."""
