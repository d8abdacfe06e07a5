"""Lists of the organisation, page by page, to an end that the server itself has told; anything else proves nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from bulkzcrm.cells import counted
from bulkzcrm.client import Client
from bulkzcrm.errors import StoppedError
from bulkzcrm.model import Json

__all__ = ["entries_of", "list_pages", "no_list", "read_list", "read_pages"]

_PAGE_SIZE = 200
_LAST_NUMBERED_PAGE = 10
"""`page` reaches the first 2,000 records; beyond them a token leads from page to page (get-services)."""


def list_pages(services: int) -> int:
    """Return how many requests a list of so many services takes."""
    return max(1, -(-services // _PAGE_SIZE))


async def read_list(
    client: Client, path: str, wrapper: str, query: Mapping[str, str]
) -> AsyncGenerator[Mapping[str, Json], None]:
    """Yield the entries of a list, as `read_pages` does its pages."""
    async with aclosing(read_pages(client, path, wrapper, query)) as sheets:
        async for sheet in sheets:
            for entry in sheet:
                yield entry


async def read_pages(
    client: Client, path: str, wrapper: str, query: Mapping[str, str]
) -> AsyncGenerator[list[Mapping[str, Json]], None]:
    """Yield a list, page by page, to an end that the server itself has told.

    What is no list, or breaks off, or goes round in a circle, proves nothing about what is not in it: `StoppedError`.
    """
    page, token = 1, ""
    seen: set[str] = set()
    while True:
        place = {"page_token": token} if token else {"page": str(page)}
        content = await client.read(path, {**query, **place, "per_page": str(_PAGE_SIZE)})
        entries = _listed(path, content, wrapper)
        ids = {str(entry.get("id")) for entry in entries}
        if ids and ids <= seen:
            raise no_list(path, f"shows nothing new after {counted(page - 1, 'page')}")
        seen |= ids
        yield entries
        info = content.get("info") if content else None
        more = info.get("more_records") if isinstance(info, Mapping) else None
        if more is not True:
            if more is None and len(entries) >= _PAGE_SIZE:
                raise no_list(path, f"does not say after {counted(page, 'page')} whether it goes on")
            return
        page += 1
        following = str(info.get("next_page_token") or "") if isinstance(info, Mapping) else ""
        if not entries or (following and following == token):
            raise no_list(path, f"goes on after {counted(page - 1, 'page')} with nothing")
        if token or (page > _LAST_NUMBERED_PAGE and wrapper == "data"):
            if not following:
                raise no_list(path, f"goes on after {counted(page - 1, 'page')}, but the server does not say where")
            token = following


def entries_of(content: Mapping[str, Json] | None, wrapper: str) -> Sequence[Mapping[str, Json]]:
    """Return what an answer shows that need be no list: one thing or several, nothing where it shows none."""
    value = content.get(wrapper) if content else None
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [entry for entry in value if isinstance(entry, Mapping)]
    return []


def no_list(path: str, what: str) -> StoppedError:
    """Return the error that says what is wrong with a list; `what` follows its name."""
    return StoppedError(f"The list {path} {what}.", "Resume later; if it happens again, report it.")


def _listed(path: str, content: Mapping[str, Json] | None, wrapper: str) -> list[Mapping[str, Json]]:
    """Return what a page of a list shows; nothing where there is "no content"."""
    if content is None:
        return []
    value = content.get(wrapper)
    if isinstance(value, Sequence) and not isinstance(value, str):
        entries = [entry for entry in value if isinstance(entry, Mapping)]
        if len(entries) == len(value):
            return entries
    raise no_list(path, "is answered with something that is none")
