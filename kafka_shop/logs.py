"""Structured logs: key and value for people on a terminal, JSON for machines. Payloads and personal data stay out of them."""

import sys
from typing import Any

import structlog

from kafka_shop.errors import trace

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """The LOGGING dict for `form` text or json; also points structlog at the standard library's handlers."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "shop": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, tell_exception, last],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "shop"}},
        "loggers": {"django.request": {"level": "CRITICAL"}},  # django_structlog says it all once, with the request's id
        "root": {"handlers": ["stderr"], "level": level},
    }


def tell_exception(logger: object, method: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: puts an exception's trace in the entry without its message, which may quote data."""
    told = entry.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else told if isinstance(told, BaseException) else sys.exc_info()[1] if told else None
    return entry | {"exception": trace(error)} if error else entry
