"""Ed25519 verification (RFC 8032 §5.1.7) in plain Python, strict: one signature, one byte form.

Refused beyond the RFC: public keys of small order, under which one signature fits many messages.
Only public values pass through here, so nothing needs constant time.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

KEY_LENGTH = 32
SIGNATURE_LENGTH = 64

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_SQRT_MINUS_1 = pow(2, (_P - 1) // 4, _P)

# Extended coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
_Point = tuple[int, int, int, int]
_NEUTRAL: _Point = (0, 1, 1, 0)


def _add(one: _Point, two: _Point) -> _Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % _P
    b = (one[1] + one[0]) * (two[1] + two[0]) % _P
    c = 2 * one[3] * two[3] * _D % _P
    d = 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(point: _Point) -> _Point:
    a = point[0] * point[0] % _P
    b = point[1] * point[1] % _P
    c = 2 * point[2] * point[2] % _P
    h = a + b
    e = h - (point[0] + point[1]) ** 2 % _P
    g = a - b
    f = c + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _recover_x(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _SQRT_MINUS_1 % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _decode(data: bytes) -> _Point | None:
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = _recover_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % _P)


def _encode(point: _Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(KEY_LENGTH, "little")


def _is_small_order(point: _Point) -> bool:
    eightfold = _double(_double(_double(point)))
    return eightfold[0] % _P == 0 and (eightfold[1] - eightfold[2]) % _P == 0


def _base_point() -> _Point:
    y = 4 * pow(5, _P - 2, _P) % _P
    x = _recover_x(y, 0) or 0
    return x, y, 1, x * y % _P


_BASE = _base_point()


def _two_products(first: tuple[int, _Point], second: tuple[int, _Point]) -> _Point:
    """Return a*A + b*B in one pass of doublings (Shamir's trick)."""
    (a, point_a), (b, point_b) = first, second
    table: list[_Point] = [_NEUTRAL, point_a, point_b, _add(point_a, point_b)]
    total = _NEUTRAL
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        total = _double(total)
        choice = (a >> bit & 1) | (b >> bit & 1) << 1
        if choice:
            total = _add(total, table[choice])
    return total


def is_well_formed(*, public: bytes, signature: bytes) -> bool:
    """Whether key and signature are ones over which this module would compute at all."""
    if len(public) != KEY_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    return int.from_bytes(signature[32:], "little") < _ORDER and _usable(public) is not None


@lru_cache(maxsize=256)
def _usable(public: bytes) -> _Point | None:
    """Return the point of a key in its one spelling and not of small order; a reader has few."""
    point = _decode(public)
    return None if point is None or _is_small_order(point) else point


def is_valid(*, public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the signature of `message` under the 32-byte key `public`."""
    key = _usable(public) if is_well_formed(public=public, signature=signature) else None
    if key is None:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    factor = int.from_bytes(challenge, "little") % _ORDER
    minus_key: _Point = (_P - key[0], key[1], 1, _P - key[3])
    return _encode(_two_products((scalar, _BASE), (factor, minus_key))) == signature[:32]
