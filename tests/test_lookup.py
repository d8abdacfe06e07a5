"""Names become records, or problems that name the candidates; two rows for one record are known for what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from desk import SERVICE, TOM, Desk, desk_at, services
from hypothesis import given
from hypothesis import strategies as st

from bulkzcrm.errors import CredentialsRefusedError, UsageError
from bulkzcrm.journal import Journal
from bulkzcrm.lookup import Directory
from bulkzcrm.run.options import RunOptions
from bulkzcrm.sandbox import seed
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.organisation import Choice, Current, Organisation, User

CREATE = OPERATIONS["create-services"]
UPDATE = OPERATIONS["update-services"]
STATUS = OPERATIONS["set-service-status"]
RULE = OPERATIONS["set-scoring-rule-status"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path / "a desk") as desk:
        yield desk


def user(number: int, name: str, *, active: bool = True, confirmed: bool = True) -> User:
    return User(id=f"{number}", name=name, email=f"u{number}@example.org", active=active, confirmed=confirmed)


def organisation(*users: User, names: tuple[str, ...] = ()) -> Organisation:
    return Organisation(
        users={each.id: each for each in users},
        taxes=(
            Choice("901", "Vat - 0.8 %"),
            Choice("902", "Sales Tax - 2.0 %"),
            Choice("903", "Twice"),
            Choice("904", "Twice"),
        ),
        job_sheets=(Choice("", "Standard"), Choice("", "Extended")),
        services={f"{at}": Current({"id": f"{at}", "Service_Name": name}) for at, name in enumerate(names, start=100)},
    )


# -- members, taxes, job sheets


@pytest.mark.parametrize("token", ["1", "Ann Lee", "ann  LEE", "u1@example.org", "U1@EXAMPLE.ORG"])
def test_a_member_is_found_by_id_name_or_address_whatever_the_case_and_blanks(token: str):
    found = Directory(CREATE, organisation(user(1, "Ann Lee"), user(2, "Bo"))).resolve({"Members": [token]})
    assert found.given["Members"] == [{"Members": {"id": "1"}}]
    assert found.problems == ()


def test_a_member_that_is_named_twice_is_one_member():
    found = Directory(CREATE, organisation(user(1, "Ann Lee"))).resolve({"Members": ["1", "ann lee", "u1@example.org"]})
    assert found.given["Members"] == [{"Members": {"id": "1"}}]


def test_a_name_that_several_users_bear_is_a_problem_that_names_them():
    directory = Directory(CREATE, organisation(user(1, "Ann Lee"), user(2, "Ann Lee")))
    (problem,) = directory.resolve({"Members": ["Ann Lee"]}).problems
    assert (problem.code, problem.field) == ("NAME_AMBIGUOUS", "Members")
    assert "u1@example.org (1)" in problem.message
    assert "u2@example.org (2)" in problem.message


def test_a_user_who_cannot_be_a_member_does_not_make_a_name_ambiguous():
    directory = Directory(CREATE, organisation(user(1, "Ann Lee", active=False), user(2, "Ann Lee")))
    assert directory.resolve({"Members": ["Ann Lee"]}).given["Members"] == [{"Members": {"id": "2"}}]


def test_a_name_that_nobody_bears_is_a_problem_that_names_those_that_are_near():
    directory = Directory(CREATE, organisation(user(1, "Ann Lee"), user(2, "Rahul Menon")))
    found = directory.resolve({"Members": ["Ann Lea"]})
    (problem,) = found.problems
    assert (problem.code, problem.field) == ("NAME_NOT_FOUND", "Members")
    assert "Did you mean Ann Lee?" in problem.message
    assert "Members" not in found.given


def test_without_users_ids_go_through_and_names_stop_the_run():
    directory = Directory(CREATE, Organisation())
    assert directory.resolve({"Members": ["5545974000000393004"]}).problems == ()
    with pytest.raises(CredentialsRefusedError, match=r"ZohoCRM\.users\.READ"):
        directory.resolve({"Members": ["Ann Lee"]})


@pytest.mark.parametrize("token", ["901", "vat - 0.8 %", "VAT  - 0.8 %"])
def test_a_tax_is_found_by_id_or_value(token: str):
    found = Directory(CREATE, organisation()).resolve({"Tax": [token]})
    assert found.given["Tax"] == [{"id": "901", "value": "Vat - 0.8 %"}]


@pytest.mark.parametrize(("token", "code"), [("Twice", "NAME_AMBIGUOUS"), ("Beer tax", "NAME_NOT_FOUND")])
def test_a_tax_is_never_guessed(token: str, code: str):
    (problem,) = Directory(CREATE, organisation()).resolve({"Tax": [token]}).problems
    assert (problem.code, problem.field) == (code, "Tax")


def test_a_job_sheet_is_spelled_as_the_organisation_spells_it():
    directory = Directory(CREATE, organisation())
    assert directory.resolve({"Job_Sheet_Section__s": "EXTENDED"}).given["Job_Sheet_Section__s"] == "Extended"
    (problem,) = directory.resolve({"Job_Sheet_Section__s": "Long"}).problems
    assert problem.code == "NAME_NOT_FOUND"
    assert "Standard, Extended" in problem.message


# -- records


def test_a_service_is_found_by_its_id_before_its_name():
    found = Directory(UPDATE, organisation(names=("Wash", "Dry"))).resolve({"id": "101", "Service_Name": "Wash"})
    assert found.identity == "101"
    assert found.given["Service_Name"] == "Wash", "beside an id, the name is a new name"


def test_a_service_that_was_found_by_its_name_is_not_renamed():
    found = Directory(UPDATE, organisation(names=("Wash", "Dry"))).resolve({"Service_Name": "dry", "Duration": 60})
    assert (found.identity, found.given) == ("101", {"Duration": 60})


def test_beside_an_id_the_name_is_a_check_where_only_the_status_is_set():
    directory = Directory(STATUS, organisation(names=("Wash", "Dry")))
    assert directory.resolve({"id": "101", "Service_Name": "DRY"}).problems == ()
    (problem,) = directory.resolve({"id": "101", "Service_Name": "Wash"}).problems
    assert (problem.code, problem.field) == ("DEPENDENT_MISMATCH", "Service_Name")


def test_one_of_several_names_that_differ_in_case_only_can_be_meant_exactly():
    directory = Directory(UPDATE, organisation(names=("Wash", "WASH")))
    assert directory.resolve({"Service_Name": "WASH"}).identity == "101"
    (problem,) = directory.resolve({"Service_Name": "wash"}).problems
    assert (problem.code, problem.field) == ("NAME_AMBIGUOUS", "Service_Name")
    assert "100" in problem.message
    assert "101" in problem.message


def test_an_id_that_is_not_there_is_a_problem():
    (problem,) = Directory(UPDATE, organisation(names=("Wash",))).resolve({"id": "999"}).problems
    assert (problem.code, problem.field) == ("INVALID_DATA", "id")


def test_a_row_that_names_no_record_is_a_problem_once():
    (problem,) = Directory(UPDATE, organisation(names=("Wash",))).resolve({"Duration": 60}).problems
    assert problem.code == "MANDATORY_NOT_FOUND"
    unreadable = frozenset({"id"})
    assert Directory(UPDATE, organisation(names=("Wash",))).resolve({"Duration": 60}, unreadable).problems == ()


def test_a_rule_whose_name_stands_in_two_modules_is_told_apart_by_the_module():
    rules = {
        each: Current({"id": each, "name": "Hot leads", "module": {"api_name": module}})
        for each, module in (("7", "Leads"), ("8", "Contacts"))
    }
    directory = Directory(RULE, Organisation(scoring_rules=rules))
    assert directory.resolve({"name": "hot leads", "module": "contacts", "Status": "active"}).identity == "8"
    (problem,) = directory.resolve({"name": "hot leads", "Status": "active"}).problems
    assert "7 (Leads), 8 (Contacts)" in problem.message


_NAMES = st.lists(st.text("abAB é", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=6)


@given(names=_NAMES, wanted=st.text("abAB é", min_size=1, max_size=4).filter(str.strip))
def test_a_name_is_either_one_record_of_that_name_or_a_problem(names: list[str], wanted: str):
    found = Directory(UPDATE, organisation(names=tuple(names))).resolve({"Service_Name": wanted})
    assert (found.current is None) is bool(found.problems)
    if found.current is not None:
        shown = str(found.current.record["Service_Name"])
        assert " ".join(shown.split()).casefold() == " ".join(wanted.split()).casefold()


# -- rows that mean the same record


async def test_two_rows_for_one_record_are_found_once_their_names_are_resolved(desk: Desk):
    rows = [
        {"id": SERVICE.format(2), "Service_Name": "", "Duration": "35"},
        {"id": "", "Service_Name": "boiler service", "Duration": "40"},
        {"id": "", "Service_Name": "Garden Care", "Duration": "40"},
    ]
    await desk.run("update-services", rows)
    assert [(row["result_status"], row["result_code"]) for row in desk.results] == [
        ("succeeded", ""),
        ("invalid", "DUPLICATE_ROW"),
        ("succeeded", ""),
    ]
    assert "row 2" in desk.results[1]["result_message"]
    assert desk.service(2)["Duration"] == 35


@pytest.mark.parametrize("unchanged_first", [True, False])
async def test_a_row_that_changes_nothing_does_not_upset_the_search_for_repeated_rows(
    desk: Desk, *, unchanged_first: bool
):
    rows = [{"id": SERVICE.format(2), "Duration": "90"}, {"id": SERVICE.format(2), "Duration": "35"}]
    await desk.run("update-services", rows if unchanged_first else rows[::-1])
    assert len(desk.wire.writes) <= 1
    assert set(desk.statuses) <= {"succeeded", "unchanged", "invalid"}
    assert "unsent" not in desk.statuses


async def test_an_invalid_row_does_not_make_a_later_one_a_repetition(desk: Desk):
    rows = [{"id": SERVICE.format(2), "Duration": "soon"}, {"id": SERVICE.format(2), "Duration": "35"}]
    await desk.run("update-services", rows)
    assert desk.statuses == ["invalid", "succeeded"]


async def test_rows_of_settings_all_mean_the_same_record(desk: Desk):
    await desk.run("update-service-preferences", [{"job_sheet_enabled": "no"}, {"job_sheet_enabled": "yes"}])
    assert [row["result_code"] for row in desk.results][1] == "DUPLICATE_ROW"
    assert len(desk.wire.writes) == 1


@pytest.mark.parametrize(("allowed", "made"), [(False, 1), (True, 3)])
async def test_new_records_that_are_equal_in_every_field_are_made_once_unless_allowed(
    desk: Desk, *, allowed: bool, made: int
):
    rows = [*services(1), *services(1, Duration="1h"), *services(1, Members=TOM.upper())]
    await desk.run("create-services", rows, RunOptions(allow_duplicates=allowed))
    assert len(desk.created) == made


async def test_new_records_of_one_name_and_other_content_are_all_made(desk: Desk):
    await desk.run("create-services", [*services(1), *services(1, Duration="75")])
    assert desk.created == ["Service 00001"] * 2


# -- the same source again


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = seed.organisation
    monkeypatch.setattr(seed, "organisation", lambda *known: {**organisation(*known), "type": "production"})


@pytest.mark.usefixtures("production")
async def test_a_create_of_a_source_that_was_sent_before_is_refused_and_names_that_run(desk: Desk):
    rows = services(3)
    await desk.run("create-services", rows)
    first = desk.last
    with pytest.raises(UsageError, match=first):
        await desk.run("create-services", rows)
    assert desk.each_once(rows)
    with Journal.open(desk.home) as journal:
        assert [run.id for run in journal.runs()] == [first], "the refused run is forgotten"
    await desk.run("create-services", rows, RunOptions(again=True))
    assert len(desk.created) == 6


@pytest.mark.usefixtures("production")
async def test_another_source_or_an_update_may_be_sent_without_more_ado(desk: Desk):
    await desk.run("create-services", services(3))
    await desk.run("create-services", services(3, first=4))
    row = {"id": SERVICE.format(2), "Duration": "35"}
    await desk.run("update-services", [row])
    await desk.run("update-services", [row])
    assert desk.statuses == ["unchanged"]
    assert len(desk.created) == 6


async def test_the_vendors_own_sandboxes_are_guarded_like_any_organisation(desk: Desk):
    await desk.run("create-services", services(1))
    with pytest.raises(UsageError, match="already sent by the run"):
        await desk.run("create-services", services(1))
    assert len(desk.created) == 1
