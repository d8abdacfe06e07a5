"""What may be drawn for a machine with several runs: organisations, rows, options, and every kind of trouble."""

from __future__ import annotations

from typing import Any

from desk import SERVICE
from hypothesis import strategies as st
from office import Act, Trouble
from simulated_server import Fate

from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Fault, SandboxOptions

LONG_AGO = "2029-12-01T09:00:00+05:30"
NAMES = ("House Call", "Alpha", "alpha", "Beta")
_FAULTS = (
    Fault.TOO_MANY_REQUESTS,
    Fault.SERVER_ERROR_BEFORE,
    Fault.SERVER_ERROR_AFTER,
    Fault.INTERNAL_ERROR_400_BEFORE,
    Fault.INTERNAL_ERROR_400_AFTER,
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.CUT_BODY,
    Fault.WRONG_LENGTH,
    Fault.NOT_JSON_BEFORE,
    Fault.NOT_JSON_AFTER,
    Fault.EXPIRED_TOKEN,
    Fault.BARE_ERROR,
)
_READ_FAULTS = (Fault.TOO_MANY_REQUESTS, Fault.SERVER_ERROR_BEFORE, Fault.CUT_BEFORE, Fault.EXPIRED_TOKEN)

places = st.integers(1, 70)
fates = st.lists(st.none() | st.sampled_from(Fate), min_size=1, max_size=4).map(tuple)
faults = st.lists(st.none() | st.sampled_from(_FAULTS), min_size=1, max_size=5).map(tuple)
read_faults = st.lists(st.none() | st.sampled_from(_READ_FAULTS), max_size=3).map(tuple)
acts = st.dictionaries(places, st.sampled_from(Act), min_size=1, max_size=3)
any_trouble = st.one_of(
    st.just(Trouble()),
    st.builds(Trouble, kill_at=places),
    st.builds(Trouble, kill_at_write=st.integers(1, 12)),
    st.builds(Trouble, kill_at_write=st.integers(1, 12), fates=fates),
    st.builds(Trouble, fates=fates, acts=acts),
    st.builds(Trouble, faults=faults, kill_at=st.none() | places, read_faults=read_faults),
    st.builds(Trouble, kill_at_write=st.none() | st.integers(1, 12), acts=acts, fates=fates, faults=faults),
)
options = st.builds(
    RunOptions,
    batch_size=st.integers(1, 3),
    concurrency=st.integers(1, 2),
    timeout=st.just(5.0),
    quiet_period=st.just(20.0),
    max_wait=st.sampled_from([600.0, 30.0, 0.0]),
    max_errors=st.sampled_from([None, None, None, "0", "1"]),
    allow_duplicates=st.booleans(),
    again=st.just(True) | st.booleans(),
)
organisations = st.builds(
    SandboxOptions,
    unique_field=st.sampled_from([None, None, "Import_Key", "Service_Name"]),
    active_service_limit=st.sampled_from([500, 11, 12]),
    dialect=st.sampled_from(["full", "full", "bare", "short"]),
    list_subforms=st.booleans(),
    token_calls=st.sampled_from([None, None, 7]),
)
new_rows = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["plain", "plain", "plain", "invalid", "twin", "active"])),
    min_size=1,
    max_size=6,
)


def _changes(operation: str, numbers: list[str], **values: list[str]) -> st.SearchStrategy[tuple[str, Any]]:
    columns = {"id": st.sampled_from(numbers)} if numbers else {}
    row = st.fixed_dictionaries({**columns, **{name: st.sampled_from(texts) for name, texts in values.items()}})
    return st.tuples(st.just(operation), st.lists(row, min_size=1, max_size=4 if numbers else 1))


changes = st.one_of(
    _changes("update-services", [SERVICE.format(number) for number in (2, 3, 4, 5, 10)], Price=["", "", "a lot"]),
    _changes(
        "set-service-status", [SERVICE.format(number) for number in (2, 3, 7, 12)], Status=["Available", "Not in Use"]
    ),
    _changes(
        "set-scoring-rule-status",
        [f"4876876000000965{number}" for number in (528, 529, 530, 531)],
        Status=["active", "inactive"],
    ),
    _changes("update-service-preferences", [], job_sheet_enabled=["yes", "no"]),
)
which = st.integers(0, 5)
