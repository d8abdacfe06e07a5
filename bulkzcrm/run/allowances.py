"""How much a run may do at once and in all: batches, requests in flight, credits; and what it is about to cost."""

from __future__ import annotations

from collections.abc import Mapping

from bulkzcrm.model import Status
from bulkzcrm.run.options import CREDITS_LEFT, RunOptions, credit_floor
from bulkzcrm.run.surroundings import Preview
from bulkzcrm.sharing import Terms
from bulkzcrm.spec.limits import ACTIVE_SERVICES, RECORDS_A_CREDIT, concurrency_of, daily_credits, write_cost
from bulkzcrm.spec.operation import Operation
from bulkzcrm.spec.organisation import Organisation

__all__ = ["batch_size", "beyond_the_limit", "preview_of", "terms_of"]


def batch_size(operation: Operation, options: RunOptions) -> int:
    """Return the most records in a batch."""
    return min(options.batch_size or operation.maximum, operation.maximum)


def terms_of(operation: Operation, options: RunOptions, organisation: Organisation, *, is_rehearsal: bool) -> Terms:
    """Return what a run may take of its organisation; in a rehearsal nothing has to be left for others.

    Raises `UsageError` for a floor that is none.
    """
    profile = organisation.profile
    size = batch_size(operation, options)
    ceiling = concurrency_of(profile.edition if profile else "", many_records=size > RECORDS_A_CREDIT)
    daily = daily_credits(profile.edition, profile.users) if profile else None
    return Terms(
        ceiling=ceiling,
        most=1 if operation.one_at_a_time else min(ceiling, options.concurrency or ceiling),
        max_credits=options.max_credits,
        floor=0 if is_rehearsal else credit_floor(options.leave_credits, daily),
        floor_told=options.leave_credits or CREDITS_LEFT,
        daily=daily,
    )


def preview_of(
    operation: Operation, options: RunOptions, organisation: Organisation, counts: Mapping[Status, int]
) -> Preview:
    """Return what a run is about to do, for the question before the first write."""
    rows, size = counts[Status.UNSENT], batch_size(operation, options)
    full, rest = divmod(rows, size)
    profile = organisation.profile
    return Preview(
        operation=operation.name,
        organisation=profile.name if profile else "",
        organisation_id=profile.id if profile else "",
        organisation_type=profile.type if profile else "",
        to_send=rows,
        unchanged=counts[Status.UNCHANGED],
        invalid=counts[Status.INVALID],
        batches=full + bool(rest),
        credits=full * write_cost(size) + (write_cost(rest) if rest else 0),
        triggers=options.triggers,
    )


def beyond_the_limit(operation: Operation, organisation: Organisation, becoming_active: int) -> str:
    """Return a warning where the active services may become more than an organisation can have; the server judges."""
    if not operation.creates or not becoming_active:
        return ""
    wanted = operation.defaults.get("Status")
    active = sum(current.record.get("Status") == wanted for current in (organisation.services or {}).values())
    if active + becoming_active <= ACTIVE_SERVICES:
        return ""
    return (
        f"{active:,} services are active and {becoming_active:,} more would be; an organisation "
        f"can have {ACTIVE_SERVICES}. What is over the limit may be rejected."
    )
