"""The one field whose values no two services share, where the sandbox is asked for one (`SandboxOptions.unique_field`).

Two texts are the same value when they differ in case or in outer blanks only, as in a field of the vendor's that was
not made case-sensitive. A service without a value shares it with nobody.
"""

from __future__ import annotations

from bulkzcrm.sandbox import seed, values
from bulkzcrm.sandbox.answers import Broken
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.store import Store

__all__ = ["CUSTOM_FIELD_MAXIMUM", "UniqueField"]

CUSTOM_FIELD_MAXIMUM = 255
"""Characters of a single-line text that an administrator has added."""


class UniqueField:
    """The unique field of an organisation; its changes want a transaction of the caller's."""

    def __init__(self, store: Store, name: str, *, is_custom: bool) -> None:
        """Stand on the store; `is_custom` for a field that the seeded services do not have."""
        self.name = name
        self.is_custom = is_custom
        self._store = store

    def prepare(self) -> None:
        """Build the index of the values in force; of services that share one, the eldest keeps it."""
        self._store.execute(
            "CREATE TABLE IF NOT EXISTS unique_values (value TEXT PRIMARY KEY, service INTEGER NOT NULL UNIQUE)"
        )
        self._store.execute("DELETE FROM unique_values")
        for service in self._store.services():
            self.keep(service)

    def owner(self, value: object) -> str | None:
        """The id of the service that has this value."""
        if values.is_blank(value):
            return None
        found = self._store.execute("SELECT service FROM unique_values WHERE value = ?", (_folded(value),))
        return str(found[0][0]) if found else None

    def settle(self, sent: Json, stored: Json | None, service: Json) -> None:
        """Take a sent value into the service as it will be. Raises Broken when another service has it."""
        if self.name not in sent:
            return
        value = sent[self.name]
        if self.is_custom:
            blank = values.is_blank(value)
            service[self.name] = None if blank else values.text(value, self.name, CUSTOM_FIELD_MAXIMUM)
        owner = self.owner(value)
        if owner is not None and (stored is None or owner != str(stored["id"])):
            twin = {"id": owner, "Owner": seed.CURRENT_USER, "module": {"api_name": "Services__s"}}
            message = "the value is taken by another record"
            raise Broken("DUPLICATE_DATA", self.name, message, id=owner, duplicate_record=twin, more_records=False)

    def keep(self, service: Json) -> None:
        """Take note of what a stored service holds."""
        number, value = int(str(service["id"])), service.get(self.name)
        self._store.execute("DELETE FROM unique_values WHERE service = ?", (number,))
        if not values.is_blank(value):
            self._store.execute("INSERT OR IGNORE INTO unique_values VALUES (?, ?)", (_folded(value), number))


def _folded(value: object) -> str:
    return str(value).strip().casefold()
