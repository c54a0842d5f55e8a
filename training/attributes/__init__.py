"""What is known of pictures besides whom they show: measured here, or named in a CSV."""
