"""What happened, as events: JSON lines in the run's folder, readable lines on a terminal, and no secret in either.

Code that logs takes `logger()` and names an event in a few words, with facts as keyword arguments:
`log.info("batch answered", batch=3, status=207)`. Outside `logging_to` nothing is written anywhere.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO, TypeAlias, assert_never, final

import msgspec

from bulkzcrm.errors import OutputError
from bulkzcrm.redact import MASK, Secret, scrub

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import structlog

__all__ = ["Verbosity", "logger", "logging_to", "redacted"]

Plain: TypeAlias = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None
"""What a line is made of: nothing in it can turn into a text that was not looked at."""

_TELLING_KEY = re.compile(r"authorization|token|secret|password|cookie|(?:^|_)code$", re.IGNORECASE)
_API_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
"""An error code of the API, which may stand under `code`; a login code looks otherwise."""

_DEEPEST = 8
_LARGEST_NUMBER = 2**63
"""Larger ones become text, since few readers of JSON keep them."""
_FIRST_KEYS = ("timestamp", "level", "event")


class Verbosity(StrEnum):
    """How much of the log is shown to a person; the file always holds everything."""

    QUIET = "quiet"  #: errors
    NORMAL = "normal"  #: warnings, too
    VERBOSE = "verbose"  #: everything


def _threshold(verbosity: Verbosity) -> int:
    match verbosity:
        case Verbosity.QUIET:
            return logging.ERROR
        case Verbosity.NORMAL:
            return logging.WARNING
        case Verbosity.VERBOSE:
            return logging.DEBUG
        case _:
            assert_never(verbosity)


def redacted(value: object, key: str = "", depth: int = 0) -> Plain:
    """Return a value as plain data without secrets: under telling keys `***`, elsewhere every text scrubbed.

    Numbers, truth values and None are never secret. Whatever is no data (exceptions, paths ...) becomes its scrubbed
    text; what lies deeper than eight levels is left out.
    """
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _LARGEST_NUMBER):
        return value
    if isinstance(value, Secret) or _tells(key, value):
        return MASK
    if depth >= _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {_text(str(name)): redacted(inner, str(name), depth + 1) for name, inner in value.items()}
    if isinstance(value, bytes | bytearray):
        return _text(value.decode(errors="replace"))
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return [redacted(inner, key, depth + 1) for inner in value]
    return _text(str(value))


def _text(value: str) -> str:
    # Lone surrogates (from file names) have no place in UTF-8.
    return scrub(value).encode(errors="replace").decode()


def _tells(key: str, value: object) -> bool:
    return _TELLING_KEY.search(key) is not None and not (
        key.lower().endswith("code") and isinstance(value, str) and _API_CODE.fullmatch(value)
    )


class _Sink(Protocol):
    def write(self, level: int, event: Mapping[str, Plain]) -> None: ...


@final
class _FileSink:
    """JSON lines; each is in the file when the call returns."""

    def __init__(self, stream: TextIO, complain: _Sink) -> None:
        self._stream: TextIO | None = stream
        self._complain = complain

    def write(self, level: int, event: Mapping[str, Plain]) -> None:  # noqa: ARG002 - the file holds every level
        if self._stream is None:
            return
        try:
            self._stream.write(msgspec.json.encode(event).decode() + "\n")
            self._stream.flush()
        except OSError as error:
            # A full disk must not end a run for the sake of its log; the journal has its own, stricter opinion.
            self._stream = None
            warning = {"event": "the log file cannot be written any more", "reason": error.strerror or ""}
            self._complain.write(logging.WARNING, warning)


@final
class _PersonSink:
    """One readable line for each event that is grave enough."""

    def __init__(self, stream: TextIO, threshold: int) -> None:
        self._stream = stream
        self._threshold = threshold

    def write(self, level: int, event: Mapping[str, Plain]) -> None:
        if level < self._threshold:
            return
        facts = [f"{key}={_shown(value)}" for key, value in event.items() if key not in {*_FIRST_KEYS, "exception"}]
        line = "  ".join([f"{logging.getLevelName(level).lower()}: {_one_line(str(event.get('event', '')))}", *facts])
        # A terminal that has gone, or cannot show a character, is no reason to stop.
        with suppress(OSError, ValueError):
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
            self._stream.flush()


def _shown(value: Plain) -> str:
    return _one_line(value) if isinstance(value, str) else msgspec.json.encode(value).decode()


def _one_line(text: str) -> str:
    # Control characters from a spreadsheet or a server must not steer anybody's terminal.
    return "".join(character if character.isprintable() else " " for character in text)


@final
class _Tee:
    """What structlog hands its events to: every place that is open now."""

    def __init__(self) -> None:
        self.sinks: tuple[_Sink, ...] = ()

    def msg(self, event: Mapping[str, Plain]) -> None:
        level = logging.getLevelNamesMapping().get(str(event["level"]).upper(), logging.INFO)
        for sink in self.sinks:
            sink.write(level, event)

    log = debug = info = warning = warn = error = critical = exception = fatal = failure = msg


_TEE = _Tee()


def logger() -> structlog.typing.FilteringBoundLogger:
    """Return a logger; `bind` facts to it that all its events shall carry."""
    import structlog  # noqa: PLC0415 - it takes its time, and many commands log nothing

    wrapped: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        _TEE,
        processors=[structlog.contextvars.merge_contextvars, _stamp, _traceback, _redact],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    return wrapped


@final
class _Bridge(logging.Handler):
    """Brings what libraries say through the standard library's logging into the same places."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        log = logger().bind(source=record.name)
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say("a library reports", message=record.getMessage(), exc_info=record.exc_info)


@contextmanager
def logging_to(
    log_file: Path | None, *, verbosity: Verbosity = Verbosity.NORMAL, stream: TextIO | None = None
) -> Iterator[None]:
    """Write events to a file (appended; None: to none) and to a person's stream (None: standard error) while inside.

    Warnings of libraries are included. One inside another takes over until it ends. Raises OutputError when the file
    cannot be opened.
    """
    person = _PersonSink(sys.stderr if stream is None else stream, _threshold(verbosity))
    bridge = _Bridge(logging.WARNING)
    before = _TEE.sinks
    with ExitStack() as stack:
        sinks: list[_Sink] = [person]
        if log_file is not None:
            opened = _opened(log_file)
            stack.callback(_close, opened)
            sinks.append(_FileSink(opened, person))
        if not before:
            logging.getLogger().addHandler(bridge)
            stack.callback(logging.getLogger().removeHandler, bridge)
        _TEE.sinks = tuple(sinks)
        try:
            yield
        finally:
            _TEE.sinks = before


def _close(stream: TextIO) -> None:
    with suppress(OSError):
        stream.close()


def _opened(log_file: Path) -> TextIO:
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        return log_file.open("a", encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(
            f"The log {log_file} cannot be written: {error.strerror or error}.",
            "Make its folder writable or name another one with --output.",
        ) from error


_Event: TypeAlias = MutableMapping[str, Any]
"""structlog's own type of an event under way, hence `Any`."""


def _stamp(_logger: object, method: str, event: _Event) -> _Event:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"timestamp": now, "level": "error" if method == "exception" else method, **event}


def _traceback(_logger: object, method: str, event: _Event) -> _Event:
    given = event.pop("exc_info", method == "exception")
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if given is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        # Without local variables: those are where secrets live.
        event["exception"] = "".join(traceback.format_exception(error))
    return event


def _redact(_logger: object, _method: str, event: _Event) -> tuple[tuple[dict[str, Plain]], dict[str, object]]:
    """Stand at the end of the chain: after this nothing is added."""
    return ({_text(key): redacted(value, key) for key, value in event.items()},), {}
