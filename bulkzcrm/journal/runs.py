"""Statements about runs: who they are, how far they are, and whose they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from bulkzcrm.errors import JournalError, UsageError
from bulkzcrm.journal.codec import columns_from, json_text, object_from, texts_from
from bulkzcrm.journal.database import Database, SqlValue
from bulkzcrm.journal.failures import IllegalMoveError, LostLeaseError
from bulkzcrm.journal.records import Counters, NewRun, Run
from bulkzcrm.journal.serials import ROWS, base_of, new_serial
from bulkzcrm.journal.states import RESUMABLE, RUN_MOVES, UNFINISHED, RunState, require_move
from bulkzcrm.model import Json

_COLUMNS = (
    "id, operation, organisation_id, organisation, api_domain, sandbox, sandbox_state, state, stopped_because, options,"
    " source, sheet, source_sha256, columns, header_row, notes, reading, decisions, lookups, output, formats, job,"
    " step, retry_of, created_ms, updated_ms, epoch, owner, lease_until_ms, requests, credits, batches, seconds,"
    " pruned_ms, revision"
)


def hold(database: Database, run: str, epoch: int, now_ms: int) -> RunState:
    """Prove, in the transaction of the write that follows, that the run is still ours; return its state."""
    kept = database.one(
        "UPDATE run SET updated_ms = ?, revision = revision + 1 WHERE id = ? AND epoch = ? RETURNING state",
        (now_ms, run, epoch),
    )
    if kept is None:
        find(database, run)
        raise LostLeaseError(run)
    return RunState(kept["state"])


def hold_in(database: Database, run: str, epoch: int, now_ms: int, allowed: frozenset[RunState]) -> None:
    """`hold`, for what only makes sense in certain states of the run."""
    state = hold(database, run, epoch, now_ms)
    if state not in allowed:
        raise IllegalMoveError(f"The run {run} is {state}, and its rows and batches no longer change that way.")


def add(database: Database, new: NewRun, now_ms: int) -> None:
    """Write a run that begins. Raises `UsageError` when the one whose rows it retries is gone, or going."""
    if new.retry_of is not None:
        # In one transaction with the writing: whoever prunes sees this run, or this run sees that it was pruned.
        find(database, new.retry_of)
    values: dict[str, SqlValue] = {
        "id": new.id,
        "operation": new.operation,
        "organisation_id": new.organisation_id,
        "organisation": new.organisation,
        "api_domain": new.api_domain,
        "sandbox": int(new.sandbox),
        "sandbox_state": new.sandbox_state,
        "state": RunState.INGESTING,
        "options": json_text(new.options),
        "source": new.source,
        "sheet": new.sheet,
        "source_sha256": new.source_sha256,
        "columns": json_text(new.columns),
        "header_row": new.header_row,
        "notes": json_text(new.notes),
        "reading": json_text(new.reading),
        "decisions": json_text(new.decisions),
        "lookups": json_text(new.lookups),
        "output": new.output,
        "formats": json_text(new.formats),
        "job": new.job,
        "step": new.step,
        "retry_of": new.retry_of,
        "created_ms": now_ms,
        "updated_ms": now_ms,
        "serial": new_serial(database),
        **dict.fromkeys(("epoch", "requests", "credits", "batches", "seconds"), 0),
    }
    database.change(
        f"INSERT INTO run ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608  names of ours
        tuple(values.values()),
    )


def find(database: Database, run: str) -> Run:
    """Return one run. Raises `UsageError` when there is none of that id."""
    row = database.one(f"SELECT {_COLUMNS} FROM run WHERE id = ?", (run,))  # noqa: S608  names of ours
    if row is None:
        raise UsageError(f"The journal knows no run {run}.", "`bulkzcrm runs` lists the runs that there are.")
    if row["pruned_ms"] is not None:
        raise UsageError(
            f"The run {run} has been pruned: its rows are deleted.", "`bulkzcrm runs` lists the runs that there are."
        )
    return _run(row)


def latest_resumable(database: Database) -> Run | None:
    """Return the newest run that is not over."""
    marks = ", ".join("?" * len(RESUMABLE))
    row = database.one(
        f"SELECT {_COLUMNS} FROM run WHERE state IN ({marks}) ORDER BY id DESC LIMIT 1",  # noqa: S608  names of ours
        sorted(RESUMABLE),
    )
    return None if row is None else _run(row)


def newest(database: Database, limit: int, before: str | None, states: Collection[RunState] | None = None) -> list[Run]:
    """Return runs, newest first, older than `before`; with `states`, those alone that are in one of them."""
    conditions, parameters = ["pruned_ms IS NULL"], list[SqlValue]()
    if before is not None:
        conditions.append("id < ?")
        parameters.append(before)
    if states is not None:
        conditions.append(f"state IN ({', '.join('?' * len(states))})")
        parameters += sorted(states)
    rows = database.all(
        f"SELECT {_COLUMNS} FROM run WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?",  # noqa: S608  ours
        (*parameters, limit),
    )
    return [_run(row) for row in rows]


def at_work(database: Database, now_ms: int) -> list[Run]:
    """Return the runs that somebody has a claim on at that moment, whether or not its process lives."""
    rows = database.all(
        f"SELECT {_COLUMNS} FROM run WHERE owner IS NOT NULL AND lease_until_ms >= ? ORDER BY id",  # noqa: S608  ours
        (now_ms,),
    )
    return [_run(row) for row in rows]


def of_job(database: Database, job: str) -> list[Run]:
    """Return the runs of a job, in the order of its steps."""
    rows = database.all(
        f"SELECT {_COLUMNS} FROM run WHERE job = ? ORDER BY COALESCE(step, 0), id",  # noqa: S608  names of ours
        (job,),
    )
    return [_run(row) for row in rows]


def find_by_content(
    database: Database, source_sha256: str, operation: str, organisation_id: str, api_domain: str, besides: str | None
) -> Run | None:
    """Return the newest run of that content that came through ingest, sandboxes excepted, pruned runs included.

    Of runs that began after the run `besides`, only those count that have sent something.
    """
    row = database.one(
        f"SELECT {_COLUMNS} FROM run"  # noqa: S608  names of ours
        " WHERE source_sha256 = ? AND operation = ? AND sandbox = 0 AND state <> ? AND id <> ?"
        # Where one of the two does not know its organisation, the address has to do.
        " AND (organisation_id = ? OR (api_domain = ? AND (? = '' OR COALESCE(organisation_id, '') = '')))"
        " AND (id < ? OR ? = '' OR pruned_ms IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM batch b WHERE b.run = run.id AND b.attempt > 0))"
        " ORDER BY id DESC LIMIT 1",
        (
            source_sha256,
            operation,
            RunState.INGESTING,
            besides or "",
            *(organisation_id, api_domain, organisation_id),
            *[besides or ""] * 2,
        ),
    )
    return None if row is None else _run(row)


def update(
    database: Database, run: str, texts: Mapping[str, str | None], structures: Mapping[str, Json | None]
) -> None:
    """Write the columns that are not None; of lookups, the keys that are given, and the others stay."""
    changes: dict[str, SqlValue] = {name: text for name, text in texts.items() if text is not None}
    lookups = structures.get("lookups")
    if isinstance(lookups, Mapping):
        # What the caller has read of the others may be out of date.
        structures = {**structures, "lookups": {**find(database, run).lookups, **lookups}}
    changes |= {name: json_text(structure) for name, structure in structures.items() if structure is not None}
    if changes:
        settings = ", ".join(f"{name} = ?" for name in changes)
        database.change(f"UPDATE run SET {settings} WHERE id = ?", (*changes.values(), run))  # noqa: S608  names of ours


def move(database: Database, run: str, now: RunState, wanted: RunState, stopped_because: str | None) -> None:
    """Move a run to another state; `finished` only when every row has ended."""
    require_move(RUN_MOVES, now, wanted, f"The run {run}")
    if wanted is RunState.FINISHED:
        marks, base = ", ".join("?" * len(UNFINISHED)), base_of(database, run)
        unfinished = database.one(
            f"SELECT COUNT(*) FROM row_state WHERE place > ? AND place < ? AND status IN ({marks})",  # noqa: S608  marks only
            (base, base + ROWS, *sorted(UNFINISHED)),
        )
        if unfinished is not None and unfinished[0]:
            raise IllegalMoveError(
                f"The run {run} has {unfinished[0]} rows that have not ended, and cannot be finished."
            )
        database.change(
            "INSERT INTO ended_count (run, status, total)"
            " SELECT ?, status, COUNT(*) FROM row_state WHERE place > ? AND place < ? GROUP BY status",
            (run, base, base + ROWS),
        )
    database.change("UPDATE run SET state = ?, stopped_because = ? WHERE id = ?", (wanted, stopped_because, run))


def count(database: Database, run: str, more: Counters) -> None:
    """Add to what the run has cost."""
    database.change(
        "UPDATE run SET requests = requests + ?, credits = credits + ?, batches = batches + ?, seconds = seconds + ?"
        " WHERE id = ?",
        (more.requests, more.credits, more.batches, more.seconds, run),
    )


def claim(database: Database, run: str, owners: Sequence[str], now_ms: int, lease_ms: int) -> int | None:
    """Take a run that is nobody's, or whose lease is over or belongs to one of `owners`; the first of them gets it."""
    marks = ", ".join("?" * len(owners))
    claimed = database.one(
        "UPDATE run SET epoch = epoch + 1, owner = ?, lease_until_ms = ?, updated_ms = ? WHERE id = ?"  # noqa: S608  marks
        f" AND (owner IS NULL OR lease_until_ms < ? OR owner IN ({marks})) RETURNING epoch",
        (owners[0], now_ms + lease_ms, now_ms, run, now_ms, *owners),
    )
    if claimed is None:
        find(database, run)
        return None
    return int(claimed["epoch"])


def extend_lease(database: Database, run: str, epoch: int, now_ms: int, lease_until_ms: int) -> None:
    """Prolong the lease of a run that is still ours."""
    hold(database, run, epoch, now_ms)
    database.change("UPDATE run SET lease_until_ms = ? WHERE id = ? AND epoch = ?", (lease_until_ms, run, epoch))


def release(database: Database, run: str) -> None:
    """Give the run back, so that anybody may claim it."""
    database.change("UPDATE run SET owner = NULL, lease_until_ms = NULL WHERE id = ?", (run,))


def drop(database: Database, run: str, state: RunState) -> None:
    """Forget a run of which nothing was ever sent, with its rows, its batches and the marks that it set as a retry."""
    sent = database.one("SELECT 1 FROM batch WHERE run = ? AND attempt > 0 LIMIT 1", (run,))
    if sent is not None or state is RunState.FINISHED:
        raise JournalError(
            f"The run {run} is not forgotten: it has been sent, at least in part, or it is finished.",
            f"`bulkzcrm report {run}` shows what became of its rows.",
        )
    base = base_of(database, run)
    database.change("DELETE FROM before_image WHERE place > ? AND place < ?", (base, base + ROWS))
    database.change("DELETE FROM row_state WHERE place > ? AND place < ?", (base, base + ROWS))
    database.change("DELETE FROM run WHERE id = ?", (run,))
    database.bases.pop(run, None)


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        operation=row["operation"],
        organisation_id=row["organisation_id"],
        organisation=row["organisation"],
        api_domain=row["api_domain"],
        sandbox=bool(row["sandbox"]),
        sandbox_state=row["sandbox_state"],
        state=RunState(row["state"]),
        stopped_because=row["stopped_because"],
        options=object_from(row["options"]),
        source=row["source"],
        sheet=row["sheet"],
        source_sha256=row["source_sha256"],
        columns=columns_from(row["columns"]),
        header_row=row["header_row"],
        notes=texts_from(row["notes"]),
        reading={name: str(text) for name, text in object_from(row["reading"]).items()},
        decisions=object_from(row["decisions"]),
        lookups=object_from(row["lookups"]),
        output=row["output"],
        formats=texts_from(row["formats"]),
        job=row["job"],
        step=row["step"],
        retry_of=row["retry_of"],
        created_ms=row["created_ms"],
        updated_ms=row["updated_ms"],
        epoch=row["epoch"],
        owner=row["owner"],
        lease_until_ms=row["lease_until_ms"],
        counters=Counters(
            requests=row["requests"], credits=row["credits"], batches=row["batches"], seconds=row["seconds"]
        ),
        pruned_ms=row["pruned_ms"],
        revision=row["revision"],
    )
