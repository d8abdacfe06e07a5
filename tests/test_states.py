"""Runs are begun, killed, resumed, retried and got in each other's way in any order, and keep every promise after each.

The organisation of the simulation is the oracle: a witness in it knows who made what, whatever was answered.
"""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import SERVICE, services
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from office import Act, Errand, Office, Program, Trouble
from troubles import LONG_AGO, NAMES, any_trouble, changes, new_rows, options, organisations, places, which
from truths import Known, Truths

from bulkzcrm.errors import UsageError
from bulkzcrm.journal import RunState
from bulkzcrm.journal.failures import LostLeaseError
from bulkzcrm.run.lease import AtWorkError
from bulkzcrm.run.options import RunOptions
from bulkzcrm.run.signals import InterruptedRunError
from bulkzcrm.sandbox import SandboxOptions

_MOST_CALLS = 15
"""A run comes to its end in so many calls at most once nothing goes wrong any more."""


class Offices(RuleBasedStateMachine):
    """What may happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._prices = itertools.count(1001)
        self.is_well = False

    @initialize(
        sandbox=organisations,
        ahead_s=st.sampled_from([0.0, 0.0, 200.0, -200.0]),
        deaths_are_known=st.booleans(),
        rows=new_rows,
        options=options,
        trouble=any_trouble,
        by_key=st.booleans(),
    )
    def set_up(
        self,
        sandbox: SandboxOptions,
        ahead_s: float,
        rows: Any,
        options: RunOptions,
        trouble: Trouble,
        *,
        deaths_are_known: bool,
        by_key: bool,
    ) -> None:
        # Rules are left out of an example at random; without any run there would be nothing to see.
        self.sandbox = sandbox
        self.office = Office(
            Path(self._folder.name) / "an office", sandbox=sandbox, ahead_s=ahead_s, deaths_are_known=deaths_are_known
        )
        self.truths = Truths(self.office)
        self.is_well = True
        self.begin_create(rows, options, trouble, by_key=by_key)

    # -- runs ------------------------------------------------------------------------------------------------------

    @rule(rows=new_rows, options=options, by_key=st.booleans(), trouble=any_trouble)
    def begin_create(self, rows: Any, options: RunOptions, trouble: Trouble, *, by_key: bool) -> None:
        made: list[dict[str, str]] = []
        for name, kind in rows:
            if kind == "twin" and made:
                made.append(dict(made[-1]))
                continue
            (row,) = services(1, Status="Not in Use", Unavailable_From=LONG_AGO)
            row |= {"Service_Name": name, "Price": str(next(self._prices))}
            if kind == "invalid":
                row["Duration"] = "soon"
            if kind == "active":
                row |= {"Status": "Available", "Unavailable_From": ""}
            made.append(row)
        if by_key and self.sandbox.unique_field:
            options = replace(options, unique_field=self.sandbox.unique_field)
        self._begin(Errand(operation="create-services", rows=made, options=options), trouble)

    @rule(change=changes, options=options, trouble=any_trouble)
    def begin_change(self, change: Any, options: RunOptions, trouble: Trouble) -> None:
        operation, rows = change
        made = [dict(row) for row in rows]
        for row in made:
            if row.get("Price") == "":
                row["Price"] = str(next(self._prices))
            if "service" in operation and "Status" in row:
                row["Unavailable_From"] = LONG_AGO if row["Status"] == "Not in Use" else ""
        self._begin(Errand(operation=operation, rows=made, options=options), trouble)

    @precondition(lambda self: self.office.resumable)
    @rule(which=which, trouble=any_trouble, waits=st.booleans())
    def carry_on(self, which: int, trouble: Trouble, *, waits: bool) -> None:
        run = self._resumable(which)
        if waits:
            self.office.time.pass_by(61)
        self._ended(self.office.carry_on(run, trouble))

    @precondition(lambda self: self.office.resumable)
    @rule(which=which, other=which, trouble=any_trouble, troubles=any_trouble, at=places, waits=st.booleans())
    def stand_still_while_another_lives(
        self, which: int, other: int, trouble: Trouble, troubles: Trouble, at: int, *, waits: bool
    ) -> None:
        run, second = self._resumable(which), self._resumable(other)
        within: list[Program] = []

        def meanwhile() -> None:
            if waits:
                self.office.time.pass_by(61)
            within.append(self.office.carry_on(second, troubles))

        program = self.office.carry_on(run, trouble, suspend_at=at, meanwhile=meanwhile)
        self._expected(program)
        for each in within:
            self._expected(each)

    @precondition(lambda self: len(self.office.resumable) > 1)
    @rule(which=which, trouble=any_trouble, other=any_trouble)
    def carry_on_with_two_at_once(self, which: int, trouble: Trouble, other: Trouble) -> None:
        first, second = self._resumable(which), self._resumable(which + 1)
        for program in self.office.both((first, trouble), (second, other)):
            self._ended(program)

    @precondition(lambda self: self.office.runs)
    @rule(which=which, trouble=any_trouble)
    def retry(self, which: int, trouble: Trouble) -> None:
        runs = self.office.runs
        run = runs[which % len(runs)].id
        before = {each.id for each in runs}
        left = self.office.journal().failed_rows(run, 0, 100, untaken_only=True)
        known = self.truths.known[run]
        errand = Errand(
            operation=known.errand.operation,
            rows=[known.errand.rows[row.ordinal - 1] for row in left],
            options=known.errand.options,
        )
        program = self.office.retry(run, trouble)
        came = [each.id for each in self.office.runs if each.id not in before]
        for each in came:
            assert known.state is RunState.FINISHED
            assert left
            self.truths.known[each] = Known(errand, RunState.INGESTED)
        assert len(self.office.journal().failed_rows(run, 0, 100, untaken_only=True)) == (0 if came else len(left))
        self._ended(program)

    # -- what else may happen --------------------------------------------------------------------------------------

    @rule(act=st.sampled_from([Act.CLOCK_AHEAD, Act.CLOCK_BACK, Act.NAP, Act.SLEEP, Act.EDIT, Act.NAMESAKE]))
    def happen(self, act: Act) -> None:
        self.office.happen(act)
        self.office.witness.catch_up()

    @rule(
        number=st.sampled_from([2, 3, 4, 5, 7, 10, 12]),
        name=st.none() | st.sampled_from(NAMES),
        by_us=st.booleans(),
        is_twin=st.booleans(),
    )
    def somebody_works(self, number: int, name: str | None, *, by_us: bool, is_twin: bool) -> None:
        if name is None:
            self.office.witness.edit(SERVICE.format(number))
            return
        newest = self.office.witness.store.services()[-1]
        price = str(newest["Price"]) if is_twin else None
        self.office.witness.make_namesake(None if is_twin else name, price=price, by_us=by_us)

    @precondition(lambda self: self.office.runs)
    @rule(which=which)
    def report_again(self, which: int) -> None:
        runs = self.office.runs
        run = runs[which % len(runs)].id
        self.truths.look_at_report(run, self.office.report(run))

    # -- what must be true -----------------------------------------------------------------------------------------

    @invariant()
    def every_promise_is_kept(self) -> None:
        if hasattr(self, "truths"):
            self.is_well = False
            self.truths.look()
            self.is_well = True

    def teardown(self) -> None:
        try:
            # What has gone wrong before is what counts.
            if self.is_well and not self.office.is_broken:
                self._finish()
        finally:
            if hasattr(self, "office"):
                self.office.close()
            self._folder.cleanup()

    def _finish(self) -> None:
        refused = set()
        for _ in range(_MOST_CALLS):
            left = [run for run in self.office.resumable if run not in refused]
            for run in left:
                program = self.office.carry_on(run, Trouble())
                self._ended(program)
                if isinstance(program.error, AtWorkError):
                    self.office.time.pass_by(3700 * 3)
                elif isinstance(program.error, UsageError):
                    refused.add(run)
                self.truths.look()
            if not left:
                break
            # As long as the accounts server turns away who has asked for too many tokens.
            self.office.time.pass_by(660)
        else:
            stopped = [(run, self.office.journal().run(run).stopped_because) for run in left]
            raise AssertionError(f"These runs do not come to their end: {stopped}")
        self.office.witness.catch_up(to_the_end=True)
        self.truths.at_the_end(refused)
        for run in self.office.runs:
            self.truths.look_at_report(run.id, self.office.report(run.id))

    # -- how it is done --------------------------------------------------------------------------------------------

    def _begin(self, errand: Errand, trouble: Trouble) -> None:
        before = {each.id for each in self.office.runs}
        program = self.office.begin(errand, trouble)
        for run in self.office.runs:
            if run.id not in before:
                self.truths.known[run.id] = Known(errand, RunState.INGESTED)
        self._ended(program)

    def _ended(self, program: Program) -> None:
        """A program has come to its end, in one of the ways that there are."""
        self._expected(program)
        if program.ending is not None:
            self.truths.look()
            self.truths.look_at_written_report(program.run)

    def _expected(self, program: Program) -> None:
        error = program.error
        assert program.is_killed or program.ending is not None or error is not None
        assert error is None or isinstance(error, UsageError | LostLeaseError | InterruptedRunError), repr(error)

    def _resumable(self, which: int) -> str:
        runs = self.office.resumable
        return runs[which % len(runs)]


_SLOW_BY_NATURE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


class TestInAnyOrder(Offices.TestCase):
    # Looking for a smaller example takes minutes: the long test does.
    settings = settings(
        max_examples=50,
        stateful_step_count=8,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=_SLOW_BY_NATURE,
    )


@pytest.mark.long
@pytest.mark.timeout(7200)
class TestInAnyOrderAtLength(Offices.TestCase):
    settings = settings(max_examples=3000, stateful_step_count=20, deadline=None, suppress_health_check=_SLOW_BY_NATURE)
