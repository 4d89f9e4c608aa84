"""How long the counting of a text takes: ``python -m benchmarks.text_length``.

Prints the medians for typical texts, then how the time grows for texts that search patterns find hard: from 2,000
characters to 4,000 it should double, and in no case take four times as long.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

from shared.x.text_length import text_fault, weighted_length

TYPICAL = {
    "words": "Tomorrow at nine we open the new shop in the old town. Come by and say hello!",
    "a link": "Read the notes of the release: https://example.com/notes/2026?lang=en and tell us what you think",
    "emoji": "We open tomorrow 🎉👩🏽\u200d💻 ☀️ come by!",
    "Japanese": "明日の朝九時に新しい店を開きます。ぜひお越しください。" * 4,
    "280 letters": "a" * 280,
}
HARD = {
    "one word": "漢",
    "labels": "漢.",
    "Latin labels": "é.",
    "underscores": "_a",
    "hosts in a run": "a.co._",
    "links": "a.co ",
    "parentheses": "a.co/(a",
    "balanced parentheses": "a.co/" + "(a)" * 300,
    "signs behind a link": "a.co/" + "!" * 900,
    "families": "👨\u200d👩\u200d👧\u200d👦",
    "keycaps": "1\u20e3",
}
IMPORT = """
from time import perf_counter
begin = perf_counter()
from shared.x.text_length import text_fault
text_fault("Read https://example.com \\u2764\\ufe0f")
print(perf_counter() - begin)
"""


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.text_length", description=__doc__).parse_args()
    imports = [float(subprocess.check_output([sys.executable, "-c", IMPORT])) for _ in range(5)]
    print(f"import and first text: {median(imports) * 1e3:.0f} ms\n")
    for name, text in TYPICAL.items():
        print(f"{name:>22}: {seconds(partial(text_fault, text), times=500) * 1e6:7.1f} µs")
    print("\n  at 4,000 characters:      time   of that at 2,000")
    for name, part in HARD.items():
        half, whole = ((part * length)[:length] for length in (2_000, 4_000))
        longer = seconds(partial(weighted_length, whole), times=15)
        shorter = seconds(partial(weighted_length, half), times=15)
        print(f"{name:>22}: {longer * 1e3:7.1f} ms   x {longer / shorter:.1f}")


def seconds(work: Callable[[], object], times: int) -> float:
    def once() -> float:
        begin = perf_counter()
        work()
        return perf_counter() - begin

    return median(once() for _ in range(times))


if __name__ == "__main__":
    main()
