"""What every view of the API shares: who asks, strict bodies and queries, the entry's header."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated

from governance.web.doors import Visitor

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

PAGE_DEFAULT: Final = 50
PAGE_MOST: Final = 100
R = TypeVar("R", bound="HttpResponseBase")


class HasHeader(Protocol):
    """A log entry, as far as an answer needs it."""

    @property
    def header(self) -> str: ...


class Strict(serializers.Serializer[Any]):
    """A serializer that refuses what it does not know, in bodies and in query strings alike."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:  # noqa: ANN401 - DRF's signature.
        known = {name for name, field in self.fields.items() if not field.read_only}
        if isinstance(data, Mapping) and (strangers := sorted(set(data) - known)):
            message = serializers.ErrorDetail("This is not known here.", code="unknown")
            raise serializers.ValidationError({name: [message] for name in strangers})
        cleaned: dict[str, Any] = super().to_internal_value(data)
        return cleaned


class PageQuery(Strict):
    """The parameters of every list: at most a hundred lines a page."""

    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MOST, default=PAGE_DEFAULT)


def query_of(request: "Request", serializer: type[Strict]) -> dict[str, Any]:
    """Return the validated query string; an unknown or repeated parameter is 400."""
    given = request.query_params
    fields = serializer().fields
    for name in given:
        single = not isinstance(
            fields.get(name), serializers.ListField | serializers.MultipleChoiceField
        )
        if single and len(given.getlist(name)) > 1:
            raise serializers.ValidationError({name: ["This stands twice."]})
    asked = serializer(data=given)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def body_of(request: "Request", serializer: type[Strict]) -> dict[str, Any]:
    """Return the validated body; an unknown member is 400."""
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def visitor(request: "Request") -> Visitor:
    """Return the person who asks. Views behind ByMatrix have one unless the action is public."""
    if not isinstance(request.user, Visitor):
        raise NotAuthenticated
    return request.user


def audited(response: R, entry: HasHeader) -> R:
    """Tell the caller which entry records the act: they can prove it later."""
    response.headers["Audit-Entry"] = entry.header
    return response
