"""`fit`: train a siamese network on prepared chips."""
