"""Who gets how much of what is not enough for all: max-min fair, in whole places."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["portions"]


def portions(claims: Sequence[tuple[int, int]], capacity: int) -> list[int]:
    """Divide places among claims of (so many wanted, so many at most); the first come first.

    Nobody gets more than is wanted while another one who wants more has fewer. Places that nobody wants are divided as
    fairly, up to what each takes at most. Where there are more claims than places, the last ones get none.
    """
    given = [0] * len(claims)
    for bounds in ([min(wanted, most) for wanted, most in claims], [most for _, most in claims]):
        while capacity > 0:
            hungry = [place for place, bound in enumerate(bounds) if given[place] < bound][:capacity]
            if not hungry:
                break
            for place in hungry:
                given[place] += 1
            capacity -= len(hungry)
    return given
