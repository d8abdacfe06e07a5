"""From the journal to the organisation: read it, judge the rows by it, ask, send, and say how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from anyio import to_thread

from bulkzcrm.cells import counted
from bulkzcrm.client import Client
from bulkzcrm.config import Connection
from bulkzcrm.errors import BulkzcrmError, ConfigurationError, StoppedError
from bulkzcrm.events import Connected, Noted, SendingStarted
from bulkzcrm.hosts import is_loopback
from bulkzcrm.journal import (
    Counters,
    Journal,
    JournalWriter,
    Progress,
    RowSettlement,
    Run,
    RunState,
    reported_counts,
)
from bulkzcrm.limiter import Limiter
from bulkzcrm.model import Json, Status
from bulkzcrm.readings import read_organisation, wanted_readings
from bulkzcrm.run.allowances import batch_size, beyond_the_limit, preview_of, terms_of
from bulkzcrm.run.given_again import refuse_given_back_again
from bulkzcrm.run.ingesting import time_zone
from bulkzcrm.run.judging import Judge, Verdicts
from bulkzcrm.run.judging_all import judge_all, pages
from bulkzcrm.run.keeping import Keeper
from bulkzcrm.run.keys import keys_of
from bulkzcrm.run.lease import LEASE_MS
from bulkzcrm.run.lost_digits import LostDigits
from bulkzcrm.run.options import RunOptions, error_limit
from bulkzcrm.run.refusing import refuse_again, refuse_lost_columns, the_same_organisation, unknown_columns
from bulkzcrm.run.sending import Sending
from bulkzcrm.run.settling import NAMESAKES, quiet_period
from bulkzcrm.run.signals import InterruptedRunError
from bulkzcrm.run.surroundings import Surroundings
from bulkzcrm.send import Budget, Claim
from bulkzcrm.sharing import Share
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation, Reading
from bulkzcrm.spec.values import name_of
from bulkzcrm.traffic import Second
from bulkzcrm.transport import Transport

__all__ = ["SANDBOX_DOMAIN", "SendingPhase"]

SANDBOX_DOMAIN = "sandbox"
"""Stands for the address of an embedded sandbox, which is another one each time."""

_LOGINS = "logins"
"""Under this word a run keeps which credentials have sent it (marks that tell nothing about them)."""
_BEFORE_THE_SHARE = 1
"""Requests in flight until it is known whose organisation it is, and what others send to it."""


@final
class SendingPhase:
    """One call's work on one run; afterwards it says what it cost and how the run stands."""

    def __init__(self, journal: Journal, run: Run, epoch: int, operation: Operation, around: Surroundings) -> None:
        self.run = run
        self.error: BulkzcrmError | None = None
        self.has_sent = False
        self._journal = journal
        self._epoch = epoch
        self._operation = operation
        self._around = around
        self._options = RunOptions.from_json(run.options)
        # Whether nothing of the run was ever sent: a run that stopped before its first write is asked about again.
        self._untouched = not journal.batches(run.id, limit=1)
        self._requests = 0
        self._credits = 0
        self._batches = 0
        self._left = ""
        self.traffic: tuple[Second, ...] = ()
        """Requests over time that are not in the journal yet."""

    async def go(self) -> None:
        """Do what is left. Raises `RefusedError` before the first write, `StoppedError` at any time."""
        connection = self._around.connection
        domain = SANDBOX_DOMAIN if self._around.sandbox else connection.api_domain if connection else ""
        if connection is None or domain != self.run.api_domain:
            raise ConfigurationError(
                f"The run {self.run.id} belongs to an organisation at {self.run.api_domain}.",
                "Name the profile of that organisation with --profile.",
            )
        wire = self._around.wire() if self._around.wire else None
        async with Transport(
            connection,
            timeout_s=self._options.timeout,
            wire=wire,
            clock=lambda: self._around.clock().timestamp(),
            sleep=self._around.stop.sleep,
        ) as transport:
            client = Client(
                transport,
                Limiter(_BEFORE_THE_SHARE, clock=self._around.monotonic, sleep=self._around.stop.sleep),
                max_wait=self._options.max_wait,
                announce=self._around.announce,
                clock=self._around.clock,
                sleep=self._around.stop.sleep,
                monotonic=self._around.monotonic,
            )
            try:
                await self._with_organisation(client, connection)
            finally:
                self._requests, self._credits = client.requests, client.credits
                self.traffic = client.traffic.take_rest()

    async def _with_organisation(self, client: Client, connection: Connection) -> None:
        """Find out whose organisation it is, and work on it within the share of it that this run gets."""
        wanted = self._wanted
        organisation = await read_organisation(client, {Reading.ORG: wanted.pop(Reading.ORG)})
        self._bind(organisation, connection)
        if self._untouched and self._operation.creates and not self._around.sandbox:
            # Before the rest of the organisation is read, which costs credits.
            if not self._options.again:
                refuse_again(self.run, self._journal)
            if not self._options.again or self.run.retry_of is not None:
                refuse_given_back_again(self.run, self._journal)
        claim = Claim(self.run.id, self._epoch, lease_ms=LEASE_MS, clock=self._around.clock)
        claim.extended(claim.extend(self._journal))
        terms = terms_of(self._operation, self._options, organisation, is_rehearsal=self._around.sandbox)
        share = Share(
            self._journal,
            f"{self.run.organisation_id} {self.run.sandbox_state or ''}".strip(),
            terms,
            announce=self._around.announce,
            clock=self._around.clock,
            monotonic=self._around.monotonic,
            sleep=self._around.stop.sleep,
        )
        await share.join(spent=client.credits, remaining=client.credits_remaining)
        try:
            client.limiter, client.meter = share.limiter, share
            keeper = Keeper(share, claim)
            async with keeper.keeping():
                await read_organisation(client, wanted, key=self._operation.key, known=organisation)
                await self._judge_and_send(client, organisation, keeper, claim, terms.most)
        finally:
            await share.leave()

    async def _judge_and_send(
        self, client: Client, organisation: Organisation, keeper: Keeper, claim: Claim, at_once: int
    ) -> None:
        self._tell(organisation)
        self._around.stop.go_on()
        # Here and below, in a thread where all services are looked through: there may be very many.
        judge = await to_thread.run_sync(self._judge, client, organisation)
        if self._untouched:
            # After the unique field: a name of it that is mistyped makes its column one that cannot be sent.
            refuse_lost_columns(self.run, organisation)
        go_on = self._around.stop.go_on
        lost = LostDigits(
            operation=self._operation,
            organisation=organisation,
            letters=judge.letters,
            repair=self._options.repair_ids,
            announce=self._around.announce,
        )
        await to_thread.run_sync(lost.settle, self._journal, self.run.id, self._settle)
        verdicts = await to_thread.run_sync(judge_all, judge, self._journal, self.run.id, self._settle, go_on)
        self._around.stop.go_on()
        warning = await to_thread.run_sync(beyond_the_limit, self._operation, organisation, verdicts.becoming_active)
        if warning:
            self._around.announce(Noted(warning, warning=True))
        counts = await to_thread.run_sync(self._counts)
        budget = self._budget(counts)
        to_send = counts[Status.UNSENT]
        if not to_send and not counts[Status.UNKNOWN]:
            return
        if to_send and self._untouched:
            # In this thread, since a person who is asked may also answer with Ctrl-C.
            self._around.confirm(preview_of(self._operation, self._options, organisation, counts))
            self._around.stop.go_on()
        if keeper.lost is not None:
            raise keeper.lost
        self._remember(verdicts, client)
        if self.run.state is not RunState.INGESTED:
            self._journal.recover(self.run.id, self._epoch)
        self._journal.set_state(self.run.id, self._epoch, RunState.SENDING)
        self.has_sent = True
        self._around.announce(SendingStarted(rows=to_send, ceiling=at_once))
        with JournalWriter(self._journal) as writer:
            sending = Sending(
                operation=self._operation,
                run=self.run,
                epoch=self._epoch,
                claim=claim,
                keeper=keeper,
                writer=writer,
                client=client,
                judge=judge,
                budget=budget,
                stop=self._around.stop,
                organisation=organisation,
                size=batch_size(self._operation, self._options),
                ceiling=at_once,
                triggers=self._options.triggers,
                quiet_s=quiet_period(
                    self._options.quiet_period, self._options.timeout, in_sandbox=self._leads_to_sandbox
                ),
                is_own_login=self.run.lookups.get(_LOGINS) == [client.login],
                ids_recur=self._leads_to_sandbox,
                clock=self._around.clock,
            )
            try:
                await sending.send_all()
            finally:
                self._batches = sending.ledger.batches
                self._left = sending.left
        if sending.error is not None:
            raise sending.error

    def _remember(self, verdicts: Verdicts, client: Client) -> None:
        """Keep what tells this run's records from others when lost ones are read back, perhaps by another login."""
        if not self._operation.creates or self._operation.safe_to_repeat:
            return
        known = self.run.lookups.get(_LOGINS)
        logins = list(known) if isinstance(known, list | tuple) else []
        news: dict[str, Json] = {}
        if client.login not in logins:
            # What was sent before anybody kept count was sent by somebody: blank.
            first = [""] if not logins and not self._untouched else logins
            news[_LOGINS] = [*first, client.login]
        if namesakes := self._new_namesakes(verdicts):
            news[NAMESAKES] = namesakes
        if news:
            self._journal.update_run(self.run.id, self._epoch, lookups=news)
            self.run = self._journal.run(self.run.id)

    def _new_namesakes(self, verdicts: Verdicts) -> list[str]:
        """Return the ids of all namesakes of rows that have made nothing yet, nothing if all are kept already.

        Where a row of the name was sent before, by which call ever, a record of the name may be its own.
        """
        doubtful = pages(self._journal, self.run.id, Progress.SENDING, Progress.IN_DOUBT, Progress.UNKNOWN)
        sent = {name_of(row.record or {}, self._operation.named_by) for page in doubtful for row in page}
        listed = self.run.lookups.get(NAMESAKES)
        known = frozenset(map(str, listed)) if isinstance(listed, list | tuple) else frozenset[str]()
        new = {
            record_id
            for name, there in verdicts.namesakes.items()
            if name not in sent and name not in verdicts.sent_before
            for record_id in there
        }
        return [] if new <= known else sorted(known | new)

    def _tell(self, organisation: Organisation) -> None:
        for reading, said in organisation.refused.items():
            scope = self._operation.scopes_helpful.get(reading, "")
            self._around.announce(
                Noted(
                    f"The {reading.value} may not be read ({said}); what depends on them goes unchecked. "
                    f"The scope {scope} would allow it.",
                    warning=True,
                )
            )
        profile = organisation.profile
        if profile is not None:
            self._around.announce(
                Connected(organisation=profile.name, organisation_id=profile.id, edition=profile.edition)
            )

    def _bind(self, organisation: Organisation, connection: Connection) -> None:
        """Hold the run to its organisation. Raises `ConfigurationError` when it is another one."""
        organisation_id, name = the_same_organisation(self.run, organisation, connection)
        if not self.run.organisation_id:
            self._journal.update_run(self.run.id, self._epoch, organisation_id=organisation_id, organisation=name)
            self.run = self._journal.run(self.run.id)

    @property
    def _wanted(self) -> dict[Reading, bool]:
        return wanted_readings(self._operation, self._given, carried=bool(unknown_columns(self.run)))

    @property
    def _given(self) -> set[str]:
        """The fields that the source or a constant gives."""
        given = self.run.decisions.get("given")
        return {str(name) for name in given} if isinstance(given, list | tuple) else set()

    def _judge(self, client: Client, organisation: Organisation) -> Judge:
        letters = self.run.decisions.get("letters")
        rows = sum(self._counts().values()) if self._operation.key else 0
        return Judge(
            operation=self._operation,
            organisation=organisation,
            letters={str(name): str(letter) for name, letter in letters.items()} if isinstance(letters, dict) else {},
            now=client.now(),
            time_zone=time_zone(self._options.time_zone),
            allow_duplicates=self._options.allow_duplicates,
            keys=keys_of(self._operation, organisation, self.run.id, given=self._given, rows=rows),
            announce=self._around.announce,
        )

    def _settle(self, settlements: Sequence[RowSettlement]) -> None:
        self._journal.settle_rows(self.run.id, self._epoch, settlements)

    def _counts(self) -> dict[Status, int]:
        return reported_counts(self._journal.count_by_status(self.run.id))

    def _budget(self, counts: dict[Status, int]) -> Budget:
        limit = error_limit(self._options.max_errors, sum(counts.values()))
        budget = Budget(limit, told=self._options.max_errors or "")
        if self._untouched and not self.run.lookups.get("over_budget"):
            try:
                budget.spend(counts[Status.INVALID])
            except StoppedError:
                # Told once; who resumes nevertheless wants the other rows sent.
                self._journal.update_run(self.run.id, self._epoch, lookups={"over_budget": True})
                raise
        return budget

    def counters(self, seconds: float) -> Counters:
        """Return what this call has cost, the seconds that it took included."""
        return Counters(requests=self._requests, credits=self._credits, batches=self._batches, seconds=seconds)

    def ending(self) -> tuple[RunState, str | None]:
        """Return the state that the run is in now, and why it stopped where it did."""
        counts = self._journal.count_by_status(self.run.id)
        left = reported_counts(counts)[Status.UNSENT]
        doubtful = counts[Progress.IN_DOUBT] + counts[Progress.SENDING]
        if not left and not doubtful:
            return RunState.FINISHED, None
        if self._around.stop.requested or isinstance(self.error, InterruptedRunError):
            return RunState.INTERRUPTED, "The run was interrupted."
        if self.error is not None:
            return RunState.STOPPED, str(self.error)
        because = f" {self._left}" if self._left else " Resuming reads back what became of it."
        return RunState.STOPPED, f"{counted(doubtful, 'row')} sent without a trustworthy answer.{because}"

    @property
    def _leads_to_sandbox(self) -> bool:
        connection = self._around.connection
        return self._around.sandbox or (connection is not None and is_loopback(connection.api_domain))
