"""Whose run it is: the name of this process in the journal, and whether the process of another name has ended."""

from __future__ import annotations

import os
import secrets
import socket

__all__ = ["LEASE_MS", "RENEW_S", "dead", "owner_name"]

LEASE_MS = 60_000
"""How long a claim holds without being renewed."""
RENEW_S = 15.0
"""How often it is renewed."""


def owner_name() -> str:
    """Return a name for this process that no other has."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def dead(owner: str | None) -> bool:
    """Tell whether the process of that name is known to have ended; on another machine nobody can know."""
    host, _, rest = (owner or "").partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return True
    if os.name == "nt":
        # There, the call below would end the process instead of asking for it; its lease runs out soon enough.
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
