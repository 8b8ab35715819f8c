"""`python -m bot.engine.kernels`: builds the kernels, so that the first start of a show need not. Says in a line what came of it.

There is no failure: without kernels everything works, more slowly.
"""

from __future__ import annotations

import logging

from bot.engine.kernels import library, why_none


def main() -> None:
    logging.disable()  # the line below says the same
    found = library()
    print(
        f"C++ 内核：{found.processor} / C++ kernels: ready"
        if found
        else f"没有 C++ 内核，CPU 上会慢几倍：{why_none()} / No C++ kernels: several times slower on the CPU."
    )


if __name__ == "__main__":
    main()
