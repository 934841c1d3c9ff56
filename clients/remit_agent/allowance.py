"""What this device may still be asked for under the policy's budgets (R26).

Promises: over a metered network nothing is sent, no batch, no question and no heartbeat, unless the
person allowed it on this device and the policy does not forbid it; no more octets leave in a day
(of UTC) than the policy says, repeats included; beyond the day's volume, on a battery that the
policy spares, or above its share of the processor nothing more is captured. What was captured
before waits sealed in the bounded outbox and goes out when it may. Leaves to others: pictures a
minute (`x11.camera`).
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from remit_agent.clock import Clock
from remit_agent.errors import MeteredError
from remit_agent.home import Home
from remit_agent.machine import Machine
from remit_agent.outbox import Outbox
from remit_agent.policy import Budgets, Policy

_SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * _SECOND_NS
# What is asked of the machine and the disk is asked this often, not with every event.
_LOOK_NS: Final = _SECOND_NS
_NETWORK_NS: Final = 5 * _SECOND_NS
# The share of the processor is that of the last half minute, and of no less than ten seconds.
_WINDOW_NS: Final = 30 * _SECOND_NS
_SHORTEST_NS: Final = 10 * _SECOND_NS


@dataclass(slots=True)
class Allowance:
    """Asks the machine, counts, and remembers the answers for a moment."""

    home: Home
    clock: Clock
    machine: Machine = field(default_factory=Machine)
    # Those of the last policy that was followed, before a restart too: its end allows no more.
    budgets: Budgets = field(default_factory=Budgets)
    _room: tuple[int, Policy, bool] | None = None
    _network: tuple[int, bool] | None = None
    _used: deque[tuple[int, float]] = field(default_factory=deque)

    def has_room(self, policy: Policy) -> bool:
        """Whether more may be captured under a policy."""
        now_ns = self.clock.steady()
        if self._room is not None:
            at_ns, judged, answer = self._room
            if judged is policy and 0 <= now_ns - at_ns < _LOOK_NS:
                return answer
        answer = self._has_room(policy.document.budgets, now_ns)
        self._room = (now_ns, policy, answer)
        return answer

    def _has_room(self, budgets: Budgets, now_ns: int) -> bool:
        return (
            self._has_processor(budgets, now_ns)
            and self.home.spent(day=self._day()) < budgets.max_octets_per_day
            and (budgets.on_battery or not self.machine.is_on_battery())
            and Outbox(self.home.outbox).has_room()
        )

    def _has_processor(self, budgets: Budgets, now_ns: int) -> bool:
        if self.machine.cpu_s is None:
            return True
        self._used.append((now_ns, self.machine.cpu_s()))
        while now_ns - self._used[0][0] > _WINDOW_NS and len(self._used) > 1:
            self._used.popleft()
        since_ns, before_s = self._used[0]
        passed_ns = now_ns - since_ns
        if passed_ns < _SHORTEST_NS:
            return True
        share = (self._used[-1][1] - before_s) * _SECOND_NS / passed_ns
        return share * 100 <= budgets.max_cpu_percent

    def captured(self, octets: int) -> None:
        """Count what was sealed today."""
        self.home.spend(octets, day=self._day())
        self._room = None

    def may_send(self, octets: int) -> bool:
        """Whether the day's volume leaves room for so many octets more."""
        sent = self.home.spent(day=self._day(), of="sent")
        return sent + octets <= self.budgets.max_octets_per_day

    def sent(self, octets: int) -> None:
        """Count what went over the network today, answered or not."""
        self.home.spend(octets, day=self._day(), of="sent")

    def check_network(self) -> None:
        """Raise MeteredError where nothing may be sent."""
        if not self.is_metered():
            return
        if not self.home.allows_metered or self.budgets.on_metered == "never":
            raise MeteredError

    def is_metered(self) -> bool:
        """Whether sending costs money here: as the person marked the network, else as it says."""
        marked = self.home.network
        if marked != "auto":
            return marked == "metered"
        now_ns = self.clock.steady()
        if self._network is None or not 0 <= now_ns - self._network[0] < _NETWORK_NS:
            self._network = (now_ns, self.machine.is_metered())
        return self._network[1]

    def _day(self) -> int:
        return self.clock.now_ns() // DAY_NS
