"""Mistakes and refusals that people are told about: one clear line each, what, where, what to do."""


class UserError(Exception):
    """A mistake that the person who runs the program can mend. Shown without a traceback; exit code 1."""


class Refused(Exception):
    """An action that changed nothing. `code` is for programs; the message says why, for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
