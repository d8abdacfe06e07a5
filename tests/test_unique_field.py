"""With a unique field a create may be sent twice and is made once; and a create never changes an existing record."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk import SERVICE, Desk, desk_at, services
from forwarder import Cut, Heard, Say

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import BatchState, Journal
from bulkzcrm.model import Status
from bulkzcrm.report import State
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import Fault, Faults, SandboxOptions
from bulkzcrm.sandbox.options import ALL_SCOPES

KEY = "Import_Key"
KEYED = RunOptions(unique_field=KEY)
WITH_KEY = SandboxOptions(unique_field=KEY)
INTERNAL_ERROR = {"code": "INTERNAL_ERROR", "details": {}, "message": "failed", "status": "error"}

LOST = [
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.CUT_BODY,
    Fault.SERVER_ERROR_BEFORE,
    Fault.SERVER_ERROR_AFTER,
    Fault.INTERNAL_ERROR_400_BEFORE,
    Fault.INTERNAL_ERROR_400_AFTER,
    Fault.NOT_JSON_BEFORE,
    Fault.NOT_JSON_AFTER,
    Fault.WRONG_LENGTH,
    Fault.REDIRECT,
]


def with_keys(count: int) -> list[dict[str, str]]:
    return [{**row, KEY: f"K-{number}"} for number, row in enumerate(services(count), start=1)]


def keys_made(desk: Desk) -> list[object]:
    return [each[KEY] for each in desk.sandbox.services() if str(each["id"]) > SERVICE.format(999)]


@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_create_is_sent_again_and_made_once(tmp_path: Path, fault: Fault):
    async with desk_at(tmp_path, options=WITH_KEY, faults=Faults([fault])) as desk:
        rows = services(3)
        ending = await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["succeeded"] * 3
        assert desk.each_once(rows)
        assert ending.summary.state is State.FINISHED
        assert [(heard.method, heard.path) for heard in desk.wire.writes] == [("POST", "Services__s/upsert")] * 2
        assert desk.wire.writes[0].body == desk.wire.writes[1].body
        made = {str(each["Service_Name"]): str(each["id"]) for each in desk.sandbox.services()}
        assert [row["result_record_id"] for row in desk.results] == [made[row["Service_Name"]] for row in rows]


async def test_a_row_that_is_refused_the_second_time_and_was_written_the_first_time_has_succeeded(tmp_path: Path):
    """Somebody has locked the record meanwhile, say."""
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        locked = {"code": "RECORD_LOCKED", "details": {}, "message": "locked", "status": "error"}
        desk.wire.script(Cut(applied=True), Say(207, {"data": [locked, locked]}))
        await desk.run("create-services", services(2), KEYED)
        assert desk.statuses == ["succeeded"] * 2
        assert desk.each_once(services(2))
        made = {str(each["Service_Name"]): str(each["id"]) for each in desk.sandbox.services()}
        assert [row["result_record_id"] for row in desk.results] == [made[row["Service_Name"]] for row in services(2)]


async def test_a_row_that_is_refused_the_second_time_and_was_never_written_is_rejected(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        locked = {"code": "RECORD_LOCKED", "details": {}, "message": "locked", "status": "error"}
        desk.wire.script(Cut(applied=False), Say(207, {"data": [locked, locked]}))
        await desk.run("create-services", services(2), KEYED)
        assert desk.statuses == ["rejected"] * 2
        assert desk.created == []


async def test_many_lost_creates_of_many_batches_are_each_made_once(tmp_path: Path):
    chances = {Fault.CUT_BEFORE: 0.15, Fault.CUT_AFTER: 0.15, Fault.SERVER_ERROR_AFTER: 0.1, Fault.NOT_JSON_AFTER: 0.1}
    async with desk_at(tmp_path, options=WITH_KEY, faults=Faults(probability=chances, seed=3)) as desk:
        rows = services(200)
        await desk.run("create-services", rows, RunOptions(unique_field=KEY, batch_size=5))
        assert set(desk.statuses) == {"succeeded"}
        assert desk.each_once(rows)
        assert len(desk.wire.writes) > 50


async def test_the_values_are_made_of_the_run_and_the_place_where_the_source_has_none(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        run = await desk.begin("create-services", services(3), KEYED)
        await desk.carry_on()
        assert keys_made(desk) == [f"{run}-1", f"{run}-2", f"{run}-3"]
        assert desk.wire.writes[0].body["duplicate_check_fields"] == [KEY]


async def test_values_of_the_source_are_sent_as_they_are(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY, faults=Faults([Fault.CUT_AFTER])) as desk:
        rows = with_keys(3)
        await desk.run("create-services", rows, KEYED)
        assert keys_made(desk) == ["K-1", "K-2", "K-3"]
        assert desk.each_once(rows)


async def test_a_field_of_ours_can_be_the_unique_one(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(unique_field="Service_Name")) as desk:
        desk.wire.script(Cut(applied=True))
        rows = [*services(2), *services(1, first=7, Service_Name="ac repair")]
        await desk.run("create-services", rows, RunOptions(unique_field="Service_Name"))
        assert desk.statuses == ["succeeded", "succeeded", "invalid"]
        assert desk.each_once(rows[:2])
        assert desk.results[2]["result_code"] == "DUPLICATE_DATA"
        assert (desk.results[2]["result_cell"], desk.results[2]["result_field"]) == ("A4", "Service_Name")


async def test_a_create_never_changes_a_record_that_is_there(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        await desk.run("create-services", with_keys(2), KEYED)
        before = desk.sandbox.services()
        rows = [{**row, "Duration": "90"} for row in with_keys(3)]
        rows[1][KEY] = "k-2"
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["invalid", "invalid", "succeeded"]
        assert desk.sandbox.services()[:-1] == before
        first = desk.results[0]
        assert (first["result_code"], first["result_field"], first["result_cell"]) == ("DUPLICATE_DATA", KEY, "G2")
        assert str(before[12]["id"]) in first["result_message"]


async def test_two_rows_with_one_value_are_one_row_too_many(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = with_keys(3)
        rows[2][KEY] = "k-1"
        await desk.run("create-services", rows, RunOptions(unique_field=KEY, allow_duplicates=True))
        assert desk.statuses == ["succeeded", "succeeded", "invalid"]
        last = desk.results[2]
        assert (last["result_code"], last["result_field"], last["result_cell"]) == ("DUPLICATE_ROW", KEY, "G4")
        assert "row 2" in last["result_message"]


async def test_equal_rows_are_told_apart_by_values_of_their_own_but_not_by_values_that_are_made(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        row = services(1)[0]
        await desk.run("create-services", [{**row, KEY: "a"}, {**row, KEY: "b"}], KEYED)
        assert desk.statuses == ["succeeded", "succeeded"]
        await desk.run("create-services", [{**row, "Price": "7"}, {**row, "Price": "7"}], KEYED)
        assert desk.statuses == ["succeeded", "invalid"]
        assert desk.results[1]["result_code"] == "DUPLICATE_ROW"
        await desk.run("create-services", [row, row], RunOptions(unique_field=KEY, allow_duplicates=True))
        assert desk.statuses == ["succeeded", "succeeded"]


async def test_a_row_without_a_value_in_the_column_is_not_sent(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = with_keys(2)
        rows[0][KEY] = "  "
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["invalid", "succeeded"]
        first = desk.results[0]
        assert (first["result_code"], first["result_cell"]) == ("MANDATORY_NOT_FOUND", "G2")


async def test_what_the_organisation_refuses_is_rejected_and_the_others_are_made(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(unique_field=KEY, active_service_limit=13)) as desk:
        desk.wire.script(Cut(applied=True))
        rows = services(4)
        await desk.run("create-services", rows, KEYED)
        made = desk.statuses.count("succeeded")
        assert desk.statuses == ["succeeded"] * made + ["rejected"] * (4 - made)
        assert desk.each_once(rows[:made])


async def test_a_refused_batch_is_split_and_the_good_rows_are_made_once(tmp_path: Path):
    async with desk_at(tmp_path, options=SandboxOptions(unique_field=KEY, dialect="bare")) as desk:
        rows = services(6)
        rows[3] |= {"Availability_Type": "Specific Date Range", "Available_From": "2029-01-01"}
        rows[3] |= {"Available_Till": "2030-12-31", "Status": "Temporarily Unavailable"}
        rows[3] |= {"Unavailable_From": "now", "Unavailable_Till": "2030-01-08T09:00:00+05:30"}
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses.count("succeeded") >= 5
        assert desk.each_once([row for row, status in zip(rows, desk.statuses, strict=True) if status == "succeeded"])


async def test_rows_that_an_answer_leaves_open_are_sent_again(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = services(2)
        good = {"code": "SUCCESS", "details": {"id": SERVICE.format(900)}, "message": "", "status": "success"}
        desk.wire.script(Say(207, {"data": [good, INTERNAL_ERROR]}))
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["succeeded", "succeeded"]
        assert desk.created == [rows[1]["Service_Name"]]


async def test_a_field_that_is_not_unique_is_refused_before_anything_is_sent(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        with pytest.raises(UsageError, match=f"The unique fields are: {KEY}"):
            await desk.run("create-services", services(1), RunOptions(unique_field="Service_Name"))
        with pytest.raises(UsageError, match="Ghost is no single-line text"):
            await desk.run("create-services", services(1), RunOptions(unique_field="Ghost"))
        assert desk.wire.writes == []


async def test_an_organisation_without_a_unique_field_says_so(tmp_path: Path):
    async with desk_at(tmp_path) as desk:
        with pytest.raises(UsageError, match="There is none"):
            await desk.run("create-services", services(1), KEYED)
        assert desk.wire.writes == []


@pytest.mark.parametrize("name", ["Duration", "Description", "Members", "no name", "", "1st"])
async def test_a_name_that_no_unique_field_can_have_is_refused_at_once(tmp_path: Path, name: str):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        with pytest.raises(UsageError, match="--unique-field"):
            await desk.begin("create-services", services(1), RunOptions(unique_field=name))
        assert desk.wire.heard == []


async def test_only_operations_that_create_have_a_unique_field(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        with pytest.raises(UsageError, match="update-services does not"):
            await desk.begin("update-services", [{"id": SERVICE.format(1), "Duration": "35"}], KEYED)


@pytest.mark.parametrize("scope", ["ZohoCRM.modules.services.ALL", "ZohoCRM.settings.fields.READ"])
async def test_what_must_be_read_must_be_allowed(tmp_path: Path, scope: str):
    """Without reading, nobody knows whether the field is unique, nor which values are taken."""
    scopes = (ALL_SCOPES - {scope}) | {"ZohoCRM.modules.services.CREATE", "ZohoCRM.modules.services.UPDATE"}
    async with desk_at(tmp_path, options=SandboxOptions(unique_field=KEY, scopes=scopes)) as desk:
        ending = await desk.run("create-services", services(1), KEYED)
        assert desk.statuses == ["unsent"]
        assert scope.replace("ALL", "READ") in str(ending.summary.stopped_because)
        assert desk.wire.writes == []


async def test_a_missing_right_to_change_stops_the_run_and_names_the_scopes(tmp_path: Path):
    scopes = (ALL_SCOPES - {"ZohoCRM.modules.services.ALL"}) | {
        "ZohoCRM.modules.services.CREATE",
        "ZohoCRM.modules.services.READ",
    }
    async with desk_at(tmp_path, options=SandboxOptions(unique_field=KEY, scopes=scopes)) as desk:
        ending = await desk.run("create-services", services(1), KEYED)
        assert ending.summary.state is State.STOPPED
        assert "ZohoCRM.modules.services.UPDATE" in str(ending.summary.stopped_because)
        assert desk.statuses == ["unsent"]


async def test_a_server_that_fails_for_longer_than_max_wait_leaves_rows_unknown_and_resume_makes_them_once(
    tmp_path: Path,
):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = services(3)

        async def lose(heard: Heard) -> Cut | None:
            return Cut(applied=True) if heard.is_write else None

        desk.wire.interfere = lose
        ending = await desk.run("create-services", rows, RunOptions(unique_field=KEY, max_wait=60))
        assert ending.summary.state is State.STOPPED
        assert desk.statuses == ["unknown"] * 3
        desk.wire.script()
        ending = await desk.carry_on()
        assert ending.summary.state is State.FINISHED
        assert desk.statuses == ["succeeded"] * 3
        assert desk.each_once(rows)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("arrived", [False, True])
async def test_a_run_that_was_killed_between_intent_and_answer_is_carried_on_with(tmp_path: Path, *, arrived: bool):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = services(20)
        options = RunOptions(unique_field=KEY, batch_size=10, concurrency=1)
        run = await desk.begin("create-services", rows, options)

        async def stop_now(heard: Heard) -> Cut | None:
            if heard.is_write:
                desk.stop.again()
                desk.stop.again()
                return Cut(applied=arrived)
            return None

        desk.wire.interfere = stop_now
        ending = await desk.carry_on()
        assert ending.summary.state is State.INTERRUPTED
        with Journal.open(desk.home) as journal:
            assert [each.state for each in journal.batches(run, {BatchState.SENDING, BatchState.IN_DOUBT})]
        desk.wire.script()
        ending = await desk.carry_on()
        assert ending.summary.state is State.FINISHED
        assert desk.statuses == ["succeeded"] * 20
        assert desk.each_once(rows)
        assert sorted(map(str, keys_made(desk))) == sorted(f"{run}-{number}" for number in range(1, 21))


async def test_a_row_that_was_sent_once_is_not_taken_for_a_record_that_was_there_before(tmp_path: Path):
    """On resume the organisation shows the record that the lost request has made."""
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = with_keys(2)
        desk.wire.script(*[Cut(applied=True)] * 50)
        await desk.run("create-services", rows, RunOptions(unique_field=KEY, max_wait=5))
        assert desk.statuses == ["unknown"] * 2
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2
        assert desk.each_once(rows)


async def test_the_field_must_still_be_unique_when_a_run_is_resumed(tmp_path: Path):
    state = tmp_path / "state.sqlite"
    async with desk_at(tmp_path, options=WITH_KEY, state=state) as desk:
        desk.wire.script(*[Cut(applied=True)] * 50)
        await desk.run("create-services", services(2), RunOptions(unique_field=KEY, max_wait=5))
        fields = {"fields": [{"api_name": KEY, "field_label": "Key", "data_type": "text", "unique": {}}]}

        async def changed(heard: Heard) -> Say | None:
            return Say(200, fields) if heard.path == "settings/fields" else None

        desk.wire.interfere = changed
        writes = len(desk.wire.writes)
        with pytest.raises(UsageError, match="There is none"):
            await desk.carry_on()
        assert len(desk.wire.writes) == writes
        desk.wire.script()
        await desk.carry_on()
        assert desk.statuses == ["succeeded"] * 2


async def test_a_field_too_short_for_the_values_that_are_made_is_refused(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        field = {"api_name": KEY, "data_type": "text", "unique": {"casesensitive": "true"}, "length": 20}

        async def short(heard: Heard) -> Say | None:
            return Say(200, {"fields": [field]}) if heard.path == "settings/fields" else None

        desk.wire.interfere = short
        with pytest.raises(UsageError, match="holds 20 characters"):
            await desk.run("create-services", services(1), KEYED)
        await desk.run("create-services", with_keys(1), KEYED)
        assert desk.statuses == ["succeeded"]


async def test_values_that_differ_in_case_differ_where_the_organisation_says_so(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        field = {"api_name": KEY, "data_type": "text", "unique": {"case_sensitive": True}, "length": 255}

        async def sensitive(heard: Heard) -> Say | None:
            return Say(200, {"fields": [field]}) if heard.path == "settings/fields" else None

        desk.wire.interfere = sensitive
        rows = with_keys(2)
        rows[1][KEY] = "k-1"
        await desk.run("create-services", rows, KEYED)
        assert len(desk.wire.writes[0].records) == 2


async def test_without_the_option_nothing_is_upserted(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = services(2)
        ending = await desk.run("create-services", rows)
        assert [heard.path for heard in desk.wire.writes] == ["Services__s"]
        assert ending.summary.counts[Status.SUCCEEDED] == 2
        assert keys_made(desk) == [None, None]


async def test_a_record_that_somebody_made_meanwhile_is_told_of(tmp_path: Path):
    """Between the reading of the organisation and the upsert; afterwards it can only be told."""
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = with_keys(2)
        changed = {"code": "SUCCESS", "details": {"id": "901"}, "status": "success", "action": "update"}
        made = {"code": "SUCCESS", "details": {"id": "902"}, "status": "success", "action": "insert"}
        desk.wire.script(Say(200, {"data": [changed, made]}))
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["succeeded", "succeeded"]
        (warning,) = desk.warnings
        assert KEY in warning
        assert "2 (901)" in warning
        assert "902" not in warning


@pytest.mark.parametrize("lost_first", [False, True])
async def test_two_values_that_the_organisation_takes_for_one_are_told_of(tmp_path: Path, *, lost_first: bool):
    """What counts as the same text is the organisation's to say; then the second row has changed the first one's."""
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        made = {"code": "SUCCESS", "details": {"id": "901"}, "status": "success", "action": "insert"}
        again = {**made, "action": "update"}
        lost = [Cut(applied=False)] if lost_first else []
        desk.wire.script(*lost, Say(200, {"data": [again if lost_first else made, again]}))
        await desk.run("create-services", with_keys(2), KEYED)
        assert desk.statuses == ["succeeded", "succeeded"]
        (warning,) = desk.warnings
        assert warning.endswith(": 3 (901).")


async def test_an_upsert_that_is_carried_out_late_makes_no_second_record(tmp_path: Path):
    state = tmp_path / "state.sqlite"
    rows = services(3)
    faults = Faults([Fault.LATE_COMMIT], delay_s=3600)
    async with desk_at(tmp_path, options=WITH_KEY, faults=faults, state=state) as desk:
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["succeeded"] * 3
    async with desk_at(tmp_path, options=WITH_KEY, state=state) as desk:
        assert desk.each_once(rows), "the first request was carried out when the sandbox was closed"


async def test_nothing_is_told_of_a_record_that_the_row_itself_has_made(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY, faults=Faults([Fault.CUT_AFTER])) as desk:
        await desk.run("create-services", services(2), KEYED)
        assert desk.warnings == []


def taken_by(record_id: str) -> dict[str, object]:
    details = {"api_name": KEY, "id": record_id, "json_path": f"$.data[0].{KEY}"}
    return {"code": "DUPLICATE_DATA", "details": details, "message": "duplicate data", "status": "error"}


async def test_a_value_that_an_earlier_attempt_was_taking_just_then_is_no_reason_to_reject_the_row(tmp_path: Path):
    """The lost request was carried out at the same moment as the second one, which then found its value taken."""
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        rows = with_keys(1)
        desk.wire.script(Cut(applied=True), Say(400, {"data": [taken_by("901")]}))
        await desk.run("create-services", rows, KEYED)
        assert desk.statuses == ["succeeded"]
        assert desk.each_once(rows)
        assert len(desk.wire.writes) == 3


async def test_a_value_that_is_taken_at_the_first_attempt_is_a_reason(tmp_path: Path):
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        desk.wire.script(Say(400, {"data": [taken_by("901")]}))
        await desk.run("create-services", with_keys(1), KEYED)
        assert desk.statuses == ["rejected"]
        assert desk.results[0]["result_code"] == "DUPLICATE_DATA"
        assert "901" in desk.results[0]["result_message"]


async def test_a_mistyped_field_is_told_before_the_column_that_would_be_its_own(tmp_path: Path):
    """By the wrong name, the column of the right one is one that cannot be sent; leaving it out would help nobody."""
    async with desk_at(tmp_path, options=WITH_KEY) as desk:
        with pytest.raises(UsageError, match="Nope is no single-line text field"):
            await desk.run("create-services", with_keys(2), RunOptions(unique_field="Nope"))
        assert not desk.wire.writes
