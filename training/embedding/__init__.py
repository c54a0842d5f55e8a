"""Embeddings of whole folders as files, made in parts if need be."""
