"""The audit log over HTTP: search, its export, one entry, its proof. Looking is itself an entry.

Nothing here names whom an entry is about; the log itself does not tell (audit.selectors).
"""

import base64
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import export, journal, opening, selectors
from audit.actions import Action, Verdict
from audit.export import Form
from governance.accounts.roles import Role
from governance.api.answers import HasHeader, PageQuery, Strict, audited, query_of, visitor
from governance.api.permissions import ByMatrix

_WORD = r"^[a-z0-9_-]{1,64}$"


class FilterQuery(Strict):
    event = serializers.MultipleChoiceField(choices=[a.value for a in Action], required=False)
    verdict = serializers.MultipleChoiceField(choices=[v.value for v in Verdict], required=False)
    purpose = serializers.ListField(child=serializers.RegexField(_WORD), required=False)
    role = serializers.ListField(child=serializers.RegexField(_WORD), required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    q = serializers.CharField(
        max_length=100, required=False, help_text="An entry's id, index or leaf hash."
    )


class SearchQuery(FilterQuery, PageQuery):
    after = serializers.RegexField(r"^[0-9]{1,18}$", required=False, help_text="`next`, as given.")


class ExportQuery(FilterQuery):
    format = serializers.ChoiceField(
        [form.value for form in Form],
        help_text="`csv`; `jsonl`: leaves with their C2SP proofs; `ocsf`: OCSF 1.6 events.",
    )


class EntryLineSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="uuid")
    index = serializers.IntegerField(allow_null=True, help_text="Null until it is sequenced.")
    occurred_at = serializers.DateTimeField()
    event = serializers.CharField()
    verdict = serializers.CharField()
    purpose = serializers.CharField(allow_blank=True, allow_null=True)
    role = serializers.CharField(allow_blank=True, allow_null=True)
    act = serializers.CharField(allow_blank=True, allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    leaf = serializers.SerializerMethodField(help_text="base64 of the leaf hash")

    def get_leaf(self, row: Any) -> str:  # noqa: ANN401 - EntryRow or OpenedEntry.
        return base64.b64encode(row.leaf_hash).decode("ascii")


class FacetSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    count = serializers.IntegerField()
    selected = serializers.BooleanField()


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="UTC")
    count = serializers.IntegerField(source="entries")
    refused = serializers.IntegerField()


class SearchSerializer(serializers.Serializer[Any]):
    entries = EntryLineSerializer(many=True)
    facets = serializers.DictField(child=FacetSerializer(many=True))
    histogram = DaySerializer(many=True)
    total = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)


class EntriesView(APIView):
    """Search the log by what stands in clear."""

    action_name = "log.search"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="audit_search", parameters=[SearchQuery], responses=SearchSerializer
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, SearchQuery)
        entry = _searched(request, asked, act="search")
        page = selectors.search(
            filters=_filters(asked), after=asked.get("after"), limit=asked["limit"]
        )
        facets = {
            name: [{"value": v, "count": n, "selected": s} for v, n, s in values]
            for name, values in page.facets.items()
        }
        answer = {
            "entries": page.entries,
            "facets": facets,
            "histogram": page.histogram,
            "total": page.total,
            "next": page.next,
        }
        return audited(Response(SearchSerializer(answer).data), entry)


class AnyAnswer(BaseContentNegotiation):
    """The query says which form is wanted, not the header `Accept`."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ANN401 - DRF's.
        del request
        return parsers[0]

    def select_renderer(
        self,
        request: Request,
        renderers: Any,  # noqa: ANN401 - DRF's.
        format_suffix: str | None = None,
    ) -> Any:  # noqa: ANN401 - DRF's.
        del request, format_suffix
        return renderers[0], renderers[0].media_type


class ExportView(APIView):
    """All rows of a search as a file: the same rows, in the same order."""

    action_name = "log.search"
    permission_classes = (ByMatrix,)
    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="audit_export",
        parameters=[ExportQuery],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        asked = query_of(request, ExportQuery)
        filters, form = _filters(asked), Form(asked["format"])
        export.require_bounded(filters)
        entry = _searched(request, asked, act="export", form=form)
        response = StreamingHttpResponse(
            export.written(filters=filters, form=form),
            content_type=form.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{form.file_name}"',
                "Cache-Control": "no-store",
            },
        )
        return audited(response, entry)


def _searched(
    request: Request, asked: dict[str, Any], *, act: str, form: Form | None = None
) -> HasHeader:
    """Write down who looks for what, before they see it."""
    private: dict[str, Any] = {"filters": sorted(name for name in asked if name in _named(request))}
    return journal.append_now(
        Action.LOG_SEARCHED,
        actor=visitor(request).actor,
        act=act,
        private=private | ({"format": form.value} if form else {}),
        request_id=visitor(request).request_id,
    )


def _named(request: Request) -> set[str]:
    return set(request.query_params) - {"format"}


def _filters(asked: dict[str, Any]) -> selectors.SearchFilters:
    return selectors.SearchFilters(
        events=frozenset(asked.get("event", ())),
        verdicts=frozenset(asked.get("verdict", ())),
        purposes=frozenset(asked.get("purpose", ())),
        roles=frozenset(asked.get("role", ())),
        since=asked.get("since"),
        until=asked.get("until"),
        text=asked.get("q", ""),
    )


class OpenedEntrySerializer(EntryLineSerializer):
    event = serializers.CharField(source="action")
    details = serializers.DictField(help_text="What this role may know; never whom it concerns.")


class EntryView(APIView):
    """One entry, as far as the role may know it."""

    action_name = "log.open"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="audit_entry", responses=OpenedEntrySerializer)
    def get(self, request: Request, uuid: UUID) -> Response:
        query_of(request, Strict)
        who = visitor(request)
        opened = opening.open_entry(uuid=uuid, viewer=who.actor, request_id=who.request_id)
        return audited(Response(OpenedEntrySerializer(opened.shown).data), opened)


class ProofQuery(Strict):
    disclosures = serializers.ChoiceField(
        ["own"], required=False, help_text="Open what the entry says about the person who asks."
    )


class ProofView(APIView):
    """An entry's proof (C2SP tlog-proof): for anyone, for ever, without us."""

    action_name = "log.prove"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="audit_proof",
        parameters=[ProofQuery],
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponse:
        asked = query_of(request, ProofQuery)
        owner: str | None = None
        if asked.get("disclosures") == "own":
            who = visitor(request)
            # As an employee: an office opens nothing about the person who holds it.
            owner = who.subject if who.role is Role.EMPLOYEE else ""
        proof = selectors.proof(uuid=uuid, owner=owner)
        return HttpResponse(
            proof,
            content_type="text/plain; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{uuid}.tlog-proof"',
                "Cache-Control": "no-store" if owner is not None else "public, no-cache",
            },
        )
