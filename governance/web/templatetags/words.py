"""Template words: icons, times in one named zone, labels for keys, seals and small charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import lucide
from django import template
from django.conf import settings
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from governance.accounts import sessions
from governance.web import naming, wording

register = template.Library()
register.simple_tag(naming.longest_alone)

CHART_HEIGHT = 64
BAR_STEP = 14
BAR_WIDTH = 10


@lru_cache(maxsize=512)
def _icon(name: str, size: int) -> SafeString:
    """Return one lucide icon as inline SVG; the names come from templates, never from requests."""
    svg = lucide._render_icon(  # noqa: SLF001  The package's one public door is a Jinja tag.
        name, size, **{"class": "i", "aria-hidden": "true", "focusable": "false"}
    )
    return mark_safe(svg)  # noqa: S308  Made from the wheel's own file and our own literals.


@register.simple_tag
def icon(name: str, size: int = 18) -> SafeString:
    """Print an icon that assistive technology skips; words beside it say what it means."""
    return _icon(name, size)


def _local(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE))


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """Print date and time for people, with the exact UTC time in `datetime`."""
    if value is None:
        return ""
    shown = formats.date_format(_local(value), _("j M Y, H:i"))
    return format_html('<time datetime="{}">{}</time>', _iso(value), shown)


@register.filter
def utc_moment(value: datetime) -> SafeString:
    """Print date and time in UTC, to the second, as the log has it."""
    shown = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return format_html('<time datetime="{}">{}</time>', _iso(value), shown)


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """Print the time of day only; the day stands in a heading above."""
    if value is None:
        return ""
    shown = formats.date_format(_local(value), "H:i")
    return format_html('<time datetime="{}">{}</time>', _iso(value), shown)


@register.filter
def clock_exact(value: datetime) -> SafeString:
    """Print the time of day to the second, for what is watched while it happens."""
    shown = formats.date_format(_local(value), "H:i:s")
    return format_html('<time datetime="{}">{}</time>', _iso(value), shown)


@register.filter
def day(value: datetime | date | None) -> str:
    """Print a day with its month in words."""
    if value is None:
        return ""
    shown = _local(value).date() if isinstance(value, datetime) else value
    return formats.date_format(shown, _("j F Y"))


@register.filter
def short_day(value: date) -> str:
    """Print a day for an axis."""
    return formats.date_format(value, _("j M"))


@register.filter
def day_name(value: date) -> str:
    """Print Today, Yesterday or the day of the week."""
    today = _local(timezone.now()).date()
    distance = (today - value).days
    if distance == 0:
        return _("Today")
    if distance == 1:
        return _("Yesterday")
    return formats.date_format(value, "l")


@register.filter
def ago(value: datetime | None) -> str:
    """Print how long ago, in the largest unit that says something."""
    if value is None:
        return _("never")
    seconds = max(0, int((timezone.now() - value).total_seconds()))
    for size, words in ((86400, _("%d d ago")), (3600, _("%d h ago")), (60, _("%d min ago"))):
        if seconds >= size:
            return words % (seconds // size)
    return _("just now")


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def iso(value: datetime) -> str:
    """Print the exact UTC time."""
    return _iso(value)


@register.simple_tag
def zone() -> str:
    """Name the zone of the page's times, with its present distance from UTC."""
    name = settings.REMIT_DISPLAY_TIME_ZONE
    offset = _local(timezone.now()).strftime("%z")
    return _("Times are %(zone)s time (UTC%(offset)s).") % {
        "zone": name.rsplit("/", 1)[-1].replace("_", " "),
        "offset": f"{offset[:3]}:{offset[3:]}",
    }


@register.filter
def digits(value: object) -> str:
    """Print a number without separators, for attributes and addresses."""
    return str(value)


@register.filter
def get(table: Mapping[object, object], key: object) -> object:
    """Look a key up in a mapping."""
    return table.get(key)


@register.filter
def role(key: object) -> wording.Words:
    """Print a role in words."""
    return wording.words(wording.ROLES, key)


@register.filter
def event(key: object) -> wording.Words:
    """Print an audit action in words."""
    return wording.words(wording.EVENTS, key)


@register.filter
def closed(key: object) -> wording.Words:
    """Print why the log is closed in words."""
    return wording.words(wording.CLOSED, key)


@register.filter
def purpose(key: object) -> wording.Words:
    """Print a purpose that no register knows, such as the gate's own."""
    return wording.words(wording.PURPOSES, key)


@register.filter
def reason(key: object) -> wording.Words:
    """Print a reason of refusal in words."""
    return wording.words(wording.REASONS, key)


@register.filter
def status(key: object) -> wording.Words:
    """Print a consent status in words."""
    return wording.words(wording.STATUSES, key)


@register.filter
def state(key: object) -> wording.Words:
    """Print the state of a policy, a request or a job in words."""
    return wording.words(wording.STATES, key)


@register.filter
def guard(key: object) -> wording.Words:
    """Print what a guard asks for."""
    return wording.words(wording.GUARDS, key)


@register.filter
def assessed(key: object) -> wording.Words:
    """Print where an impact assessment stands."""
    return wording.words(wording.ASSESSMENT_STATES, key)


@register.filter
def level(key: object) -> wording.Words:
    """Print a level of risk, or whom a risk is for."""
    return wording.words(wording.LEVELS, key)


@register.filter
def step(key: object) -> wording.Words:
    """Print what brought a policy into a state in words."""
    return wording.words(wording.STEPS, key)


@register.filter
def part(key: object) -> wording.Words:
    """Print the name of a part of a policy."""
    return wording.words(naming.PARTS, key)


@register.filter
def kind(key: object) -> wording.Words:
    """Print the kind of an application in words."""
    return wording.words(naming.KINDS, key)


@register.filter
def asked(key: object) -> wording.Words:
    """Print a kind of request, its status or a station of an erasure in words."""
    return wording.words(wording.REQUESTS, key)


@register.filter
def others_ask(key: object) -> wording.Words:
    """Print what somebody without an account asks for."""
    return wording.words(wording.OTHERS_ASK, key)


@register.filter
def way(key: object) -> wording.Words:
    """Print by what somebody signed in."""
    return wording.words(wording.WAYS, key)


@register.simple_tag(takes_context=True)
def signed_in_elsewhere(context: template.RequestContext) -> int:
    """Return on how many other computers the person of this page is signed in (R32)."""
    request, visitor = context.get("request"), context.get("visitor")
    key = request.session.session_key if request is not None else None
    return sessions.elsewhere(subject=visitor.subject, session_key=key) if visitor and key else 0


@register.filter
def removed(key: object) -> wording.Words:
    """Print what kind of personal detail was taken out."""
    return wording.words(wording.REMOVED, key)


@register.filter
def act(key: object) -> wording.Words:
    """Print what an entry says was done in words."""
    return wording.words(wording.ACTS, key)


@register.filter
def detail(key: object) -> wording.Words:
    """Print the name of a disclosed value in words."""
    return wording.words(wording.DETAILS, key)


@register.filter
def is_list(value: object) -> bool:
    """Tell whether a disclosed value is a list, to be read as one."""
    return isinstance(value, list | tuple)


@register.filter
def term(key: object) -> wording.Words:
    """Print a term of the Data Privacy Vocabulary in words."""
    return wording.words(wording.TERMS, key)


@register.filter
def contact(address: object) -> str:
    """Print how to reach somebody as people write it."""
    return str(address).removeprefix("mailto:").removeprefix("tel:")


@register.filter
def version_number(reference: object) -> str:
    """Print the number of a version such as "freight-desk@1"."""
    return str(reference).rpartition("@")[2]


@register.filter
def category(key: object) -> wording.Words:
    """Print a data category in words."""
    return naming.category(key)


@register.filter
def duty(value: object, kind: str) -> wording.Words:
    """Print what a law asks for of a kind of duty."""
    return naming.DUTIES.get(f"{kind}-{value}", str(value))


@register.filter
def basis(key: object) -> wording.Words:
    """Print a lawful basis in words."""
    return naming.BASES.get(str(key), str(key))


@register.filter
def span(text: object) -> str:
    """Print a span of ISO 8601 in words."""
    return naming.span(text)


@register.filter
def place(code: object) -> str:
    """Print a place with its code."""
    return naming.place(code)


@register.simple_tag
def category_icon(key: object, size: int = 20) -> SafeString:
    """Print the icon of a data category."""
    return _icon(wording.CATEGORY_ICONS.get(str(key), "circle"), size)


@register.inclusion_tag("web/seal.html")
def seal(index: int | None, state: str = "recorded") -> dict[str, object]:
    """Print an entry's place in the log; green only after a check, never before."""
    return {"index": index, "state": state}


@register.inclusion_tag("web/preferences.html", takes_context=True)
def preferences(context: template.RequestContext) -> dict[str, object]:
    """Print the choice of language and theme."""
    request = context["request"]
    return {
        "languages": context["languages"],
        "themes": context["themes"],
        "theme": context["theme"],
        "here": request.get_full_path() if request.method == "GET" else request.path,
        "csrf_token": context.get("csrf_token"),
    }


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a chart: everything, and the part that was refused."""

    day: date
    count: int
    refused: int = 0


@register.simple_tag
def bars(days: Sequence[Bar], title: str) -> SafeString:
    """Print a bar chart with classes only, so that the strict CSP and dark mode both hold."""
    most = max((bar.count for bar in days), default=0) or 1
    width = max(len(days) * BAR_STEP, BAR_STEP)
    floor = CHART_HEIGHT - 2
    parts: list[tuple[int, int, int, int, str]] = []
    for position, bar in enumerate(days):
        x = position * BAR_STEP + (BAR_STEP - BAR_WIDTH) // 2
        # A bar of height zero with a stroke still paints, so it is left out.
        if bar.count:
            height = max(2, round(bar.count / most * (CHART_HEIGHT - 6)))
            parts.append((x, floor - height, BAR_WIDTH, height, "bar"))
        if bar.refused:
            height = max(4, round(bar.refused / most * (CHART_HEIGHT - 6)))
            parts.append((x, floor - height, BAR_WIDTH, height, "bar-refused"))
    drawn = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>', _as_text(parts)
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="none">'
        '<line x1="0" x2="{}" y1="{}" y2="{}" class="ax"/>{}</svg>',
        str(width), str(CHART_HEIGHT), title, str(width), str(floor + 1), str(floor + 1), drawn,
    )  # fmt: skip


def _as_text(parts: Sequence[tuple[int, int, int, int, str]]) -> list[tuple[str, ...]]:
    """Numbers in SVG attributes must not be localised."""
    return [tuple(str(part) for part in row) for row in parts]
