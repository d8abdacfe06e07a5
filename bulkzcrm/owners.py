"""Who holds something for a while: the name of a process in the journal, and whether that process has ended."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Final

__all__ = ["dead", "owner_name"]

_OURS: Final[set[str]] = set()
"""The names that this process goes by."""


def owner_name() -> str:
    """Return a name for this process that no other has, and that it has not had before."""
    name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
    _OURS.add(name)
    return name


def dead(owner: str | None) -> bool:
    """Tell whether the process of that name is known to have ended; on another machine nobody can know."""
    host, _, rest = (owner or "").partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        # The system has given the number of a process that has ended to this one.
        return owner not in _OURS
    if os.name == "nt":
        # There, the call below would end the process instead of asking for it; its lease runs out soon enough.
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
