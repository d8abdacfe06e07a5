"""What a process holds while it works on a run is kept: the claim on the run, and its share of the organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import final

import anyio

from bulkzcrm.errors import OutputError
from bulkzcrm.journal import LostLeaseError
from bulkzcrm.run.lease import RENEW_S
from bulkzcrm.send import Claim
from bulkzcrm.sharing import BEAT_S, Share

__all__ = ["Keeper"]


@final
class Keeper:
    """Renews both in the background, also while rows are judged or a lost answer is waited for.

    `lost` tells that another process has taken the run over; whoever works on it must then stop, and is cancelled where
    he is `guarded`.
    """

    def __init__(self, share: Share, claim: Claim) -> None:
        self.lost: LostLeaseError | None = None
        self._share = share
        self._claim = claim
        self._scope: anyio.CancelScope | None = None

    def guarded(self, scope: anyio.CancelScope) -> anyio.CancelScope:
        """Cancel this scope once the run is lost."""
        self._scope = scope
        if self.lost is not None:
            scope.cancel()
        return scope

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Keep both for as long as the context is entered."""
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep)
            try:
                yield
            except Exception as error:  # noqa: BLE001  the group would wrap it; it goes on as it is
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _keep(self) -> None:
        renewed = anyio.current_time()
        while True:
            try:
                await self._until_the_next_beat()
                await self._share.beat()
                if anyio.current_time() - renewed >= RENEW_S:
                    self._claim.extended(await self._share.write(self._claim.extend))
                    renewed = anyio.current_time()
            except LostLeaseError as error:
                self.lost = error
                if self._scope is not None:
                    self._scope.cancel()
                return
            except OutputError:
                # Nothing is lost by one beat. If the disk stays like that, no request leaves any more, and whoever
                # writes next says what is wrong.
                continue

    async def _until_the_next_beat(self) -> None:
        """Let the time of a beat pass, and reserve credits meanwhile as often as they run short."""
        with anyio.move_on_after(BEAT_S):
            while True:
                await self._share.runs_short()
                await self._share.top_up()
