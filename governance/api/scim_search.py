"""Which people a SCIM search is about: the database looks up what it can, the library decides.

A filter is read twice. Here it becomes the widest set of rows that can hold an answer, by index;
then scim2-models says of each of them whether it is one. What no index narrows down is read
person by person, and not at all among more than `MOST_READ` (RFC 7644 §3.4.2, `tooMany`).
"""

from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from scim2_models import Error, ListResponse, SCIMException, SearchRequest
from scim2_models.path import Comparison, FilterNode, FilterVisitor, LogicalExpr, LogicalOperator

from governance.accounts import directory
from governance.api.scim_person import Member, written

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from governance.accounts.models import Person

MOST_A_PAGE: Final = 200
MOST_READ: Final = 10_000
_LONGEST_ID: Final = 18
# No directory is so large; a number beyond it would be one that no database counts to.
_FARTHEST: Final = 1_000_000_000


def found(asked: SearchRequest[Member]) -> ListResponse[Member]:
    """Answer a search with one page. SCIMException when it is about too many."""
    start = min(asked.start_index_0 or 0, _FARTHEST)
    count = min(asked.count if asked.count is not None else MOST_A_PAGE, MOST_A_PAGE)
    people = directory.people()
    if asked.filter is None and asked.sort_by is None:
        total = people.count()
        page = [written(person) for person in people[start : start + count]]
    else:
        matching = _matching(asked, people)
        total = len(matching)
        page = matching[start : start + count]
    answer: ListResponse[Member] = ListResponse[Member](
        total_results=total, start_index=start + 1, items_per_page=len(page), resources=page
    )
    return answer


def _matching(asked: SearchRequest[Member], people: "QuerySet[Person]") -> "list[Any]":
    narrowed = _Narrowing().visit(asked.filter.ast) if asked.filter is not None else None
    rows = list((people.filter(narrowed) if narrowed else people)[: MOST_READ + 1])
    if len(rows) > MOST_READ:
        detail = f"This would read more than {MOST_READ} people; ask by userName or externalId."
        raise SCIMException.from_error(Error(status=400, scim_type="tooMany", detail=detail))
    members = [written(person) for person in rows]
    if asked.filter is not None:
        members = [one for one in members if asked.filter.match(one)]
    return list(asked.sort(members)) if asked.sort_by is not None else members


class _Narrowing(FilterVisitor[Q | None]):
    """The rows outside of which nothing can match; None where the database cannot tell."""

    def visit_comparison(self, node: Comparison) -> Q | None:
        path = node.attr_path
        if node.op != "eq" or path.sub_attr is not None:
            return None
        return _looked_up(path.attr.lower(), node.value)

    def visit_logical_expr(self, node: LogicalExpr) -> Q | None:
        known = [self.visit(term) for term in node.terms]
        if node.op == LogicalOperator.or_:
            return None if None in known else reduce(or_, [one for one in known if one is not None])
        parts = [one for one in known if one is not None]
        return reduce(and_, parts) if parts else None

    def visit_not(self, node: FilterNode) -> None:
        del node

    visit_present = visit_not
    visit_value_path = visit_not


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _looked_up(name: str, value: object) -> Q | None:
    if not isinstance(value, str):
        return None
    if "\0" in value or not _is_text(value):  # Written as an escape, past the parser's eyes.
        return Q(pk__in=())
    if name == "id":
        is_number = value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID
        return Q(pk=int(value)) if is_number else Q(pk__in=())
    if name == "externalid":
        return Q(external_id=value)
    # Databases fold other letters than the library does.
    return directory.named(value) if name == "username" and value.isascii() else None
