"""Flips each rule of `bulkzcrm.spec` in turn and tells what noticed it: `python tests/flip_rules.py [WORD ...]`.

With words, only flips whose titles hold one of them. Exit status 1 if a flip survives, or if something fails unflipped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from flips import caught_by, failing, flips
from two_sides import close_shared


def show(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    """Print the table, then the survivors."""
    for title in failing():
        show(f"fails without a flip: {title}")
    begun, count, survivors = time.monotonic(), 0, []
    for flip in flips():
        if words and not any(word in flip.title for word in words):
            continue
        count += 1
        catcher = caught_by(flip)
        show(f"{flip.title:<90} {catcher or 'SURVIVES'}")
        survivors += [] if catcher else [flip.title]
    show(f"{count} flips in {time.monotonic() - begun:.0f} seconds; survivors: {', '.join(survivors) or 'none'}")
    status = 1 if survivors or failing() else 0
    close_shared()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
