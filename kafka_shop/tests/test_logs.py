"""What a log line says of an exception: where it came from, and nothing that its message quotes."""

import logging
import logging.config

import pytest
import structlog
from django.conf import settings

from kafka_shop.errors import trace
from kafka_shop.logs import logging_config, tell_exception

SECRET = "Alice-Secret-7"


def fail() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise KeyError(SECRET) from error


def caught() -> Exception:
    with pytest.raises(KeyError) as raised:
        fail()
    return raised.value


def test_a_trace_has_the_frames_and_the_kinds_of_an_error_and_of_its_cause() -> None:
    told = trace(caught())
    assert "in fail" in told
    assert told.index("ValueError in kafka_shop.tests.test_logs.fail") < told.index("KeyError in kafka_shop.tests.test_logs.fail")
    assert SECRET not in told


def test_a_cause_that_is_suppressed_is_not_told() -> None:
    error = caught()
    error.__suppress_context__, error.__cause__ = True, None
    assert "ValueError" not in trace(error)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("logger", [logging.getLogger("plain"), structlog.get_logger("shop")])
def test_no_log_line_quotes_an_exception(form: str, logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(logging_config(level="INFO", form=form))
    try:
        try:
            fail()
        except KeyError:
            logger.exception("it failed")
        logger.error("it failed", exc_info=caught())
        logger.error("nothing to tell", exc_info=False)
    finally:
        logging.config.dictConfig(settings.LOGGING)
    written = capsys.readouterr().err
    assert written.count("KeyError in kafka_shop.tests.test_logs.fail") == 2
    assert SECRET not in written


def test_an_entry_without_an_exception_stays_as_it_is() -> None:
    assert tell_exception(None, "info", {"event": "x"}) == {"event": "x"}
