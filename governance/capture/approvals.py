"""Which purposes a reader may read for: told by whoever approves requests, a floor above.

The gate may not import the releases floor, so that floor hands in one function at start. Until it
does, nobody has an approval.
"""

from collections.abc import Callable, Collection

Lookup = Callable[[str], Collection[str]]


def _nobody(_: str) -> Collection[str]:
    return ()


_lookup: Lookup = _nobody


def use(lookup: Lookup) -> None:
    """Install the function that maps a reader's subject key to the purposes approved for them."""
    global _lookup  # noqa: PLW0603 - one wiring point, set once in AppConfig.ready().
    _lookup = lookup


def approved_purposes(reader: str) -> Collection[str]:
    """Return the registered purposes for which this reader has an open, twice approved request."""
    return _lookup(reader)
