"""What happens around every management command: the embedded PostgreSQL is there when it is meant to be, errors are one line."""

import os
import sys

from django.conf import settings
from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError

from kafka_shop.errors import is_own
from kafka_shop.local.variants import demo_environment

WITHOUT_DATABASE = {"check", "demo", "doctor", "run_broker"}  # the demo and the doctor join by themselves, and say so


class ShopCommands(ManagementUtility):
    """Django's command line, where a command that needs a database finds the embedded one running."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)  # an unknown one ends here, with the nearest name
        if needs_database(subcommand, self.argv):
            join_embedded_postgres()
        return command


def execute(argv: list[str]) -> int:
    """Runs a command line and returns its exit code. An error is one line on stderr; `--traceback` shows all of it."""
    if argv[1:2] == ["demo"]:
        os.environ.update(demo_environment(argv[2:]))
    try:
        ShopCommands(argv).execute()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if "--traceback" in argv:
            raise
        sys.stderr.write(f"{explain(error)}\n")
        return 1
    return 0


def needs_database(subcommand: str, argv: list[str]) -> bool:
    """Tells whether this command line is more than a question about a command."""
    return subcommand not in WITHOUT_DATABASE and argv[1] != "help" and not {"-h", "--help"} & set(argv)


def join_embedded_postgres() -> None:
    """Uses the embedded PostgreSQL until this process ends, unless other databases are named. Raises PostgresFailed."""
    if settings.EMBEDDED_DATABASES:
        from kafka_shop.local import postgres  # here, because production does not install what it needs

        postgres.join(settings.VAR_DIR / "postgres", settings.EMBEDDED_DATABASES)


def explain(error: Exception) -> str:
    """An error in one line, with its remedy where it has a usual one."""
    reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if isinstance(error, OperationalError):
        return f"Error: the database cannot be reached ({reason}). Start it, or see DATABASE_URL."
    if isinstance(error, ProgrammingError) and "does not exist" in reason:
        return f"Error: the database is not migrated ({reason}). Run `python manage.py migrate_all`."
    if is_own(type(error).__module__):
        return f"Error: {reason}"
    return f"Error: {type(error).__name__}: {reason} (--traceback tells more)"
