"""Services as the organisation tells them: all of them, one by its id, or those made since some moment.

The list of all is read oldest first, so that records made meanwhile do not shift the pages. What a list does not show
of a service is marked as silent: it may hold anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import aclosing
from datetime import datetime

from bulkzcrm.client import Client, ReadRefusedError
from bulkzcrm.errors import CredentialsRefusedError, StoppedError
from bulkzcrm.events import RecordsRead
from bulkzcrm.model import Json
from bulkzcrm.readings.lists import entries_of, no_list, read_pages
from bulkzcrm.readings.shelf import Shelf
from bulkzcrm.spec.operations import SERVICES_MODULE
from bulkzcrm.spec.organisation import Current
from bulkzcrm.spec.service_fields import SERVICE_FIELDS

__all__ = ["moment", "read_created_since", "read_service", "read_services", "read_some_services"]

_SERVICE_COLUMNS = ",".join(each.name for each in SERVICE_FIELDS)
_SILENT_WHEN_EMPTY = ("Members", "Available_Timings")
"""Subforms: a list may leave them out, so that nothing there proves nothing."""


async def read_services(client: Client, key: str = "") -> Shelf:
    """Read the list of all services, by id; with a field of that name, if it is none that is read anyway."""
    services = Shelf("Service_Name")
    beside = f",{key}" if key and key not in _SERVICE_COLUMNS.split(",") else ""
    query = {"fields": f"{_SERVICE_COLUMNS}{beside}", "sort_by": "id", "sort_order": "asc"}
    async with aclosing(read_pages(client, SERVICES_MODULE, "data", query)) as sheets:
        async for sheet in sheets:
            services.put(sheet, map(_silent, sheet))
            client.announce(RecordsRead(what="services", records=len(services)))
    return services


async def read_some_services(client: Client) -> list[Current]:
    """Read the first page of services; one credit."""
    query = {"fields": _SERVICE_COLUMNS, "sort_by": "id", "sort_order": "asc", "page": "1", "per_page": "50"}
    content = await client.read(SERVICES_MODULE, query)
    return [Current(dict(entry), _silent(entry)) for entry in entries_of(content, "data")]


async def read_service(client: Client, service_id: str) -> Current | None:
    """Read one service with all that it holds; nothing when it is not there. One credit.

    Raises `CredentialsRefusedError` where single services may not be read, besides what `Client.read` raises.
    """
    try:
        content = await client.read(f"{SERVICES_MODULE}/{service_id}")
    except ReadRefusedError as error:
        raise CredentialsRefusedError(
            f"The service {service_id} may not be read by its id ({error}), and its present values must be sent.",
            "Give the token the scope that `bulkzcrm operations OPERATION` lists, or the values in the rows.",
        ) from error
    except StoppedError as error:
        if "INVALID_DATA" in error.message:
            return None
        raise
    for entry in entries_of(content, "data"):
        if str(entry.get("id")) == service_id:
            return Current(dict(entry))
    return None


async def read_created_since(
    client: Client,
    since: datetime,
    *,
    landmarks: Collection[str] = (),
    wanted: Callable[[Mapping[str, Json]], bool] | None = None,
    look_at: Callable[[Mapping[str, Json]], None] = lambda _: None,
) -> tuple[list[Current], frozenset[str]]:
    """Read the services made since then, newest first, with who made them when: the `wanted` ones, and the ids of all.

    `look_at` is shown every one of them.

    `landmarks` are ids of records that are known to be older: where all of them have been seen, nothing further down
    can matter. One credit a page of 200. A search would be quicker, but its index lags behind; a list does not. Raises
    what `Client.read` raises, and `StoppedError` where the list proves nothing about what it does not show.
    """
    query = {"fields": f"{_SERVICE_COLUMNS},Created_Time,Created_By", "sort_by": "Created_Time", "sort_order": "desc"}
    # A record that is made meanwhile pushes another one on to the next page, which then shows it once more.
    recent: dict[str, Current] = {}
    ids: set[str] = set()
    unseen = set(landmarks)
    async with aclosing(read_pages(client, SERVICES_MODULE, "data", query)) as sheets:
        async for entry in _newest_first(sheets):
            made = moment(entry.get("Created_Time"))
            if made is not None and made < since:
                break
            ids.add(str(entry.get("id")))
            look_at(entry)
            if wanted is None or wanted(entry):
                recent.setdefault(str(entry.get("id")), Current(dict(entry), _silent(entry)))
            if unseen:
                unseen.discard(str(entry.get("id")))
                if not unseen:
                    break
    return list(recent.values()), frozenset(ids)


def moment(value: Json) -> datetime | None:
    """Return a moment that the server tells, where it is one with an offset."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo is not None else None


async def _newest_first(sheets: AsyncIterator[list[Mapping[str, Json]]]) -> AsyncIterator[Mapping[str, Json]]:
    """Yield the entries of pages, each in order as a whole: else an old one would say nothing of the rest."""
    last: datetime | None = None
    async for sheet in sheets:
        for entry in sheet:
            made = moment(entry.get("Created_Time"))
            if made is not None and last is not None and made > last:
                raise no_list(SERVICES_MODULE, "is not in the order that was asked for")
            last = made or last
        for entry in sheet:
            yield entry


def _silent(entry: Mapping[str, Json]) -> frozenset[str]:
    silent = {each.name for each in SERVICE_FIELDS if each.name not in entry}
    silent |= {name for name in _SILENT_WHEN_EMPTY if not entry.get(name)}
    more = entry.get("$has_more")
    if isinstance(more, Mapping):
        silent |= {str(name) for name, there_is in more.items() if there_is}
    return frozenset(silent)
