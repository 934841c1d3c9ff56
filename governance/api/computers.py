"""Which computers are enrolled, over HTTP: whose they are only one at a time, told to the person.

Promise: nothing here follows from what a person decided (`governance.accounts.fleet`).
"""

from datetime import UTC
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts import fleet, selectors, services
from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.policies import selectors as policies


class FleetQuery(PageQuery):
    is_behind = serializers.BooleanField(
        default=False, help_text="Only those that do not obey the newest policies yet."
    )
    before = serializers.UUIDField(required=False, help_text="`next`, as given.")


class ComputerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField(help_text="A short name for it that names nobody.")
    platform = serializers.CharField()
    enrolled_on = serializers.DateField()
    last_answer_on = serializers.DateField(
        allow_null=True, help_text="Of an answer only the day is told: the hour is working time."
    )
    is_newest = serializers.BooleanField(
        allow_null=True, help_text="Whether it obeys the newest policies; null: it never answered."
    )


class FleetSerializer(serializers.Serializer[Any]):
    computers = ComputerSerializer(many=True)
    enrolled = serializers.IntegerField()
    newest = serializers.IntegerField(help_text="How many of all obey the newest policies.")
    next = serializers.UUIDField(allow_null=True)


class ComputersView(APIView):
    """The enrolled computers, the newest first, without their people."""

    action_name = "fleet.read"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="computers_list", parameters=[FleetQuery], responses=FleetSerializer
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, FleetQuery)
        epoch, limit = policies.generation(), asked["limit"]
        found = fleet.computers(
            policy_epoch=epoch,
            now_behind=asked["is_behind"],
            before=asked.get("before"),
            limit=limit + 1,
        )
        enrolled, newest = selectors.fleet(policy_epoch=epoch)
        listed = {
            "computers": [_told(each) for each in found[:limit]],
            "enrolled": enrolled,
            "newest": newest,
            "next": found[limit - 1].id if len(found) > limit else None,
        }
        return Response(FleetSerializer(listed).data)


class OwnerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The person's; they read that this was looked up.")
    computer = serializers.CharField(help_text="What the person calls it.")


class OwnerView(APIView):
    """Look up whose computer it is; that stands in the person's list of accesses."""

    action_name = "fleet.name"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="computers_name", request=Strict, responses=OwnerSerializer)
    def post(self, request: Request, device_id: UUID) -> Response:
        body_of(request, Strict)
        owner = fleet.owner_of(device_id=device_id, actor=visitor(request).actor)
        told = OwnerSerializer({"name": owner.name, "computer": owner.label}).data
        return audited(Response(told, headers={"Cache-Control": "no-store"}), owner.entry)


class ComputerView(APIView):
    """One computer that was lost or stolen: nothing is taken from it any more."""

    action_name: ClassVar = {"DELETE": "fleet.end"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="computers_end", request=None, responses={204: None})
    def delete(self, request: Request, device_id: UUID) -> Response:
        ended = services.revoke_device(device_id=device_id, actor=visitor(request).actor)
        answer = Response(status=204)
        entry = ended.revoked_entry
        return answer if entry is None else audited(answer, entry)


def _told(computer: fleet.Computer) -> dict[str, object]:
    seen = computer.last_seen
    return {
        "id": computer.id,
        "number": computer.number,
        "platform": computer.platform,
        "enrolled_on": computer.enrolled_at.astimezone(UTC).date(),
        "last_answer_on": seen.astimezone(UTC).date() if seen else None,
        "is_newest": computer.is_newest,
    }
