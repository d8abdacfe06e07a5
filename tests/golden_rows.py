"""Golden pairs held against our client without a socket: quick enough to be asked hundreds of times."""

from __future__ import annotations

from typing import Final

from golden_pairs import GoldenPair, Local, difference, load
from golden_sandbox import _options, users_of
from two_sides import API, TwoSides, Verdict, shared

from bulkzcrm.spec.operations import OPERATIONS

ROWS: Final = tuple(
    pair for pair in load() if pair.row is not None and pair.client is not None and "now" not in pair.row.values()
)
"""The pairs that say what our client does with a row; the sender puts in what `now` means, which is behind this."""

_SETTINGS: Final = frozenset({"business_hours", "service_preferences"})


def departure_from(pair: GoldenPair) -> str | None:
    """Say how our client treats the pair's row otherwise than the pair does, or nothing."""
    verdict = _sides(pair).client(OPERATIONS[pair.operation], pair.row)
    if verdict.says is not pair.client.verdict:
        return f"our client says {verdict.says}, not {pair.client.verdict}"
    if verdict.says is Local.INVALID:
        return _other_problems(pair, verdict)
    return _other_request(pair, verdict) if verdict.says is Local.SENDS else None


def _other_problems(pair: GoldenPair, verdict: Verdict) -> str | None:
    found = [(problem.code, problem.field) for problem in verdict.problems]
    wanted = pair.client.problems
    named = all(any(code in each.codes and field in each.fields for code, field in found) for each in wanted)
    return None if named and len(found) == len(wanted) else f"our client finds {found}"


def _other_request(pair: GoldenPair, verdict: Verdict) -> str | None:
    sent = verdict.request
    if (sent.method, API + sent.path) != (pair.request.method, pair.request.path):
        return f"our client sends {sent.method} {sent.path}"
    return difference(pair.request.body, sent.body, extra_keys=False)


def _sides(pair: GoldenPair) -> TwoSides:
    differs = pair.organisation

    def make() -> TwoSides:
        return TwoSides(
            pair.now,
            options=_options(differs),
            settings={name: differs[name] for name in differs.keys() & _SETTINGS},
            services=differs.get("services"),
            users=users_of(pair),
        )

    return shared(f"{pair.now} {differs}", make)
