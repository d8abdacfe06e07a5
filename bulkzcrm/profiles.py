"""`profiles.toml`: one table for each organisation; a table is written without disturbing a byte of the others."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from bulkzcrm.errors import ConfigurationError
from bulkzcrm.private_files import FileLock, others_can_read, private_folder, write_private

__all__ = [
    "KEYRING",
    "KEYRING_KEYS",
    "PROFILE_KEYS",
    "SECRETS_IN",
    "Profiles",
    "delete_profile",
    "permission_note",
    "profiles_file",
    "read_profiles",
    "refuse_unfit_name",
    "refuse_unwritable",
    "write_profile",
]

PROFILE_KEYS = (
    "api_domain",
    "accounts_url",
    "client_id",
    "client_secret",
    "refresh_token",
    "org_id",
    "api_version",
    "proxy",
)
"""What a table may hold: the environment's variables in lower case, without `BULKZCRM_`."""

SECRETS_IN = "secrets_in"
"""The setting of a profile that says where its secrets are, if not in the file: `KEYRING`."""
KEYRING = "keyring"
KEYRING_KEYS = ("client_secret", "refresh_token")
"""What the keyring keeps of a profile."""

_TABLE_KEYS = (*PROFILE_KEYS, SECRETS_IN)
_SECRET_KEYS = frozenset({"client_secret", "refresh_token", "proxy"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER = re.compile(r"\s*\[")
_LOCK_PATIENCE_S = 10.0

Profiles: TypeAlias = Mapping[str, Mapping[str, str]]
"""Every profile's settings, by its name, in the order of the file."""


def profiles_file(home: Path) -> Path:
    """Return where the profiles are kept."""
    return home / "profiles.toml"


def read_profiles(home: Path) -> Profiles:
    """Read all profiles; a missing file holds none. Raises ConfigurationError for one that cannot be followed."""
    path = profiles_file(home)
    return {name: _settings(path, name, table) for name, table in _tables(path, _text(path)).items()}


def permission_note(home: Path) -> str | None:
    """Return a sentence for the user if others on this computer can read secrets in the profiles, else None."""
    path = profiles_file(home)
    try:
        exposed = others_can_read(path)
    except OSError:
        return None
    if exposed and any(_SECRET_KEYS & settings.keys() for settings in read_profiles(home).values()):
        return f'{path} holds secrets and other users of this computer can read it; run: chmod 600 "{path}"'
    return None


def refuse_unfit_name(name: str) -> None:
    """Raise ConfigurationError when the name will not do for a profile."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} will not do as the name of a profile.",
            "Use 1 to 64 letters, digits, hyphens and underscores.",
        )


def write_profile(home: Path, name: str, settings: Mapping[str, str]) -> Path:
    """Write one profile whole, in place of one of that name, and return the file's path.

    The file is replaced in one step and is its owner's alone. Raises ConfigurationError when the name or a key will
    not do, or the file cannot be read, written, or changed without touching other tables.
    """
    refuse_unfit_name(name)
    path = profiles_file(home)
    _settings(path, name, settings)
    with _alone(home):
        return _replaced(path, _changed(path, name, settings))


def refuse_unwritable(home: Path, name: str) -> None:
    """Raise ConfigurationError if `write_profile` could not write a profile of this name; nothing is changed."""
    refuse_unfit_name(name)
    path = profiles_file(home)
    _changed(path, name, {})
    try:
        private_folder(home)
    except OSError as error:
        raise _cannot_be_written(path, error.strerror or str(error)) from error
    if not os.access(home, os.W_OK):
        raise _cannot_be_written(path, "the folder may not be written")


def delete_profile(home: Path, name: str) -> Path:
    """Delete one profile's table, and return the file's path; a profile that is not there is passed over.

    Raises ConfigurationError when the file cannot be read, written, or changed without touching other tables.
    """
    path = profiles_file(home)
    with _alone(home):
        return _replaced(path, _changed(path, name, None))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep others from changing the file between our reading and our writing of it, if that can be had."""
    with ExitStack() as stack:
        # A folder that may not be written is told when the file is.
        with suppress(OSError):
            stack.enter_context(FileLock(home / "profiles.lock").held(_LOCK_PATIENCE_S))
        yield


def _changed(path: Path, name: str, settings: Mapping[str, str] | None) -> str:
    """Return the file's text with this table; without `settings`, without it. Raises what `write_profile` raises."""
    before = _text(path)
    wanted = {key: table for key, table in _tables(path, before).items() if key != name or settings is not None}
    if settings is not None:
        wanted[name] = dict(_settings(path, name, settings))
    after = _with_table(before, name, settings)
    try:
        written = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        written = {}
    # The text is edited by lines; reading it back is the proof that nothing but this table has changed.
    if written != wanted:
        raise ConfigurationError(
            f"The profile {name} in {path} is written in a way that cannot be changed by a program.",
            "Remove it from the file with an editor and try again.",
        )
    return after


def _replaced(path: Path, after: str) -> Path:
    try:
        write_private(path, after.encode())
    except OSError as error:
        raise _cannot_be_written(path, error.strerror or str(error)) from error
    return path


def _cannot_be_written(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be written: {reason}.", "Make the folder writable or set BULKZCRM_HOME to another one."
    )


def _text(path: Path) -> str:
    try:
        # Bytes, because reading as text would quietly turn Windows line ends into others.
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not in UTF-8.", "Save it again in that encoding.") from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror or error}.",
            "Give your user the right to read it or set BULKZCRM_HOME to another folder.",
        ) from error


def _tables(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's message names line and column and quotes nothing of the line but single characters.
        raise ConfigurationError(f"{path} is not valid TOML: {error}.", "Mend that line.") from None


def _settings(path: Path, name: str, table: object) -> Mapping[str, str]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(
            f"In {path}, {name} stands outside a table.",
            f"Put it below a line with the profile's name in brackets, such as [{name}].",
        )
    return {str(key): _setting(path, name, str(key), value) for key, value in table.items()}


def _setting(path: Path, name: str, key: str, value: object) -> str:
    if key not in _TABLE_KEYS:
        near = get_close_matches(key.lower(), _TABLE_KEYS, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(_TABLE_KEYS)}."
        raise ConfigurationError(f"The profile {name} in {path} has an unknown setting {key}.", cure)
    # An id of digits alone is easily written without quotes; TOML's whole numbers are exact.
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ConfigurationError(f"{key} of the profile {name} in {path} is not a text.", "Put it in quotes.")
    if key == SECRETS_IN and value.strip() != KEYRING:
        raise ConfigurationError(
            f"{key} of the profile {name} in {path} is {value.strip()!r}.",
            f'Write "{KEYRING}", or leave it out where the secrets are in this file.',
        )
    return value.strip()


def _with_table(text: str, name: str, settings: Mapping[str, str] | None) -> str:
    """Return the text with this table in it, in place of an older one of that name; without `settings`, without it."""
    table = [] if settings is None else [f"[{name}]\n"]
    table += [f"{key} = {_quoted(settings[key].strip())}\n" for key in _TABLE_KEYS if settings and key in settings]
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    own = re.compile(rf"\s*\[\s*[\"']?{re.escape(name)}[\"']?\s*\]\s*(?:#.*)?$")
    start = next((number for number in starts if own.match(lines[number].rstrip("\r\n"))), None)
    if start is None and not table:
        return text
    if start is None:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        return text + gap + "".join(table)
    end = next((number for number in starts if number > start), len(lines))
    # Blank lines and comments just above the next table belong to that one.
    while end > start + 1 and lines[end - 1].strip()[:1] in {"", "#"}:
        end -= 1
    return "".join([*lines[:start], *table, *lines[end:]])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found.group()):04x}", escaped) + '"'
