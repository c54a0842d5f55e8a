"""A user's own face-embedding network as an artifact: read, convert, fit, calibrate."""
