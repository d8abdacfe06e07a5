"""Which organisation is meant and how to reach it: settled, checked and frozen before anything else happens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote, urlsplit

import platformdirs

from bulkzcrm import hosts
from bulkzcrm.errors import ConfigurationError, MissingCredentialsError
from bulkzcrm.profiles import (
    KEYRING_KEYS,
    PROFILE_KEYS,
    SECRETS_IN,
    Profiles,
    permission_note,
    profiles_file,
    read_profiles,
    write_profile,
)
from bulkzcrm.redact import Secret, register, scrub
from bulkzcrm.system_keyring import recall_secrets

__all__ = ["VARIABLES", "Connection", "Secret", "home", "load_connection", "load_login", "write_profile"]

VARIABLES: Mapping[str, str] = {key: f"BULKZCRM_{key.upper()}" for key in PROFILE_KEYS}
"""The environment variable of each setting."""

_DEFAULT_API_VERSION = "v8"
_CREDENTIALS = ("client_id", "client_secret", "refresh_token")
_PLACE = ("api_domain", "accounts_url", "org_id")
"""Where an organisation lives and which it is; useless, and dangerous, with another one's credentials."""

_ADDRESSES = ("api_domain", "accounts_url")
_REACH = ("api_version", "proxy")

_FOR_WORK = (
    "Log in with bulkzcrm auth login (--help says how), or set them in the environment; "
    "or try everything out with --sandbox, which needs none."
)
_FOR_LOGIN = (
    "The API console shows them: set them in the environment, or log in on a terminal, where they are asked for."
)

_API_VERSION = re.compile(r"v[1-9]\d?(?:\.\d{1,2})?", re.ASCII)
_ORG_ID = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)
_VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One organisation and how to reach it.

    `api_domain` and `accounts_url` are origins on the allow-list (see `hosts`), of one data centre, without a slash at
    the end. `refresh_token` is empty only where `load_connection` was told that none is needed, and at a login.
    `org_id` is sent as `X-CRM-ORG`. `proxy` is a URL that may hold a password. `profile` names the table that was used,
    if any, and `in_keyring` whether its secrets are in the system's keyring. `notes` are sentences for the user.
    """

    api_domain: str
    accounts_url: str
    client_id: str
    client_secret: Secret
    refresh_token: Secret
    home: Path
    org_id: str | None = None
    api_version: str = _DEFAULT_API_VERSION
    proxy: Secret | None = None
    profile: str | None = None
    in_keyring: bool = False
    notes: tuple[str, ...] = field(default=(), compare=False)


def home(environ: Mapping[str, str]) -> Path:
    """Return the folder of journal, tokens and profiles: `BULKZCRM_HOME`, else the platform's user state folder.

    Raises ConfigurationError for the home of a user that there is not.
    """
    given = environ.get("BULKZCRM_HOME", "").strip()
    if given:
        try:
            return Path(given).expanduser().absolute()
        except RuntimeError as error:
            raise ConfigurationError(
                f"BULKZCRM_HOME is {given}, and there is no such user's folder.", "Give the path of a folder."
            ) from error
    return platformdirs.user_state_path("bulkzcrm", appauthor=False)


def load_connection(
    *, profile: str | None, environ: Mapping[str, str], home: Path, needs_login: bool = True
) -> Connection:
    """Settle every setting and check it.

    The environment beats the profile, and that the defaults. Without `profile`, the only one of the file is used,
    unless the environment holds all credentials. `profile` says which organisation is meant, and that is a flag, which
    beats the environment: its credentials come first, and addresses and `org_id` come from it alone. An empty variable
    counts as absent. Without `needs_login` a refresh token may be missing. Raises ConfigurationError.
    """
    given = _given(environ)
    needed = [key for key in _CREDENTIALS if needs_login or key != "refresh_token"]
    complete = all(key in given for key in needed)
    name, table = (None, {}) if profile is None and complete else _chosen(profile, home)
    table = {key: value for key, value in table.items() if value}
    in_keyring = name is not None and table.pop(SECRETS_IN, None) is not None
    if name is not None and in_keyring:
        table |= _from_keyring(home, name, table)
    if profile is None:
        settings = {**table, **given}
    else:
        # A forgotten variable must never write into another organisation than the one that was named.
        settings = {key: value for key, value in given.items() if key not in _PLACE} | table
        settings |= {key: given[key] for key in _REACH if key in given}
    _demand(needed, settings, environ)
    return _connection(settings, home, name, in_keyring=in_keyring, notes=_notes(profile, table, given, home))


def load_login(*, profile: str, environ: Mapping[str, str], home: Path) -> Connection:
    """Settle where a login goes that shall be kept as `profile`, which need not be there yet.

    The environment is what somebody says now, so that it beats the profile: a new secret, another client or data
    centre. An address of it takes the place of all that the profile says about where the organisation is. Other
    profiles are not asked, and a refresh token is not needed. Raises ConfigurationError.
    """
    given = {key: value for key, value in _given(environ).items() if key != "refresh_token"}
    table = {key: value for key, value in read_profiles(home).get(profile, {}).items() if value}
    in_keyring = table.pop(SECRETS_IN, None) is not None
    if in_keyring:
        # A login is the way out of a keyring that cannot be had any more.
        with suppress(ConfigurationError):
            table |= _from_keyring(home, profile, table)
    used = [VARIABLES[key] for key in given if key in table and given[key] != table[key]]
    if any(key in given and key in table and _bare(given[key]) != _bare(table[key]) for key in _ADDRESSES):
        _refuse_to_rehearse(profile, table, given)
        table = {key: value for key, value in table.items() if key not in _PLACE}
    settings = {**table, **given}
    _demand(("client_id", "client_secret"), settings, environ, cure=_FOR_LOGIN)
    notes = (_instead(used),) if used else ()
    return _connection({**settings, "refresh_token": ""}, home, profile, in_keyring=in_keyring, notes=notes)


def _refuse_to_rehearse(profile: str, table: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Keep a rehearsal in a sandbox from taking the place of the login to a real organisation."""
    here, there = (next(s[key] for key in _ADDRESSES if key in s) for s in (given, table))
    if hosts.is_loopback(here) and not hosts.is_loopback(there):
        raise ConfigurationError(
            f"The profile {profile} is for {there}, and the environment names {here}, which is on this computer.",
            "To rehearse, name another one, such as --profile sandbox.",
        )


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, name in VARIABLES.items() if (value := environ.get(name, "").strip())}


def _from_keyring(home: Path, name: str, table: Mapping[str, str]) -> dict[str, str]:
    return recall_secrets(home, name, (key for key in KEYRING_KEYS if key not in table))


def _connection(
    settings: Mapping[str, str], home: Path, profile: str | None, *, in_keyring: bool, notes: tuple[str, ...]
) -> Connection:
    """Check every setting, and freeze them."""
    api_domain, accounts_url = _origins(settings)
    return Connection(
        api_domain=api_domain,
        accounts_url=accounts_url,
        client_id=_visible(settings, "client_id"),
        client_secret=Secret(_visible(settings, "client_secret")),
        refresh_token=Secret(_visible(settings, "refresh_token") if settings.get("refresh_token") else ""),
        home=home,
        org_id=_matching(settings, "org_id", _ORG_ID, "the organisation's id, letters and digits only"),
        api_version=_matching(settings, "api_version", _API_VERSION, "a version such as v8") or _DEFAULT_API_VERSION,
        proxy=_proxy(settings.get("proxy")),
        profile=profile,
        in_keyring=in_keyring,
        notes=notes,
    )


def _chosen(profile: str | None, home: Path) -> tuple[str | None, Mapping[str, str]]:
    profiles = read_profiles(home)
    if profile is not None:
        return profile, _named(profile, profiles, home)
    if not profiles:
        return None, {}
    if len(profiles) > 1:
        raise ConfigurationError(
            f"{profiles_file(home)} holds several profiles: {', '.join(profiles)}.",
            "Name one with --profile.",
        )
    return next(iter(profiles.items()))


def _named(profile: str, profiles: Profiles, home: Path) -> Mapping[str, str]:
    if profile in profiles:
        return profiles[profile]
    known = f"It holds {', '.join(profiles)}." if profiles else "It holds none yet; bulkzcrm auth login makes one."
    near = get_close_matches(profile, profiles, n=1)
    raise ConfigurationError(
        f"There is no profile {profile} in {profiles_file(home)}.",
        f"Did you mean {near[0]}? {known}" if near else known,
    )


def _demand(
    needed: Sequence[str], settings: Mapping[str, str], environ: Mapping[str, str], *, cure: str = _FOR_WORK
) -> None:
    missing = [VARIABLES[key] for key in needed if key not in settings]
    if not missing:
        return
    known = {*VARIABLES.values(), "BULKZCRM_HOME"}
    strange = [name for name in sorted(environ) if name.startswith("BULKZCRM_") and name not in known]
    near = {name: get_close_matches(name, missing, n=1) for name in strange}
    guesses = [f"{name} is set; did you mean {match[0]}? " for name, match in near.items() if match]
    raise MissingCredentialsError(tuple(missing), "".join(guesses) + cure)


def _origins(settings: Mapping[str, str]) -> tuple[str, str]:
    given = {key: _bare(settings[key]) for key in _ADDRESSES if key in settings}
    centres = {key: _centre(key, settings[key]) for key in given}
    if len({centre.name for centre in centres.values()}) > 1:
        belongings = " and ".join(f"{VARIABLES[key]} belongs to {centre.place}" for key, centre in centres.items())
        raise ConfigurationError(
            f"{belongings}.",
            "Both must be of the one where the organisation lives; give only one of them and the other follows.",
        )
    centre = next(iter(centres.values()), hosts.DATA_CENTRES[0])
    if centre is hosts.LOOPBACK:
        # The stand-in on this machine serves both in one place.
        only = next(iter(given.values()))
        return given.get("api_domain", only), given.get("accounts_url", only)
    return given.get("api_domain", centre.apis[0]), given.get("accounts_url", centre.accounts)


def _bare(url: str) -> str:
    return url.removesuffix("/").lower()


def _centre(key: str, url: str) -> hosts.DataCentre:
    if key == "api_domain":
        centre = hosts.data_centre_of_api(url)
        known = [api for each in hosts.DATA_CENTRES for api in each.apis]
    else:
        centre = hosts.data_centre_of_accounts(url)
        known = [each.accounts for each in hosts.DATA_CENTRES]
    if centre is not None:
        return centre
    near = hosts.closest(url, known)
    raise ConfigurationError(
        f"{VARIABLES[key]} is {scrub(repr(url))}, which is none of the vendor's addresses; nothing is sent there.",
        f"Did you mean {near}?" if near else f"Use an address such as {known[0]}, with https and without port or path.",
    )


def _visible(settings: Mapping[str, str], key: str) -> str:
    if not _VISIBLE.fullmatch(settings[key]):
        raise ConfigurationError(
            f"{VARIABLES[key]} holds a blank or a character that no credential has.",
            "Copy it again from the API console, without anything around it.",
        )
    return settings[key]


def _matching(settings: Mapping[str, str], key: str, expression: re.Pattern[str], wanted: str) -> str | None:
    value = settings.get(key)
    if value is not None and not expression.fullmatch(value):
        raise ConfigurationError(f"{VARIABLES[key]} is {value!r}.", f"Give {wanted}, or leave it out.")
    return value


def _proxy(url: str | None) -> Secret | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = urlsplit("")
    if not usable or parts.path not in {"", "/"} or parts.query or parts.fragment:
        # The address is not shown: it may hold a password.
        raise ConfigurationError(
            f"{VARIABLES['proxy']} is not the address of a proxy.",
            "Give it as http://host:port or http://user:password@host:port.",
        )
    for password in filter(None, (parts.password, unquote(parts.password or ""))):
        register(password)
    return Secret(url)


def _instead(variables: Sequence[str]) -> str:
    return f"{', '.join(variables)} of the environment is used instead of what the profile says."


def _notes(profile: str | None, table: Mapping[str, str], given: Mapping[str, str], home: Path) -> tuple[str, ...]:
    differing = [key for key in PROFILE_KEYS if key in given and given[key] != table.get(key)]
    named = profile is not None
    passed_over = [
        VARIABLES[key] for key in differing if named and key not in _REACH and (key in table or key in _PLACE)
    ]
    used = [VARIABLES[key] for key in differing if key in table and VARIABLES[key] not in passed_over]
    notes = []
    if passed_over:
        notes.append(f"The profile {profile} was asked for, so its settings are used and not {', '.join(passed_over)}.")
    if used:
        notes.append(_instead(used))
    if table and (exposed := permission_note(home)):
        notes.append(exposed)
    return tuple(notes)
