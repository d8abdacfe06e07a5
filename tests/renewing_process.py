"""A process that shares a token: for each line that it reads it says that it asks, asks, and says what it got."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from loopback import connection

from bulkzcrm.auth import TokenSource
from bulkzcrm.wire import Wire


async def share(home: Path, url: str) -> None:
    async with Wire(timeout_s=20) as wire:
        tokens = TokenSource(connection(home, url), wire)
        token = None
        say("here")
        while await asyncio.to_thread(sys.stdin.readline):
            say("asking")
            token = await (tokens.token() if token is None else tokens.refresh(token))
            say(token.value.reveal())


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(share(Path(sys.argv[1]), sys.argv[2]))
