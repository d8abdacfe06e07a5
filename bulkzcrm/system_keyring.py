"""Secrets in the system's keyring, where there is one: macOS Keychain, Windows Credential Locker, Secret Service.

Each secret lies there under the profile's name and the folder that the profiles are in, so that two folders do not
meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bulkzcrm.errors import ConfigurationError
from bulkzcrm.redact import register

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

__all__ = ["forget_secrets", "keep_secrets", "keyring_name", "recall_secrets"]

_SERVICE = "bulkzcrm"


def keyring_name() -> str | None:
    """Return what the system's keyring calls itself, `None` where there is none that can be used."""
    backend = _backend()
    return None if backend is None else str(backend.name)


def keep_secrets(home: Path, profile: str, secrets: Mapping[str, str]) -> bool:
    """Put secrets into the keyring, and tell whether they really are there; if not, none of them is left in it."""
    backend = _backend()
    if backend is None:
        return False
    try:
        for key, value in secrets.items():
            backend.set_password(_SERVICE, _account(home, profile, key), value)
        kept = all(backend.get_password(_SERVICE, _account(home, profile, key)) == secrets[key] for key in secrets)
    except Exception:  # noqa: BLE001 - each backend fails in its own way; the file takes the secrets then
        kept = False
    if not kept:
        forget_secrets(home, profile, secrets)
    return kept


def recall_secrets(home: Path, profile: str, keys: Iterable[str]) -> dict[str, str]:
    """Return those secrets of a profile that the keyring has. Raises ConfigurationError if it cannot be asked."""
    backend = _backend()
    if backend is None:
        raise ConfigurationError(
            f"The secrets of the profile {profile} are in the system's keyring, and here is none that can be used.",
            "Log in to the desktop, or keep them in a file: bulkzcrm auth login --no-keyring. "
            "A scheduled run often has no keyring.",
        )
    found: dict[str, str] = {}
    try:
        for key in keys:
            value = backend.get_password(_SERVICE, _account(home, profile, key))
            if value is not None:
                register(value)
                found[key] = value
    except Exception as error:
        raise ConfigurationError(
            f"The system's keyring ({backend.name}) does not give the secrets of the profile {profile}: "
            f"{type(error).__name__}.",
            "Unlock it and try again, or keep them in a file: bulkzcrm auth login --no-keyring.",
        ) from error
    return found


def forget_secrets(home: Path, profile: str, keys: Iterable[str]) -> None:
    """Take secrets out of the keyring; those that are not there are passed over."""
    backend = _backend()
    if backend is None:
        return
    for key in keys:
        try:
            backend.delete_password(_SERVICE, _account(home, profile, key))
        except Exception:  # noqa: BLE001, S112 - not there, or not to be had: each backend says so in its own way
            continue


def _account(home: Path, profile: str, key: str) -> str:
    return f"{profile}/{key} ({home})"


def _backend() -> KeyringBackend | None:
    import keyring  # noqa: PLC0415 - it looks for what the system has, which takes its time
    from keyring import core  # noqa: PLC0415 - the same

    try:
        # What the environment names comes first, also when it has changed since the first look.
        backend = core.load_env() or keyring.get_keyring()
        usable = backend.priority > 0
    except Exception:  # noqa: BLE001 - a keyring that cannot even be found is none
        return None
    return backend if usable else None
