"""Parts of `python -m bench`: what is measured, how, and the page of results."""
