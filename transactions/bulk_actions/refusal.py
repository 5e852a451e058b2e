"""What stops a bulk action before it begins."""


class NotPossible(Exception):
    """It cannot be done so; `str()` is a sentence for staff that says the next step."""
