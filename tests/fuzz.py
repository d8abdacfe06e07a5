"""Plays runs against a server that answers anything, and sources that hold anything, and tells what does not hold.

python -m tests.fuzz [--answers N] [--sources N] [--seed N] [--only CASE]

Prints a line for each case that fails, with the words that play it alone; exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))

import fuzz_answers
import fuzz_raw
import fuzz_sources
from terminal import Terminal

from bulkzcrm import redact

_EVERY_SO_MANY_BY_SOCKETS = 25
_EVERY_SO_MANY_SENT = 20
_ENOUGH = 100
"""Failures, after which more would teach nothing."""


@dataclass(slots=True)
class Account:
    """What was played and what failed."""

    answers: fuzz_answers.Tally = field(default_factory=fuzz_answers.Tally)
    sources: Counter[int] = field(default_factory=Counter)
    """Exit statuses of the sources."""
    failures: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Return what was played, in lines."""
        answers = self.answers
        exits = ", ".join(f"{count:,} with exit {status}" for status, count in sorted(self.sources.items()))
        lines = [
            f"answers  {answers.answers:,} odd ones of {answers.requests:,}, in {answers.runs:,} runs",
            f"runs     {_listed(answers.endings)}",
            f"rows     {_listed(answers.statuses)}",
            f"sources  {self.sources.total():,}: {exits}",
            f"failures {len(self.failures)}",
        ]
        return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common() if count)


def play_answers(wanted: int, seed: str, account: Account) -> None:
    """Play runs until so many odd answers were given."""
    number = 0
    while account.answers.answers < wanted and len(account.failures) < _ENOUGH:
        _recorded(f"answers:{number}", seed, account, play_one_answering)
        number += 1


def play_one_answering(number: int, seed: str, account: Account) -> None:
    """Play the run of that number; some go over sockets, where an answer can be broken below its body, too."""
    die = Random(f"{seed} answers {number}")  # noqa: S311 - repeatable on purpose
    by_sockets = number % _EVERY_SO_MANY_BY_SOCKETS == _EVERY_SO_MANY_BY_SOCKETS - 1
    connecting = fuzz_raw.by_sockets if by_sockets else fuzz_answers.without_sockets
    # What is searched for in every text grows with each token: of other runs, none can turn up here.
    registry, redact._REGISTRY = redact._REGISTRY, redact._Registry()
    try:
        asyncio.run(fuzz_answers.play(fuzz_answers.case_of(die), die, connecting, account.answers))
    finally:
        redact._REGISTRY = registry


def play_sources(wanted: int, seed: str, account: Account) -> None:
    """Play so many sources."""
    for number in range(wanted):
        _recorded(f"sources:{number}", seed, account, play_one_source)


def play_one_source(number: int, seed: str, account: Account) -> None:
    """Play the source of that number; some are sent to a sandbox."""
    die = Random(f"{seed} sources {number}")  # noqa: S311 - repeatable on purpose
    sending = number % _EVERY_SO_MANY_SENT == _EVERY_SO_MANY_SENT - 1
    with tempfile.TemporaryDirectory(prefix="fuzz ") as folder:
        ended = fuzz_sources.play(fuzz_sources.file_of(die), Terminal(Path(folder)), sending=sending)
    account.sources[ended.status] += 1


def _recorded(case: str, seed: str, account: Account, play: Callable[[int, str, Account], None]) -> None:
    try:
        play(int(case.partition(":")[2]), seed, account)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        inner = next(_innermost(error))
        where = traceback.extract_tb(inner.__traceback__)[-1]
        reason = " ".join(f"{type(inner).__name__}: {inner}".split())[:300]
        account.failures.append(
            f"--seed {seed} --only {case}: {Path(where.filename).name}, line {where.lineno}: {reason}"
        )


def _innermost(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _innermost(each)
    else:
        yield error


def main() -> int:
    """Play what the words say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=10_000, metavar="N", help="odd answers to give (default 10000)")
    parser.add_argument("--sources", type=int, default=2_000, metavar="N", help="sources to read (default 2000)")
    parser.add_argument("--seed", default="1", metavar="N", help="another seed, other cases (default 1)")
    parser.add_argument("--only", metavar="CASE", help="one case alone, such as answers:12, with its traceback")
    words = parser.parse_args()
    account = Account()
    if words.only:
        kind, _, number = words.only.partition(":")
        play = {"answers": play_one_answering, "sources": play_one_source}[kind]
        play(int(number), words.seed, account)
    else:
        play_answers(words.answers, words.seed, account)
        play_sources(words.sources, words.seed, account)
    sys.stdout.write("\n".join([*account.failures, account.told(), ""]))
    return int(bool(account.failures))


if __name__ == "__main__":
    sys.exit(main())
