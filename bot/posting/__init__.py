"""Outlets that post what was aired to a platform's chat. They take only what a person has approved."""
