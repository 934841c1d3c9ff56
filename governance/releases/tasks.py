"""The queue's way in: the handlers of this app register when these modules are imported."""

from governance.releases import building, recalls

__all__ = ["building", "recalls"]
