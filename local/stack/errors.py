"""Why the stack cannot start."""


class CannotStartError(Exception):
    """The stack cannot start; the text is one sentence that says why and what to do."""
