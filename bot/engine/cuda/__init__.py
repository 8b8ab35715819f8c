"""The CUDA path: a kernel for the recurrence, 8-bit products, and graphs for steps of one token. Nothing here decides where a
model lives; `rwkv7.py` calls these functions for what is on a card.

Everything has a plain PyTorch form beside it, which serves where a kernel or a graph cannot be had: same text, slower.
"""

from bot.engine.cuda.graphs import Graphs
from bot.engine.cuda.library import switched_off
from bot.engine.cuda.products import linear, linear_int8
from bot.engine.cuda.wkv import wkv_scan, wkv_step

__all__ = ["Graphs", "linear", "linear_int8", "switched_off", "wkv_scan", "wkv_step"]
