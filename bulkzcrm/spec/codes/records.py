"""The codes about one record's state, and about limits that a record runs into."""

from __future__ import annotations

from bulkzcrm.spec.codes.nouns import SCORING_RULES, SERVICES, Cause, Code, Disposition, Family, When

__all__ = ["RECORD_CODES"]


def _row(name: str, meaning: str, *causes: Cause, pages: tuple[str, ...] = ()) -> Code:
    return Code(name=name, meaning=meaning, disposition=Disposition.FIX_ROW, causes=causes, pages=pages)


RECORD_CODES = (
    _row(
        "NOT_ALLOWED",
        "The organisation's settings or the record's dates forbid this value.",
        Cause(
            When(fields=("Job_Sheet_Required", "Job_Sheet_Section__s")),
            "Job sheets are switched off in this organisation.",
            "Switch them on in the service preferences (operation update-service-preferences), or write No in "
            "Job_Sheet_Required.",
        ),
        Cause(
            When(fields=("Status",), families=(Family.SERVICES,)),
            "The service's dates are past, so it cannot be Available or Temporarily Unavailable.",
            "Give dates in the future, or write Not in Use as Status.",
        ),
        Cause(
            When(families=(Family.BUSINESS_HOURS,)),
            "Zoho does not let these business hours be changed now.",
            "Change them in Zoho's own settings page, which says what stands in the way.",
        ),
        Cause(
            When(),
            "Zoho forbids this change for this record.",
            "Look at the record in Zoho and at the settings of its module.",
        ),
        pages=SERVICES,
    ),
    _row(
        "LIMIT_EXCEEDED",
        "The organisation, the record or the request has more of something than Zoho allows.",
        Cause(
            When(fields=("Status",), families=(Family.SERVICES,)),
            "The organisation already has as many active services as Zoho allows.",
            "Set services that are no longer offered to Not in Use, then retry the row.",
        ),
        Cause(
            When(fields=("Members",)),
            "The service has more members than Zoho allows.",
            "Shorten the list in Members to 100 users or fewer.",
        ),
        Cause(
            When(leaves=("data",)),
            "The request holds more records than Zoho takes at once.",
            "Send the row again with a smaller --batch-size; nothing need be wrong with the row.",
        ),
        Cause(
            When(),
            "A limit of the organisation or of its edition is reached.",
            "Make room in Zoho, or ask the administrator which limit applies, then retry the row.",
        ),
        pages=SERVICES,
    ),
    _row(
        "ACTIVE_STATE_LIMIT_EXCEEDED",
        "The organisation already has as many active scoring rules as its edition allows.",
        Cause(
            When(),
            "No further scoring rule can be activated for this module layout.",
            "Deactivate another scoring rule first: put its row above this one.",
            mend="Status",
        ),
        pages=(SCORING_RULES,),
    ),
    _row(
        "LIMIT_REACHED",
        "The organisation has used up an allowance.",
        Cause(
            When(),
            "An allowance of the organisation is used up.",
            "Ask the administrator which allowance it is; free some of it or raise it, then retry the row.",
        ),
    ),
    _row(
        "ALREADY_MODIFIED",
        "Somebody has changed the record in the meantime.",
        Cause(
            When(),
            "The record was changed in Zoho after this run had read it, so Zoho kept the other change.",
            "Compare the row with the record as it is now, then retry the row.",
        ),
    ),
    _row(
        "RECORD_LOCKED",
        "The record is locked.",
        Cause(
            When(),
            "The record is locked in Zoho and cannot be changed.",
            "Have it unlocked in Zoho, or wait until the lock ends, then retry the row.",
        ),
    ),
    _row(
        "RECORD_IN_BLUEPRINT",
        "The record is in the middle of a Blueprint.",
        Cause(
            When(),
            "The record stands in a Blueprint process, which guards this field.",
            "Move the record on through its Blueprint in Zoho, or take this field out of the row.",
        ),
    ),
    _row(
        "NOT_APPROVED",
        "The record waits for approval.",
        Cause(
            When(),
            "The record cannot be changed before it is approved.",
            "Have the record approved or rejected in Zoho, then retry the row.",
        ),
    ),
    _row(
        "NOT_REVIEWED",
        "The record waits for review.",
        Cause(
            When(),
            "The record cannot be changed before it is reviewed.",
            "Complete the review of the record in Zoho, then retry the row.",
        ),
    ),
    _row(
        "BLOCKED_RECORD",
        "The record is blocked.",
        Cause(
            When(),
            "Zoho has blocked the record against changes.",
            "Find out in Zoho why the record is blocked, lift that, then retry the row.",
        ),
    ),
    _row(
        "CONVERTED_RECORD",
        "The record was converted into others and no longer takes changes.",
        Cause(
            When(),
            "The record was converted and lives on as other records.",
            "Change the records that came out of the conversion instead.",
        ),
    ),
    _row(
        "ALREADY_SCHEDULED",
        "The same thing is already scheduled.",
        Cause(
            When(),
            "Zoho has already scheduled this for the record.",
            "Look at the record in Zoho; cancel what is scheduled, or leave the row out.",
        ),
    ),
    _row(
        "ALREADY_USED",
        "What the row would change is in use.",
        Cause(
            When(families=(Family.BUSINESS_HOURS,)),
            "The business hours, or a day of them, are in use elsewhere in Zoho.",
            "Release them where they are used (appointments, assignment or escalation settings), then retry the row.",
        ),
        Cause(
            When(),
            "The record or its value is in use elsewhere in Zoho.",
            "Release it where it is used, then retry the row.",
        ),
    ),
    _row(
        "CANNOT_BE_UPDATED",
        "Zoho does not let this be changed through the API.",
        Cause(
            When(),
            "This record, or this part of it, cannot be changed through the API.",
            "Change it in Zoho's own pages, or leave the named field out of the row.",
        ),
    ),
    _row(
        "CANNOT_UPDATE",
        "Zoho does not carry out this change.",
        Cause(
            When(),
            "Zoho refuses to make this change at present.",
            "Try the same change in Zoho's own pages, which say what stands in the way.",
        ),
    ),
    _row(
        "CANNOT_PERFORM_ACTION",
        "The action is not possible for this record.",
        Cause(
            When(),
            "The state of the record does not permit this action.",
            "Look at the record in Zoho and bring it into a state that permits the change.",
        ),
    ),
    _row(
        "CANNOT_PROCESS",
        "Zoho could not make use of the record.",
        Cause(
            When(),
            "Zoho could not process the record as it was sent.",
            "Look for unusual characters or values in the row, mend them, then retry the row.",
        ),
    ),
    _row(
        "TERRITORY_NOT_ENABLED",
        "Territories are switched off in this organisation.",
        Cause(
            When(),
            "The row speaks of a territory, but the organisation does not use territories.",
            "Leave the territory out of the row, or switch territories on in Zoho's settings.",
        ),
    ),
    _row(
        "NOT_FOUND",
        "The record, or something it refers to, does not exist.",
        Cause(
            When(),
            "What the row refers to does not exist in this organisation, or this user may not see it.",
            "Check the ids and names in the row, and whether the record was deleted.",
        ),
    ),
    _row(
        "RESOURCE_NOT_FOUND",
        "What the request names does not exist.",
        Cause(
            When(),
            "Zoho does not find what the request names.",
            "Check the id in the row; the record may have been deleted.",
        ),
    ),
    _row(
        "NO_CONTENT",
        "There is nothing to return.",
        Cause(
            When(),
            "Zoho found nothing for what the row names.",
            "Check that the record exists in this organisation and that this user may see it.",
        ),
    ),
    _row(
        "MAPPING_MISMATCH",
        "A value does not belong to the layout or to the field that governs it.",
        Cause(
            When(),
            "The value is a choice of another layout, or does not follow from the value of the governing field.",
            "Choose a value that Zoho's own form offers together with the other values of the row.",
        ),
    ),
    _row(
        "DATA_MISMATCH",
        "Two pieces of the row contradict each other.",
        Cause(
            When(),
            "Zoho finds that values of the row contradict each other or the stored record.",
            "Compare the row with the record in Zoho and mend the value that is wrong.",
        ),
    ),
    _row(
        "PATTERN_NOT_MATCHED",
        "A value does not have the pattern that its field asks for.",
        Cause(
            When(),
            "The value is not written in the pattern that the field asks for.",
            "Write the value as Zoho's own form accepts it.",
        ),
    ),
    _row(
        "MULTIPLE_OR_MULTI_ERRORS",
        "Several things are wrong at once; each is listed by itself.",
        Cause(
            When(),
            "Zoho found several mistakes and did not say which.",
            "Check all the values of the row, mend them, then retry the row.",
        ),
    ),
    _row(
        "BAD_REQUEST",
        "Zoho could not make sense of the request.",
        Cause(
            When(),
            "Zoho could not read the record as it was sent.",
            "Look for unusual characters or values in the row; if every row ends so, report it as a fault of bulkzcrm.",
        ),
    ),
)
