"""`cohost bench engine`: our engine beside its peers, in turns within one run."""
