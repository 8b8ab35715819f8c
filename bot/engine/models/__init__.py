"""Model files: which there are, what is in one, fetching and converting them. Runs no model."""
