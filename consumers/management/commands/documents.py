"""`documents`: writes the OpenAPI and AsyncAPI documents and the JSON Schemas of the events, all made from the code."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from consumers import asyncapi
from kafka_shop.conf import BASE_DIR


class Command(BaseCommand):
    help = "Writes docs/api/: the OpenAPI and AsyncAPI documents and the JSON Schemas of the events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a file is not what the code says")

    def handle(self, *, check: bool, **_: Any) -> None:
        wanted = files(BASE_DIR / "docs" / "api")
        stale = {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}
        if check and stale:
            raise CommandError(f"{', '.join(path.name for path in stale)} differ from the code: run `python manage.py documents`")
        for path, text in stale.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.stdout.write(f"{len(stale)} files written" if stale else "all files are what the code says")


def files(folder: Path) -> dict[Path, str]:
    """Each file and what must be in it."""
    openapi = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # spectacular has types in part
    validate_schema(openapi)  # type: ignore[no-untyped-call]
    documents = {folder / "openapi.json": openapi, folder / "asyncapi.json": asyncapi.document()}
    documents |= {folder / "events" / f"{kind.type}.json": asyncapi.schema(kind) for kind in asyncapi.events()}
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in documents.items()}
