"""What a capture policy may ask of a person's machine and network (R26). Pure.

Promise: a device that follows several policies is asked for no more than the strictest of them
allows; nothing is ever sent over a metered network that its person did not allow, whatever an
author writes; no budget can be so large that it is none, or so small that it is a stop.
Leaves to others: telling the device (`document`), counting what came in (capture.intake).
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

MEGABYTE: Final = 1 << 20
_FALSE_BEFORE_TRUE: Final = ("never", "if-allowed")


class Budgets(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The limits of one policy version; what its author leaves out has these values.

    `on_metered` is `if-allowed` when the person alone decides on their device, `never` when nobody
    does. `offline_hours` is how long a device that cannot reach the service may go on.
    """

    megabytes_per_day: Annotated[int, Meta(ge=1, le=1024)] = 200
    screens_per_minute: Annotated[int, Meta(ge=0, le=12)] = 6
    cpu_percent: Annotated[int, Meta(ge=1, le=10)] = 5
    on_battery: bool = True
    on_metered: Literal["never", "if-allowed"] = "if-allowed"
    offline_hours: Annotated[int, Meta(ge=0, le=24)] = 0

    @property
    def octets_per_day(self) -> int:
        """The day's volume in octets."""
        return self.megabytes_per_day * MEGABYTE

    def is_within(self, other: "Budgets") -> bool:
        """Return whether this asks for no more than another in any respect."""
        return strictest([self, other]) == self


DEFAULT: Final = Budgets()


def strictest(several: Iterable[Budgets]) -> Budgets:
    """Return the least of each limit; the default where there is no policy."""
    each = list(several) or [DEFAULT]
    return Budgets(
        megabytes_per_day=min(one.megabytes_per_day for one in each),
        screens_per_minute=min(one.screens_per_minute for one in each),
        cpu_percent=min(one.cpu_percent for one in each),
        on_battery=all(one.on_battery for one in each),
        on_metered=min((one.on_metered for one in each), key=_FALSE_BEFORE_TRUE.index),
        offline_hours=min(one.offline_hours for one in each),
    )


def told(budgets: Budgets) -> dict[str, object]:
    """Return the budgets as JSON values, for scopes."""
    plain: dict[str, object] = msgspec.to_builtins(budgets)
    return plain
