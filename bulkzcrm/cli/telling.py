"""`operations` and `explain`: what can be done, and what an error code means."""

from __future__ import annotations

import click

from bulkzcrm.cli.completing import of_codes, of_operations
from bulkzcrm.cli.speaking import tell
from bulkzcrm.spec.describe import describe_operation, operation_named, operations_table

__all__ = ["explain", "operations"]


@click.command(epilog="Example: bulkzcrm operations update-services")
@click.argument("operation", required=False, shell_complete=of_operations)
def operations(operation: str | None) -> None:
    """List the operations; of OPERATION its fields, formats, rules and scopes."""
    if operation is None:
        for name, about in operations_table():
            tell(f"{name:<28}{about}")
        return
    tell(describe_operation(operation_named(operation)))


@click.command(epilog="Example: bulkzcrm explain DEPENDENT_MISMATCH")
@click.argument("code", shell_complete=of_codes)
def explain(code: str) -> None:
    """Say what an error CODE means here, what causes it, and what to do."""
    from bulkzcrm.spec.codes import explain as explained  # noqa: PLC0415 - the catalogue is for this command only

    tell(explained(code))
