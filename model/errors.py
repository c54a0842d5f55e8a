"""The root of every error that this project raises on purpose, and what both halves raise."""


class SemblanceError(Exception):
    """Its text is written for the caller: no paths, no image data."""


class Overloaded(SemblanceError):
    """More is asked than can be answered in time; it may be asked again."""
