"""A mistake that the person who runs the program can mend. Its message is one clear line: what, where, what to do."""


class UserError(Exception):
    """Shown without a traceback; the program ends with exit code 1."""
