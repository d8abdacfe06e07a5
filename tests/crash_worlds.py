"""The small worlds in which the program is killed: each way of writing, each way of failing, each way of being slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from desk import SERVICE, services
from oracle import Expected
from simulated_server import Fate
from simulation import Plan

from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Fault, SandboxOptions

_ONE = RunOptions(batch_size=2, concurrency=1, timeout=5.0, quiet_period=20.0)
"""Who waits longer passes more points that are all alike; `patient` waits as long as it does by default."""
_TWO = replace(_ONE, concurrency=2)
_FULL = SandboxOptions(active_service_limit=11)
"""An organisation that has as many active services as it may: one more is refused by the server, and only there."""
_LONG_AGO = "2029-12-01T09:00:00+05:30"
_FAR = "2030-12-01T09:00:00+05:30"
_RULE = "4876876000000965{}"


def _new(number: int, **changes: str) -> dict[str, str]:
    (row,) = services(1, first=number, Status="Not in Use", Unavailable_From=_LONG_AGO)
    return row | changes


def _made(row: Mapping[str, str]) -> Expected:
    return Expected(status="succeeded", holds={name: row[name] for name in ("Service_Name", "Price", "Status")})


def _changed(number: int, **holds: str) -> Expected:
    return Expected(status="succeeded", holds=holds, record_id=SERVICE.format(number))


_INVALID = Expected(status="invalid")
_REJECTED = Expected(status="rejected")


def _create() -> Plan:
    rows = [
        _new(1),
        _new(2, Duration="soon"),
        _new(3),
        _new(4, Status="Available", Unavailable_From=""),
        _new(5),
        _new(5),
        _new(7),
    ]
    expected = [_made(rows[0]), _INVALID, _made(rows[2]), _REJECTED, *map(_made, rows[4:])]
    options = replace(_ONE, allow_duplicates=True)
    return Plan(
        name="create", operation="create-services", rows=rows, expected=expected, options=options, sandbox=_FULL
    )


def _update() -> Plan:
    rows = [
        {"id": SERVICE.format(2), "Duration": "95", "Price": "130", "Status": ""},
        {"id": SERVICE.format(3), "Duration": "120", "Price": "80.5", "Status": ""},
        {"id": SERVICE.format(4), "Duration": "180", "Price": "310", "Status": ""},
        {"id": SERVICE.format(6), "Duration": "30", "Price": "60", "Status": "Available"},
        {"id": SERVICE.format(5), "Duration": "50", "Price": "", "Status": ""},
        {"id": SERVICE.format(2), "Duration": "96", "Price": "", "Status": ""},
        {"id": SERVICE.format(10), "Duration": "80", "Price": "", "Status": ""},
    ]
    expected = [
        _changed(2, Duration="95", Price="130"),
        _changed(3, Price="80.5"),
        Expected(status="unchanged", record_id=SERVICE.format(4)),
        Expected(status="rejected", record_id=SERVICE.format(6)),
        _changed(5, Duration="50"),
        _INVALID,
        _changed(10, Duration="80"),
    ]
    return Plan(name="update", operation="update-services", rows=rows, expected=expected, options=_ONE, sandbox=_FULL)


def _status() -> Plan:
    columns = ("id", "Status", "Unavailable_From", "Unavailable_Till")
    rows = [
        dict(zip(columns, row, strict=True))
        for row in (
            (SERVICE.format(2), "Not in Use", _LONG_AGO, ""),
            (SERVICE.format(3), "Temporarily Unavailable", _LONG_AGO, _FAR),
            (SERVICE.format(1), "Temporarily Unavailable", "", ""),
            (SERVICE.format(7), "Available", "", ""),
            (SERVICE.format(12), "Available", "", ""),
        )
    ]
    expected = [
        _changed(2, Status="Not in Use"),
        _changed(3, Status="Temporarily Unavailable"),
        _INVALID,
        _changed(7, Status="Available"),
        Expected(status="unchanged", record_id=SERVICE.format(12)),
    ]
    return Plan(name="status", operation="set-service-status", rows=rows, expected=expected, options=_ONE)


def _rules() -> Plan:
    wanted = {528: True, 529: False, 530: True, 531: True}
    rows = [
        {"id": _RULE.format(number), "Status": "active" if active else "inactive"} for number, active in wanted.items()
    ]
    expected = [
        Expected(status="succeeded", holds={"active": str(active)}, record_id=_RULE.format(number))
        for number, active in wanted.items()
    ]
    expected[2] = Expected(status="unchanged", record_id=_RULE.format(530))
    return Plan(name="scoring rules", operation="set-scoring-rule-status", rows=rows, expected=expected, options=_ONE)


def _preferences() -> Plan:
    expected = [Expected(status="succeeded", holds={"job_sheet_enabled": "False"}, record_id="service_preferences")]
    return Plan(
        name="preferences",
        operation="update-service-preferences",
        rows=[{"job_sheet_enabled": "false"}],
        expected=expected,
        options=_ONE,
    )


CREATE = _create()
UPDATE = _update()
STATUS = _status()
RULES = _rules()
PREFERENCES = _preferences()

_FAULTS = (
    Fault.SERVER_ERROR_AFTER,
    Fault.TOO_MANY_REQUESTS,
    Fault.CUT_BEFORE,
    Fault.EXPIRED_TOKEN,
    Fault.WRONG_LENGTH,
    Fault.NOT_JSON_AFTER,
    Fault.CUT_AFTER,
    Fault.SERVER_ERROR_BEFORE,
)


def plain() -> Iterator[Plan]:
    """Worlds in which nothing goes wrong but that the program is killed."""
    yield from (CREATE, UPDATE, STATUS, RULES, PREFERENCES)
    yield replace(CREATE, name="create, two at once", options=replace(CREATE.options, concurrency=2))
    yield replace(UPDATE, name="update, two at once", options=_TWO)


def slow() -> Iterator[Plan]:
    """Worlds in which one write is lost, or its answer, or it arrives when everybody has given it up."""
    for plan in (CREATE, UPDATE, RULES):
        for fate in Fate:
            for number in (1, 2):
                yield replace(plan, name=f"{plan.name}; of write {number} {fate}", fates={number: fate})


def faulty() -> Iterator[Plan]:
    """Worlds in which the server fails, and in which who comes next cannot know that the program is dead."""
    for plan in (CREATE, UPDATE, RULES):
        yield replace(plan, name=f"{plan.name}; the server fails in eight ways", faults=_FAULTS)
    for plan in (CREATE, UPDATE):
        yield replace(plan, name=f"{plan.name}; its death is not known", is_known_dead=False)
        yield replace(plan, name=f"{plan.name}; what was under way is lost", loses_all=True)
        yield replace(plan, name=f"{plan.name}; the server's clock is ahead", server_ahead_s=200.0)
        yield replace(plan, name=f"{plan.name}; the server's clock is behind", server_ahead_s=-200.0)
    patient = replace(CREATE.options, timeout=RunOptions().timeout, quiet_period=None)
    for fate in Fate:
        yield replace(
            CREATE, name=f"create; patient; of write 1 {fate}", options=patient, late_s=119.0, fates={1: fate}
        )
    for dialect in ("bare", "short"):
        options = replace(_FULL, dialect=dialect)
        yield replace(CREATE, name=f"create; refusals are {dialect}", sandbox=options)


def worlds() -> tuple[Plan, ...]:
    """All of them."""
    return (*plain(), *slow(), *faulty())
