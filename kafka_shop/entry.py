"""What happens before any management command: the embedded PostgreSQL is there when it is meant to be."""

from django.core.management import execute_from_command_line


def execute(argv: list[str]) -> int:
    """Runs a command line and returns its exit code."""
    from django.conf import settings

    if settings.EMBEDDED_POSTGRES:
        from kafka_shop.local import postgres

        postgres.join(settings.VAR_DIR / "postgres")
    execute_from_command_line(argv)
    return 0
