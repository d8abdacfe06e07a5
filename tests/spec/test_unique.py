"""What `--unique-field` makes of an operation."""

from __future__ import annotations

import pytest

from bulkzcrm.errors import UsageError
from bulkzcrm.spec.operations import OPERATIONS
from bulkzcrm.spec.unique import keyed

CREATE = OPERATIONS["create-services"]


def test_without_a_name_an_operation_stays_as_it_is():
    for operation in OPERATIONS.values():
        assert keyed(operation, None) is operation


def test_a_keyed_create_makes_records_and_may_be_repeated():
    operation = keyed(CREATE, "Import_Key")
    assert (operation.creates, operation.safe_to_repeat, operation.key) == (True, True, "Import_Key")
    assert not CREATE.safe_to_repeat
    assert (operation.name, operation.wrapper, operation.maximum) == (CREATE.name, CREATE.wrapper, CREATE.maximum)


def test_the_request_is_an_upsert_that_checks_the_field():
    operation = keyed(CREATE, "Import_Key")
    request = operation.request([{"Service_Name": "A", "Import_Key": "1"}], triggers=True)
    assert (request.method, request.path) == ("POST", "Services__s/upsert")
    assert request.body == {
        "data": [{"Service_Name": "A", "Import_Key": "1"}],
        "duplicate_check_fields": ["Import_Key"],
    }
    silent = operation.request([{}], triggers=False).body
    assert isinstance(silent, dict)
    assert silent["trigger"] == []


def test_a_field_that_is_none_of_ours_is_added_behind_the_others_and_no_row_must_give_it():
    operation = keyed(CREATE, "Import_Key")
    assert operation.fields[:-1] == CREATE.fields
    assert (operation.fields[-1].name, operation.fields[-1].mandatory) == ("Import_Key", False)
    assert keyed(CREATE, "Service_Name").fields == CREATE.fields


def test_an_upsert_may_turn_out_to_be_an_update_so_that_it_needs_that_scope_too():
    scopes = keyed(CREATE, "Import_Key").scopes_needed
    assert {"ZohoCRM.modules.services.CREATE", "ZohoCRM.modules.services.UPDATE"} <= set(scopes)


def test_doing_it_twice_changes_nothing():
    once = keyed(CREATE, "Import_Key")
    assert keyed(once, "Import_Key") is once


@pytest.mark.parametrize("name", [each for each in OPERATIONS if each != CREATE.name])
def test_an_operation_that_makes_nothing_has_no_unique_field(name: str):
    with pytest.raises(UsageError, match=f"{name} does not"):
        keyed(OPERATIONS[name], "Import_Key")


@pytest.mark.parametrize("name", [each.name for each in CREATE.fields if each.name != "Service_Name"])
def test_of_our_fields_only_a_single_line_text_can_be_unique(name: str):
    with pytest.raises(UsageError, match="single-line text"):
        keyed(CREATE, name)
