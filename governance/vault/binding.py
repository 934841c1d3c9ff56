"""Unambiguous associated data: what a ciphertext is bound to, each part with its length."""


def bind(label: str, *parts: str | int) -> bytes:
    """Return bytes that no other label and parts can give; a ciphertext opens only with them."""
    found: list[bytes] = []
    for part in (label, *parts):
        encoded = str(part).encode()
        # Every key of the store is bound twice in a rotation: no more calls than it takes.
        found += (len(encoded).to_bytes(4, "big"), encoded)
    return b"".join(found)
