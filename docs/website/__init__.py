"""A site of the documents, readable without any network: `python -m docs.website`."""
