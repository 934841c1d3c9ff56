"""Unambiguous associated data: what a ciphertext is bound to, each part with its length."""


def bind(label: str, *parts: str | int) -> bytes:
    """Return bytes that no other label and parts can give; a ciphertext opens only with them."""
    encoded = [label.encode(), *[str(part).encode() for part in parts]]
    return b"".join([len(part).to_bytes(4, "big") + part for part in encoded])
