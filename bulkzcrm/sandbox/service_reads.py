"""GET of Services__s: the list in pages, and one service with all it holds."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from datetime import timedelta

from bulkzcrm.sandbox import values
from bulkzcrm.sandbox.answers import Answer, Refused, refuse
from bulkzcrm.sandbox.jsontext import Json, dumps, loads_object
from bulkzcrm.sandbox.organisation import Call, Organisation
from bulkzcrm.sandbox.paging import page_query
from bulkzcrm.sandbox.store import SORT_COLUMNS, milliseconds

FIELDS_MOST = 50
BY_NUMBER_MOST = 2000  # records that page numbers reach; beyond, a page token is needed
BY_TOKEN_MOST = 100_000
_TOKEN_LIFE = timedelta(hours=24)
_SUBFORMS = ("Members", "Available_Timings")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What a page token is bound to."""

    fields: str
    sort_by: str
    sort_order: str
    per_page: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: after a service, of which `before` lie in front."""

    after: tuple[int, int] | None
    offset: int
    before: int


def read_one(org: Organisation, call: Call) -> Answer:
    """GET Services__s/{id}; an unknown id is answered with 204 and no body."""
    service_id = values.identifier(call.path_id)
    if service_id is None:
        raise refuse(400, "INVALID_DATA", "the id is no id", {"resource_path_index": 1})
    service = org.store.service(service_id) if int(service_id) < 2**63 else None
    return Answer(204) if service is None else Answer(200, {"data": [full_row(org, service)]})


def read_list(org: Organisation, call: Call) -> Answer:
    """GET Services__s: `fields` is mandatory; 200 a page; page numbers reach 2,000 records, page tokens go on."""
    order = _order(call)
    token = call.query.get("page_token")
    if token is not None and "page" in call.query:
        raise refuse(400, "AMBIGUITY_DURING_PROCESSING", "page and page_token exclude each other")
    page, per_page = page_query(call.query)
    place = _place(page, per_page) if token is None else _read_token(org, token, order)
    rows = org.store.service_page(
        order.sort_by,
        ascending=order.sort_order == "asc",
        limit=per_page + 1,
        offset=place.offset,
        after=place.after,
    )
    shown, more = rows[:per_page], len(rows) > per_page
    if not shown:
        return Answer(204)
    until = place.before + len(shown)
    info: Json = {
        "per_page": per_page,
        "count": len(shown),
        "page": page if token is None else until // per_page,
        "sort_by": order.sort_by,
        "sort_order": order.sort_order,
        "more_records": more,
        "next_page_token": _token(org, order, shown[-1][0], until) if more else None,
        "previous_page_token": None,
        "page_token_expiry": (org.clock() + _TOKEN_LIFE).isoformat(timespec="seconds") if more else None,
    }
    wanted = order.fields.split(",")
    return Answer(200, {"data": [_list_row(org, service, wanted) for _, service in shown], "info": info})


def full_row(org: Organisation, service: Json) -> Json:
    """A service as GET by id shows it: with subforms, and with the members' names."""
    names = {str(user["id"]): user["full_name"] for user in org.users}
    members = service["Members"]
    rows = members if isinstance(members, list) else []
    shown = [
        {"id": row["id"], "Members": {"module": "users", "name": names.get(user_id), "id": user_id}}
        for row in rows
        for user_id in [str(row["Members"]["id"])]
    ]
    unique = org.unique
    return {
        **({} if unique is None else {unique.name: None}),
        **service,
        "Members": shown,
        "Owner": service["Created_By"],
        "Record_Status__s": "Available",
        "$has_more": {"Members": False},
    }


def _list_row(org: Organisation, service: Json, wanted: list[str]) -> Json:
    row = full_row(org, service)
    if not org.options.list_subforms:
        row = {key: value for key, value in row.items() if key != "Members"} | {"Available_Timings": None}
    return {"id": row["id"], **{key: row[key] for key in wanted if key in row}}


def _order(call: Call) -> _Order:
    fields = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    if not fields:
        raise refuse(400, "REQUIRED_PARAM_MISSING", "a mandatory parameter is missing", {"param_name": "fields"})
    if len(fields) > FIELDS_MOST:
        details: Json = {"param_name": "fields", "limit": FIELDS_MOST}
        raise refuse(400, "LIMIT_EXCEEDED", "there are too many field names", details)
    sort_by, sort_order = call.query.get("sort_by", "id"), call.query.get("sort_order", "desc")
    if sort_by not in SORT_COLUMNS:
        raise refuse(400, "INVALID_DATA", "there is no sorting by this field", {"param_name": "sort_by"})
    if sort_order not in ("asc", "desc"):
        raise refuse(400, "INVALID_DATA", "the order is asc or desc", {"param_name": "sort_order"})
    per_page = page_query(call.query)[1]
    return _Order(fields=",".join(fields), sort_by=sort_by, sort_order=sort_order, per_page=per_page)


def _place(page: int, per_page: int) -> _Place:
    if page * per_page > BY_NUMBER_MOST:
        message = "page numbers do not reach so far; go on with the page token"
        raise refuse(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", message, {"limit": BY_NUMBER_MOST})
    return _Place(None, (page - 1) * per_page, (page - 1) * per_page)


def _token(org: Organisation, order: _Order, last: tuple[int, int], until: int) -> str:
    expires = milliseconds(org.clock() + _TOKEN_LIFE)
    content = {"order": asdict(order), "after": list(last), "before": until, "expires_ms": expires}
    return base64.urlsafe_b64encode(dumps(content).encode()).decode()


def _read_token(org: Organisation, token: str, order: _Order) -> _Place:
    try:
        content = loads_object(base64.urlsafe_b64decode(token.encode()))
        first, second = (int(str(part)) for part in _list(content["after"]))
        before, expires = int(str(content["before"])), int(str(content["expires_ms"]))
        bound = content["order"]
    except (ValueError, KeyError) as error:
        raise _bad_token("INVALID_DATA", "this is no page token") from error
    if bound != asdict(order):
        raise _bad_token("TOKEN_BOUND_DATA_MISMATCH", "the page token belongs to other parameters")
    if expires < milliseconds(org.clock()):
        raise _bad_token("EXPIRED_VALUE", "the page token has expired")
    if before + order.per_page > BY_TOKEN_MOST:
        raise _bad_token("PAGINATION_LIMIT_EXCEEDED", "page tokens do not reach so far")
    return _Place((first, second), 0, before)


def _bad_token(code: str, message: str) -> Refused:
    return refuse(400, code, message, {"param_name": "page_token"})


def _list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("two numbers are expected")
    return value
