"""CSV of what a list shows, of any length: written in chunks, each read by a statement of its own; no memory grows."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV
from import_export.resources import ModelResource, modelresource_factory
from unfold.contrib.import_export.forms import SelectableFieldsExportForm

from kafka_shop.staff.base import ReadOnly
from kafka_shop.users.models import User

CHUNK = 2000  # rows


class Chunk(ModelResource):  # type: ignore[misc]  # the package ships no types
    def iter_queryset(self, rows: list[Model]) -> Iterator[Model]:
        return iter(rows)


class Exported(ExportMixin, ReadOnly):  # type: ignore[misc]  # the same
    """A list that may be taken away as CSV, as it is filtered, by who has the permission for it. Each time is noted in the admin's log."""

    export_form_class = SelectableFieldsExportForm
    export_formats = [CSV]
    export_fields: tuple[str, ...] = ()

    def get_resource_classes(self, request: HttpRequest) -> list[type[ModelResource]]:
        return [modelresource_factory(self.model, Chunk, {"fields": self.export_fields, "name": str(self.opts.verbose_name_plural)})]

    def _do_file_export(self, file_format: CSV, request: HttpRequest, queryset: QuerySet[Model], export_form: Any = None) -> Any:
        """Instead of import-export's own, which makes the whole file in memory."""
        resource = self.choose_export_resource_class(export_form, request)()
        columns = self.get_export_resource_fields_from_form(export_form)
        about = f"Exported {self.opts.verbose_name_plural}: {request.GET.urlencode() or 'all'}"
        kind = ContentType.objects.get_for_model(self.model)
        LogEntry.objects.create(
            user=cast(User, request.user), content_type=kind, object_repr=about[:200], action_flag=CHANGE, change_message=about
        )
        parts = (resource.export(queryset=rows, export_fields=columns) for rows in chunks(queryset.order_by("-pk")))
        name = self.get_export_filename(request, queryset, file_format)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(written(parts), content_type=file_format.get_content_type(), headers=headers)


def chunks(queryset: QuerySet[Model]) -> Iterator[list[Model]]:
    """All rows, newest first: each chunk begins where the one before ended. There is one at least, if need be an empty one."""
    rows = list(queryset[:CHUNK])
    yield rows
    while len(rows) == CHUNK:
        rows = list(queryset.filter(pk__lt=rows[-1].pk)[:CHUNK])
        yield rows


def written(parts: Iterator[Any]) -> Iterator[str]:
    """The CSV of tables that continue one another, with one line of names."""
    for number, part in enumerate(parts):
        part.headers = part.headers if number == 0 else None
        if number == 0 or part.height:
            yield CSV().export_data(part)
