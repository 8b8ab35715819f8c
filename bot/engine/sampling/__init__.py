"""How the next token is drawn, and every rule that bends its chances.

`limits.py` and `presets.py` know no torch: the panel's process imports them.
"""
