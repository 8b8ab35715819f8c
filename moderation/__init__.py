"""Automatic checks of what viewers write and what the model proposes. They point; a person decides."""
