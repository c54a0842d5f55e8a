"""The root of every error that this project raises on purpose."""


class SemblanceError(Exception):
    """Its text is written for the caller: no paths, no image data."""
