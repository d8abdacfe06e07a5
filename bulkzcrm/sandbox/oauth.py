"""The token endpoint: refresh tokens and single-use codes become access tokens, which live as long as is set.

A browser that asks for consent gets it at once, and a refresh token can be revoked.

Answers to wrong requests come with HTTP 200 and an `error`, as the vendor's do. Limits from the vendor's page on token
validity: 10 access tokens in 10 minutes and 15 live ones per refresh token; a code is good once, for 3 minutes.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from bulkzcrm.sandbox.answers import Answer
from bulkzcrm.sandbox.jsontext import Json
from bulkzcrm.sandbox.options import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SandboxOptions
from bulkzcrm.sandbox.store import Store, milliseconds

THROTTLE_WINDOW = timedelta(minutes=10)
LIVE_TOKENS_MOST = 15
CODE_LIFE = timedelta(minutes=3)
_REDIRECTS = "CREATE TABLE IF NOT EXISTS code_redirects (code TEXT PRIMARY KEY, redirect_uri TEXT NOT NULL)"
"""Made when it is first needed, so that states of earlier versions go on working."""


class Tokens:
    """Issues and checks tokens. `now` gives the sandbox's time with an offset."""

    def __init__(self, store: Store, options: SandboxOptions, now: Callable[[], datetime]) -> None:
        """Stand on the store; changes want a transaction of the caller's."""
        self._store = store
        self._options = options
        self._now = now

    def sow(self) -> None:
        """Put the documented refresh token and code into a new store."""
        self._store.execute("INSERT INTO refresh_tokens VALUES (?)", (REFRESH_TOKEN,))
        self._store.execute("INSERT INTO grant_codes VALUES (?, NULL)", (self._options.grant_code,))

    def new_code(self) -> str:
        """Make another self-client code, good once within 3 minutes."""
        code = _token()
        expires = milliseconds(self._now() + CODE_LIFE)
        self._store.execute("INSERT INTO grant_codes VALUES (?, ?)", (code, expires))
        return code

    def answer(self, form: Mapping[str, str], api_domain: str) -> Answer:
        """Answer a POST of /oauth/v2/token with these form fields."""
        if not _same(form.get("client_id", ""), CLIENT_ID):
            return Answer(200, {"error": "invalid_client"})
        if not _same(form.get("client_secret", ""), CLIENT_SECRET):
            return Answer(200, {"error": "invalid_client_secret"})
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(form.get("refresh_token", ""), api_domain)
            case "authorization_code":
                return self._trade(form, api_domain)
            case _:
                return Answer(200, {"error": "general_error"})

    def authorise(self, query: Mapping[str, str], accounts: str) -> str | None:
        """Answer a browser that asks for consent: return where it is sent, as if a person had agreed.

        None where a person would be shown an error instead: the client, the kind of answer or the address is wrong.
        """
        back = query.get("redirect_uri", "")
        known = _same(query.get("client_id", ""), CLIENT_ID) and query.get("response_type") == "code"
        if not known or not back.startswith(("http://", "https://")):
            return None
        fields = {"state": query["state"]} if "state" in query else {}
        if not query.get("scope"):
            return f"{back}?{urlencode({'error': 'invalid_scope', **fields})}"
        code = self.new_code()
        self._store.execute(_REDIRECTS)
        self._store.execute("INSERT INTO code_redirects VALUES (?, ?)", (code, back))
        return f"{back}?{urlencode({**fields, 'code': code, 'location': 'us', 'accounts-server': accounts})}"

    def revoke(self, form: Mapping[str, str]) -> Answer:
        """Answer a POST of /oauth/v2/token/revoke: the refresh token and its access tokens are good no more."""
        token = form.get("token", "")
        if not self._store.execute("SELECT 1 FROM refresh_tokens WHERE token = ?", (token,)):
            return Answer(400, {"error": "invalid_token"})
        self._store.execute("DELETE FROM refresh_tokens WHERE token = ?", (token,))
        self._store.execute("UPDATE access_tokens SET live = 0 WHERE refresh_token = ?", (token,))
        return Answer(200, {"status": "success"})

    def admit(self, token: str) -> bool:
        """Whether an access token is alive; takes one of its calls when they are counted."""
        found = self._store.execute(
            "SELECT expires_ms, calls_left FROM access_tokens WHERE token = ? AND live = 1", (token,)
        )
        if not found:
            return False
        expires, calls_left = found[0]
        if int(str(expires)) <= milliseconds(self._now()) or calls_left == 0:
            return False
        if calls_left is not None:
            self._store.execute("UPDATE access_tokens SET calls_left = calls_left - 1 WHERE token = ?", (token,))
        return True

    def kill(self, token: str) -> None:
        """End an access token before its time."""
        self._store.execute("UPDATE access_tokens SET live = 0 WHERE token = ?", (token,))

    def kill_all(self) -> None:
        """End all access tokens before their time."""
        self._store.execute("UPDATE access_tokens SET live = 0")

    def _refresh(self, refresh_token: str, api_domain: str) -> Answer:
        if not self._store.execute("SELECT 1 FROM refresh_tokens WHERE token = ?", (refresh_token,)):
            return Answer(200, {"error": "invalid_code"})
        if self._is_throttled(refresh_token):
            body: Json = {
                "error_description": "Too many access tokens were asked for; wait some minutes.",
                "error": "Access Denied",
                "status": "failure",
            }
            return Answer(self._options.throttle_status, body)
        return Answer(200, self._issue(refresh_token, api_domain))

    def _trade(self, form: Mapping[str, str], api_domain: str) -> Answer:
        code = form.get("code", "")
        self._store.execute(_REDIRECTS)
        made_for = self._store.execute("SELECT redirect_uri FROM code_redirects WHERE code = ?", (code,))
        if made_for and made_for[0][0] != form.get("redirect_uri"):
            return Answer(200, {"error": "invalid_redirect_uri"})
        rows = self._store.execute("SELECT expires_ms FROM grant_codes WHERE code = ?", (code,))
        self._store.execute("DELETE FROM grant_codes WHERE code = ?", (code,))
        expires = rows[0][0] if rows else 0
        if expires is not None and int(str(expires)) <= milliseconds(self._now()):
            return Answer(200, {"error": "invalid_code"})
        refresh_token = _token()
        self._store.execute("INSERT INTO refresh_tokens VALUES (?)", (refresh_token,))
        return Answer(200, {**self._issue(refresh_token, api_domain), "refresh_token": refresh_token})

    def _is_throttled(self, refresh_token: str) -> bool:
        limit = self._options.token_throttle
        since = milliseconds(self._now() - THROTTLE_WINDOW)
        statement = "SELECT COUNT(*) FROM access_tokens WHERE refresh_token = ? AND issued_ms > ?"
        return limit is not None and self._store.number(statement, (refresh_token, since)) >= limit

    def _issue(self, refresh_token: str, api_domain: str) -> Json:
        token, now = _token(), self._now()
        issued, expires = milliseconds(now), milliseconds(now + timedelta(seconds=self._options.token_life_s))
        self._store.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, 1)",
            (token, refresh_token, issued, expires, self._options.token_calls),
        )
        # The sixteenth live token ends the oldest one; among equally old ones, never the one just made.
        self._store.execute(
            "UPDATE access_tokens SET live = 0 WHERE token IN (SELECT token FROM access_tokens WHERE refresh_token = ? "
            "AND live = 1 AND expires_ms > ? ORDER BY issued_ms DESC, token = ? DESC LIMIT -1 OFFSET ?)",
            (refresh_token, issued, token, LIVE_TOKENS_MOST),
        )
        return {
            "access_token": token,
            "api_domain": api_domain,
            "token_type": "Bearer",
            "expires_in": self._options.token_life_s,
        }


def _token() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
