"""From the journal to the organisation: read it, judge the rows by it, ask, send, and say how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from anyio import to_thread

from bulkzcrm.cells import counted
from bulkzcrm.client import Client
from bulkzcrm.errors import BulkzcrmError, ConfigurationError, StoppedError, UsageError
from bulkzcrm.events import Connected, Noted, SendingStarted
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
from bulkzcrm.journal import (
    Organisation as Learned,
)
from bulkzcrm.limiter import Limiter
from bulkzcrm.lookup import folded
from bulkzcrm.model import Status
from bulkzcrm.readings import read_organisation, wanted_readings
from bulkzcrm.run.ingesting import time_zone
from bulkzcrm.run.judging import Judge, Verdicts
from bulkzcrm.run.options import RunOptions, error_limit
from bulkzcrm.run.sending import Sending
from bulkzcrm.run.signals import InterruptedRunError
from bulkzcrm.run.surroundings import Preview, Surroundings
from bulkzcrm.send import Budget
from bulkzcrm.spec.limits import ACTIVE_SERVICES, RECORDS_A_CREDIT, concurrency_of, write_cost
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation
from bulkzcrm.spec.service_fields import SERVICE_FIELDS
from bulkzcrm.transport import Transport

__all__ = ["SANDBOX_DOMAIN", "SendingPhase"]

SANDBOX_DOMAIN = "sandbox"
"""Stands for the address of an embedded sandbox, which is another one each time."""

_READS_AT_ONCE = 5
"""Before the edition is known: what every edition allows."""


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

    async def go(self) -> None:
        """Do what is left. Raises `RefusedError` before the first write, `StoppedError` at any time."""
        connection = self._around.connection
        domain = SANDBOX_DOMAIN if self._around.sandbox else connection.api_domain if connection else ""
        if connection is None or domain != self.run.api_domain:
            raise ConfigurationError(
                f"The run {self.run.id} belongs to an organisation at {self.run.api_domain}.",
                "Name the profile of that organisation with --profile.",
            )
        async with Transport(connection, timeout_s=self._options.timeout) as transport:
            client = Client(
                transport,
                Limiter(_READS_AT_ONCE, clock=self._around.monotonic, sleep=self._around.stop.sleep),
                max_wait=self._options.max_wait,
                announce=self._around.announce,
                clock=self._around.clock,
                sleep=self._around.stop.sleep,
                monotonic=self._around.monotonic,
            )
            try:
                await self._with_organisation(client)
            finally:
                self._requests, self._credits = client.requests, client.credits

    async def _with_organisation(self, client: Client) -> None:
        organisation = await self._read(client)
        self._around.stop.go_on()
        self._bind(organisation)
        self._refuse_lost_columns(organisation)
        self._refuse_again()
        judge = self._judge(client, organisation)
        verdicts = await to_thread.run_sync(judge.judge, self._journal, self.run.id, self._settle)
        self._around.stop.go_on()
        self._warn_of_limit(organisation, verdicts)
        counts = self._counts()
        budget = self._budget(counts)
        to_send = counts[Status.UNSENT]
        if not to_send and not counts[Status.UNKNOWN]:
            return
        if to_send and self._untouched:
            # In this thread, since a person who is asked may also answer with Ctrl-C.
            self._around.confirm(self._preview(organisation, counts))
            self._around.stop.go_on()
        await self._send(client, organisation, judge, budget, to_send)

    async def _read(self, client: Client) -> Organisation:
        given = self.run.decisions.get("given")
        carried = self.run.decisions.get("carried")
        wanted = wanted_readings(
            self._operation,
            {str(name) for name in given} if isinstance(given, list | tuple) else set(),
            carried=bool(self._unknown_columns(carried)),
        )
        organisation = await read_organisation(client, wanted)
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
        return organisation

    def _bind(self, organisation: Organisation) -> None:
        """Hold the run to its organisation. Raises `ConfigurationError` when it is another one."""
        connection = self._around.connection
        named = connection.org_id if connection else None
        profile = organisation.profile
        actual = profile.id if profile else (named or "")
        if self.run.organisation_id is not None and actual != self.run.organisation_id:
            raise ConfigurationError(
                f"The run {self.run.id} belongs to {self.run.organisation} ({self.run.organisation_id}), "
                f"but the credentials lead to another organisation ({actual}).",
                "Name the profile of that organisation with --profile.",
            )
        if profile is not None and named and named not in (profile.id, profile.other_id):
            raise ConfigurationError(
                f"The credentials lead to {profile.name} ({profile.id}), not to the organisation {named}.",
                "Correct BULKZCRM_ORG_ID (or org_id in the profile), or use the other organisation's credentials.",
            )
        if self.run.organisation_id is None:
            name = profile.name if profile else actual
            self._journal.update_run(self.run.id, self._epoch, organisation_id=actual, organisation=name)
            self.run = self._journal.run(self.run.id)

    @staticmethod
    def _unknown_columns(carried: object) -> list[str]:
        """Return the carried columns that are no field that any operation of ours sends."""
        if not isinstance(carried, list | tuple):
            return []
        ours = {_bare(name) for each in SERVICE_FIELDS for name in (each.name, each.label)} | {""}
        return [str(name) for name in carried if _bare(str(name)) not in ours]

    def _refuse_lost_columns(self, organisation: Organisation) -> None:
        """Stop for a column that means a field of the organisation which we cannot send: nothing vanishes silently."""
        known = {
            _bare(text): name for name, label in (organisation.field_names or {}).items() for text in (name, label)
        }
        lost = [each for each in self._unknown_columns(self.run.decisions.get("carried")) if _bare(each) in known]
        if lost and self._untouched:
            told = ", ".join(f"“{column}” ({known[_bare(column)]})" for column in lost)
            cure = " ".join(f'--ignore-column "{column}"' for column in lost)
            what = "The column is a field" if len(lost) == 1 else "These columns are fields"
            raise UsageError(f"{what} of the organisation that cannot be sent yet: {told}.", f"Go on with {cure}.")

    def _refuse_again(self) -> None:
        """Refuse a create whose source has a run already: it would make every record twice."""
        if not self._operation.creates or self._options.again or self._around.sandbox:
            return
        if not self._untouched or self.run.retry_of is not None:
            return
        earlier = self._journal.find_run_by_content(
            self.run.source_sha256, self.run.operation, self.run.organisation_id or "", besides=self.run.id
        )
        if earlier is not None:
            raise UsageError(
                f"{self.run.source} with the same content was already sent by the run {earlier.id}.",
                f"See `bulkzcrm report {earlier.id}`; to create every record once more, add --again.",
            )

    def _judge(self, client: Client, organisation: Organisation) -> Judge:
        letters = self.run.decisions.get("letters")
        return Judge(
            operation=self._operation,
            organisation=organisation,
            letters={str(name): str(letter) for name, letter in letters.items()} if isinstance(letters, dict) else {},
            now=client.now(),
            time_zone=time_zone(self._options.time_zone),
            allow_duplicates=self._options.allow_duplicates,
            announce=self._around.announce,
        )

    def _settle(self, settlements: Sequence[RowSettlement]) -> None:
        self._journal.settle_rows(self.run.id, self._epoch, settlements)

    def _warn_of_limit(self, organisation: Organisation, verdicts: Verdicts) -> None:
        """Warn when the active services may become more than an organisation can have; the server judges."""
        active = sum(
            current.record.get("Status") == self._operation.defaults.get("Status")
            for current in (organisation.services or {}).values()
        )
        if self._operation.creates and active + verdicts.becoming_active > ACTIVE_SERVICES:
            self._around.announce(
                Noted(
                    f"{active:,} services are active and {verdicts.becoming_active:,} more would be; an organisation "
                    f"can have {ACTIVE_SERVICES}. What is over the limit will be rejected.",
                    warning=True,
                )
            )

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
                self._journal.update_run(self.run.id, self._epoch, lookups={**self.run.lookups, "over_budget": True})
                raise
        return budget

    def _size(self) -> int:
        return min(self._options.batch_size or self._operation.maximum, self._operation.maximum)

    def _preview(self, organisation: Organisation, counts: dict[Status, int]) -> Preview:
        rows, size = counts[Status.UNSENT], self._size()
        full, rest = divmod(rows, size)
        cost = full * write_cost(size) + (write_cost(rest) if rest else 0)
        profile = organisation.profile
        return Preview(
            operation=self._operation.name,
            organisation=profile.name if profile else (self.run.organisation or ""),
            organisation_id=self.run.organisation_id or "",
            organisation_type=profile.type if profile else "",
            to_send=rows,
            unchanged=counts[Status.UNCHANGED],
            invalid=counts[Status.INVALID],
            batches=full + bool(rest),
            credits=cost,
            triggers=self._options.triggers,
        )

    async def _send(
        self, client: Client, organisation: Organisation, judge: Judge, budget: Budget, to_send: int
    ) -> None:
        edition = organisation.profile.edition if organisation.profile else ""
        size = self._size()
        ceiling = concurrency_of(edition, many_records=size > RECORDS_A_CREDIT)
        ceiling = 1 if self._operation.one_at_a_time else min(ceiling, self._options.concurrency or ceiling)
        organisation_id = self.run.organisation_id or ""
        learned = self._journal.organisation(organisation_id).learned_limit
        client.limiter = Limiter(ceiling, learned, clock=self._around.monotonic, sleep=self._around.stop.sleep)
        in_doubt = self._journal.recover(self.run.id, self._epoch) if self.run.state is not RunState.INGESTED else []
        self._journal.set_state(self.run.id, self._epoch, RunState.SENDING)
        self.has_sent = True
        self._around.announce(SendingStarted(rows=to_send, ceiling=ceiling))
        with JournalWriter(self._journal) as writer:
            sending = Sending(
                operation=self._operation,
                run=self.run.id,
                epoch=self._epoch,
                writer=writer,
                client=client,
                judge=judge,
                budget=budget,
                stop=self._around.stop,
                organisation=organisation,
                size=size,
                ceiling=ceiling,
                triggers=self._options.triggers,
            )
            try:
                if self._operation.safe_to_repeat:
                    await sending.settle_doubts(in_doubt)
                await sending.send_all()
            finally:
                self._batches = sending.ledger.batches
        self._journal.learn(Learned(id=organisation_id, learned_limit=client.limiter.learned))
        if sending.error is not None:
            raise sending.error

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
        return RunState.STOPPED, (
            f"{counted(doubtful, 'row')} sent without a trustworthy answer: look up whether the records exist. Lost "
            "creates are not read back yet, so resuming alone does not settle them."
            if self._operation.creates
            else f"{counted(doubtful, 'row')} sent without a trustworthy answer; resuming reads back what became of it."
        )


def _bare(text: str) -> str:
    return "".join(character for character in folded(text) if character.isalnum())
