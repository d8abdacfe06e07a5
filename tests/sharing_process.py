"""One of several processes that send to one organisation: `python sharing_process.py HOME CEILING REQUESTS`.

It reads as often as it was told, with as many workers as it can, and prints how often it was turned away, and how many
places it held at most.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio

from bulkzcrm.client import Client
from bulkzcrm.config import load_connection
from bulkzcrm.events import Event
from bulkzcrm.journal import Journal
from bulkzcrm.limiter import Limiter
from bulkzcrm.sharing import Share, Terms
from bulkzcrm.transport import Transport

ORGANISATION = "5545974000000020005"
WORKERS = 8
BEAT_S = 0.02


def nobody_listens(event: Event) -> None:
    del event


async def main(home: Path, ceiling: int, requests: int) -> None:
    connection = load_connection(profile=None, environ=os.environ, home=home)
    turned_away = most = 0
    left = iter(range(requests))

    async with Transport(connection) as transport:
        with Journal.open(home) as journal:
            share = Share(journal, ORGANISATION, Terms(ceiling=ceiling, most=ceiling), announce=nobody_listens)
            client = Client(transport, Limiter(1), max_wait=10, announce=nobody_listens)
            await share.join()
            client.limiter, client.meter = share.limiter, share

            async def keep() -> None:
                nonlocal most
                while True:
                    most = max(most, share.held)
                    await anyio.sleep(BEAT_S)
                    await share.beat()

            async def work() -> None:
                nonlocal turned_away
                for _ in left:
                    async with client.turn():
                        answer = await client.exchange("GET", "org")
                        turned_away += answer.status == 429

            async with anyio.create_task_group() as keeper:
                keeper.start_soon(keep)
                async with anyio.create_task_group() as workers:
                    for _ in range(WORKERS):
                        workers.start_soon(work)
                keeper.cancel_scope.cancel()
            await share.leave()
    sys.stdout.write(f"{turned_away} {most}\n")


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
