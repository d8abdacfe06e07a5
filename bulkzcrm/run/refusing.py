"""Why a run may not go on, once its organisation has been read: another organisation, a lost column, the same again."""

from __future__ import annotations

from bulkzcrm.config import Connection
from bulkzcrm.errors import ConfigurationError, UsageError
from bulkzcrm.journal import JournalReader, Run, RunState, reported_counts
from bulkzcrm.lookup import folded
from bulkzcrm.model import Status
from bulkzcrm.spec.organisation import READ_SCOPES, Organisation, Reading
from bulkzcrm.spec.service_fields import SERVICE_FIELDS

__all__ = ["refuse_again", "refuse_lost_columns", "the_same_organisation", "unknown_columns"]


def the_same_organisation(run: Run, organisation: Organisation, connection: Connection) -> tuple[str, str]:
    """Return id and name of the organisation that a run is held to; blank while nobody could tell.

    Raises `ConfigurationError` for another one, and where it cannot be told whether it is another one.
    """
    named, profile = connection.org_id, organisation.profile
    actual = profile.id if profile else (named or "")
    if run.organisation_id and not actual:
        raise ConfigurationError(
            f"The run {run.id} belongs to {run.organisation} ({run.organisation_id}), and whether the credentials lead "
            "there cannot be checked: the organisation may not be read.",
            f"Log in again with the scope {READ_SCOPES[Reading.ORG]}, or name the organisation: "
            f"BULKZCRM_ORG_ID={run.organisation_id} (or org_id in the profile).",
        )
    if run.organisation_id and run.organisation_id not in (actual, profile.other_id if profile else actual):
        raise ConfigurationError(
            f"The run {run.id} belongs to {run.organisation} ({run.organisation_id}), "
            f"but the credentials lead to another organisation ({actual}).",
            "Name the profile of that organisation with --profile.",
        )
    if profile is not None and named and named not in (profile.id, profile.other_id):
        raise ConfigurationError(
            f"The credentials lead to {profile.name} ({profile.id}), not to the organisation {named}.",
            "Correct BULKZCRM_ORG_ID (or org_id in the profile), or use the other organisation's credentials.",
        )
    return actual, profile.name if profile else actual


def unknown_columns(run: Run) -> list[str]:
    """Return the carried columns that are no field that any operation of ours sends."""
    carried = run.decisions.get("carried")
    if not isinstance(carried, list | tuple):
        return []
    ours = {_bare(name) for each in SERVICE_FIELDS for name in (each.name, each.label)} | {""}
    return [str(name) for name in carried if _bare(str(name)) not in ours]


def refuse_lost_columns(run: Run, organisation: Organisation) -> None:
    """Raise `UsageError` for a column that means a field which we cannot send: nothing vanishes silently."""
    known = {_bare(text): name for name, label in (organisation.field_names or {}).items() for text in (name, label)}
    lost = [each for each in unknown_columns(run) if _bare(each) in known]
    if lost:
        told = ", ".join(f"“{column}” ({known[_bare(column)]})" for column in lost)
        cure = " ".join(f'--ignore-column "{column}"' for column in lost)
        what = "The column is a field" if len(lost) == 1 else "These columns are fields"
        raise UsageError(f"{what} of the organisation that cannot be sent yet: {told}.", f"Go on with {cure}.")


def refuse_again(run: Run, journal: JournalReader) -> None:
    """Raise `UsageError` for a create whose source has a run already: it would make every record twice."""
    earlier = journal.find_run_by_content(
        run.source_sha256, run.operation, run.organisation_id or "", besides=run.id, api_domain=run.api_domain
    )
    if earlier is None:
        return
    if earlier.pruned_ms is not None:
        raise UsageError(
            f"{run.source} with the same content was already sent by the run {earlier.id}, which is pruned by now.",
            "To create every record once more, add --again.",
        )
    if earlier.state is RunState.FINISHED:
        raise UsageError(
            f"{run.source} with the same content was already sent by the run {earlier.id}.",
            f"See `bulkzcrm report {earlier.id}`; to create every record once more, add --again.",
        )
    left = reported_counts(journal.count_by_status(earlier.id))
    raise UsageError(
        f"{run.source} with the same content belongs to the run {earlier.id}, which is not finished "
        f"({left[Status.SUCCEEDED]:,} succeeded, {left[Status.UNSENT] + left[Status.UNKNOWN]:,} still to do).",
        f"Carry on with `bulkzcrm resume {earlier.id}`; what stopped it can be changed there, as with --max-errors.",
    )


def _bare(text: str) -> str:
    return "".join(character for character in folded(text) if character.isalnum())
