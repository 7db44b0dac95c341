"""Logs: JSON lines in production, readable in development; request and job ids on each line; nothing personal."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from tracing.platform.clock import utc_now
from tracing.platform.errors import TracingError
from tracing.platform.settings import Settings

EventDict = MutableMapping[str, Any]

# A key is dropped when one of its words is among these: "display_name", "id_number", "contact_phone" all go.
FORBIDDEN = re.compile(
    r"(?<![a-z])(?:address|authorization|birth|clue|contact|cookie|credential|description|detail|digest|embedding|email"
    r"|filename|kin|mobile|names?|notes?|number|password|payload|phone|photo|plaintext|query|relative|secret|surname"
    r"|text|token|username)s?(?![a-z])"
)
# Libraries that log whole addresses of requests (search words included), every statement, or the relay each second.
QUIET_LOGGERS = (
    "uvicorn.access",
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "sqlalchemy.engine",
    "PIL",
    "celery.beat",
    "celery.worker.strategy",
    "celery.app.trace",
)


def configure(settings: Settings) -> None:
    """Send structlog's and the standard library's records to standard error, in one form."""
    production = settings.production
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_time,
        drop_forbidden,
    ]
    if production:
        shared.append(reduce_exception)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    # Not the default, which prints what every variable of every frame held, and takes seconds for it.
    plain = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if production else plain
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def request_context(request_id: str) -> AbstractContextManager[None]:
    """Put the request's id on every line logged inside."""
    return bound_contextvars(request_id=request_id)


def job_context(job_id: object, kind: str) -> AbstractContextManager[None]:
    """Put the job's id and kind on every line logged inside."""
    return bound_contextvars(job_id=str(job_id), job_kind=kind)


def error_code(error: BaseException) -> str:
    """The error's class and, if it has one, its slug; never its text."""
    name = type(error).__name__
    return f"{name}:{error.slug}" if isinstance(error, TracingError) else name


def drop_forbidden(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop, at any depth, keys that may hold something personal or secret."""
    return {key: _cleaned(value) for key, value in event.items() if not _forbidden(key)}


def reduce_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its class, its slug and its frames: its text may quote what someone typed."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = error_code(error)
        event["frames"] = _frames(error.__traceback__)
    event.pop("exception", None)
    event.pop("stack_info", None)
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    # The source line is left out, as the standard rendering would show it beside the text.
    return [f"{frame.f_globals.get('__name__', '?')}:{line}" for frame, line in traceback.walk_tb(trace)]


def _add_time(_logger: Any, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = utc_now().isoformat(timespec="milliseconds")
    return event


def _forbidden(key: object) -> bool:
    # structlog's own bookkeeping begins with an underscore.
    return not str(key).startswith("_") and FORBIDDEN.search(str(key).lower()) is not None


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items() if not _forbidden(key)}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_cleaned(item) for item in value)
    return value
