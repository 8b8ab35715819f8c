"""States of the model that are worth keeping: in memory, on disk, and tuned ones. A cache; the transcript is the truth.

`keeping.py` knows no torch: the panel's process imports it.
"""
