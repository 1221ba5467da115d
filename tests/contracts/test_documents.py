"""The documents that are made from the code: up to date, whole, and no newer than the readers of old ones can bear."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from consumers import asyncapi
from kafka_shop.messaging.events import Event
from tests.contracts.compatibility import breaks

API = Path(__file__).resolve().parents[2] / "docs" / "api"
SAMPLES = Path(__file__).parent / "samples"
kinds = pytest.mark.parametrize("kind", asyncapi.events(), ids=lambda kind: str(kind.type))


def test_the_files_are_what_the_code_says() -> None:
    call_command("documents", check=True, verbosity=0)


def test_nothing_of_the_api_is_left_unsaid() -> None:
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # spectacular has types in part
    assert not GENERATOR_STATS._warn_cache and not GENERATOR_STATS._error_cache


def test_no_value_is_left_to_more_than_one_schema_of_a_choice() -> None:
    """An empty schema takes everything: `oneOf` it and another takes nothing that the other does."""
    document = json.loads((API / "openapi.json").read_text())
    schemas = document["components"]["schemas"]
    assert not [
        (name, field)
        for name, schema in schemas.items()
        for field, kind in schema.get("properties", {}).items()
        if {} in kind.get("oneOf", [])
    ]


def test_every_operation_names_its_refusals_as_problems() -> None:
    document = json.loads((API / "openapi.json").read_text())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert {"400", "406", "500", "503"} <= refusals.keys(), (path, method)
            assert all(list(answer["content"]) == ["application/problem+json"] for answer in refusals.values()), (path, method)


def test_every_example_is_as_its_schema_says() -> None:
    document = json.loads((API / "openapi.json").read_text())
    shown = [(place, media) for place, media in contents(document) if "json" in place[-1]]
    for _, media in shown:
        for example in media.get("examples", {}).values():
            value = example["value"] if "value" in example else document["components"]["examples"][example["$ref"].split("/")[-1]]["value"]
            jsonschema.validate(value, {**media["schema"], "components": document["components"]})
    assert not [place for place, media in shown if "examples" not in media and "cloudevents" not in place[-1] and place[0] != "/api/v1/"]


def contents(document: Any) -> Iterator[tuple[list[str], Any]]:
    """Every body and every answer: its place in the document, and its schema and examples."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for part, found in {"body": operation.get("requestBody", {}), **operation["responses"]}.items():
                yield from (([path, method, part, kind], media) for kind, media in found.get("content", {}).items())


@kinds
def test_a_sample_is_as_its_schema_says(kind: type[Event]) -> None:
    sample = json.loads((SAMPLES / f"{kind.type}.json").read_text())
    headers = json.loads((SAMPLES / f"{kind.type}.headers.json").read_text())
    jsonschema.validate(sample, asyncapi.schema(kind), format_checker=jsonschema.FormatChecker())
    jsonschema.validate(headers, asyncapi.headers(kind))


@kinds
def test_a_version_of_an_event_stays_readable_for_those_who_know_it(kind: type[Event]) -> None:
    published = json.loads((API / "events" / f"{kind.type}.json").read_text())
    assert breaks(published, asyncapi.schema(kind)) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda schema: schema["properties"].pop("amount"), "amount is gone"),
        (lambda schema: schema["required"].remove("currency"), "currency may be missing"),
        (lambda schema: schema["properties"]["amount"].update(type="number"), "amount is no longer string"),
        (lambda schema: schema["properties"]["outcome"]["enum"].append("lost"), "outcome may be lost"),
        (lambda schema: schema["properties"]["settled_at"].update(format="date"), "settled_at is no longer date-time"),
    ],
)
def test_a_change_that_old_readers_cannot_bear_is_found(change: Any, why: str) -> None:
    [kind] = [each for each in asyncapi.events() if each.type == "shop.order.settled.v1"]
    changed = json.loads(json.dumps(asyncapi.schema(kind)))
    change(changed)
    assert why in breaks(asyncapi.schema(kind), changed)


def test_a_new_field_breaks_nobody() -> None:
    [kind] = [each for each in asyncapi.events() if each.type == "shop.order.settled.v1"]
    changed = json.loads(json.dumps(asyncapi.schema(kind)))
    changed["properties"]["channel"] = {"type": "string"}
    changed["required"].append("channel")
    assert breaks(asyncapi.schema(kind), changed) == []


@pytest.mark.django_db
def test_the_documents_are_served_with_pages_for_people() -> None:
    client = Client()
    assert client.get("/docs/events/asyncapi.json").json() == asyncapi.document()
    assert client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()["openapi"].startswith("3.1")
    page = client.get("/docs/events/").content.decode()
    assert all(kind.type in page for kind in asyncapi.events())
    assert client.get("/docs/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/docs/", "/docs/events/", "/docs/problems/"])
def test_a_page_asks_nobody_outside_for_anything(path: str) -> None:
    page = Client().get(path).content.decode()
    assert 'src="http' not in page and 'href="http' not in page and "//cdn" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/docs/", "/docs/events/", "/docs/problems/"])
def test_a_page_keeps_to_the_policy_of_all_pages(path: str) -> None:
    answer = Client().get(path)
    page = answer.content.decode()
    policy = dict(each.split(" ", 1) for each in answer["Content-Security-Policy"].split("; "))
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "font-src")} == {"'self'"}
    assert (policy["default-src"], policy["img-src"], policy["frame-ancestors"]) == ("'none'", "'self' data:", "'none'")
    assert answer["X-Frame-Options"] == "DENY"
    assert "<style" not in page and "style=" not in page and " onclick=" not in page
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


@pytest.mark.django_db
def test_the_reference_finds_all_its_files() -> None:
    page = Client().get("/docs/").content.decode()
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(files) == 5  # two styles, two scripts, a sign
    assert all(finders.find(file.removeprefix("/static/")) for file in files)
