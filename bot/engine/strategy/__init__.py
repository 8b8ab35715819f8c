"""Where each layer of a model runs: the grammar, the choice that `auto` makes, and how weights get there.

`grammar.py` and `auto.py` know no torch. Nothing is imported here, so that importing one costs no other.
"""
