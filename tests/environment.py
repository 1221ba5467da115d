"""The environment that tests run in: their own database server, folder and settings, whatever `.env` says. Loaded before Django."""

import os
from pathlib import Path

NAME = os.environ.get("SHOP_TEST_VAR", "test")
VAR_DIR = Path(__file__).resolve().parent.parent / "var" / NAME

os.environ.update(
    SHOP_IGNORE_DOTENV="1",
    DEBUG="true",
    SECRET_KEY="only-for-tests",
    VAR_DIR=str(VAR_DIR),
    SIGN_UP="true",
    SELF_SERVICE_DEPOSITS="true",
    LOG_FORMAT="text",
    LOG_LEVEL="WARNING",
)
for name in list(os.environ):
    if name in {"TRANSPORT", "BILLING_MODE", "SERVICES", "KAFKA_BOOTSTRAP_SERVERS"} or name.endswith("DATABASE_URL"):
        del os.environ[name]
