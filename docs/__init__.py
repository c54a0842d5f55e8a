"""The documents, and in `website` what makes a site of them."""
