"""ML-DSA-44 verification (FIPS 204, algorithms 3 and 8) in plain Python, about 20 ms a signature.

Pure mode with an empty context, as C2SP tlog-cosignature uses it. Names follow FIPS 204.
"""

from __future__ import annotations

import hashlib

PUBLIC_LENGTH = 1312
SIGNATURE_LENGTH = 2420

_Q = 8380417
_N = 256
_D = 13
_TAU = 39
_GAMMA_1 = 1 << 17
_GAMMA_2 = (_Q - 1) // 88
_BETA = 78
_OMEGA = 80
_ROWS = 4  # k and l are both 4 in this parameter set.
_CHALLENGE = 32
_Z_BYTES = 576
_T1_BYTES = 320

_Poly = list[int]
_ZETAS = [pow(1753, int(f"{number:08b}"[::-1], 2), _Q) for number in range(_N)]
_INVERSE_256 = pow(_N, _Q - 2, _Q)


def _ntt(poly: _Poly) -> _Poly:
    values = list(poly)
    turn, half = 0, _N // 2
    while half:
        for start in range(0, _N, 2 * half):
            turn += 1
            zeta = _ZETAS[turn]
            for at in range(start, start + half):
                step = zeta * values[at + half] % _Q
                values[at + half] = (values[at] - step) % _Q
                values[at] = (values[at] + step) % _Q
        half //= 2
    return values


def _inverse_ntt(poly: _Poly) -> _Poly:
    values = list(poly)
    turn, half = _N, 1
    while half < _N:
        for start in range(0, _N, 2 * half):
            turn -= 1
            zeta = _Q - _ZETAS[turn]
            for at in range(start, start + half):
                low, high = values[at], values[at + half]
                values[at] = (low + high) % _Q
                values[at + half] = zeta * (low - high) % _Q
        half *= 2
    return [value * _INVERSE_256 % _Q for value in values]


def _unpack(data: bytes, width: int) -> _Poly:
    """Read 256 little-endian fields of `width` bits."""
    number = int.from_bytes(data, "little")
    mask = (1 << width) - 1
    return [number >> width * at & mask for at in range(_N)]


def _pack(poly: _Poly, width: int) -> bytes:
    number = 0
    for at, value in enumerate(poly):
        number |= value << width * at
    return number.to_bytes(_N * width // 8, "little")


def _uniform(seed: bytes) -> _Poly:
    """Sample a polynomial of the matrix A by rejection (algorithm 30)."""
    length = 1344
    while True:
        stream = hashlib.shake_128(seed).digest(length)
        found = [
            value
            for at in range(0, length - 2, 3)
            for value in (int.from_bytes(stream[at : at + 3], "little") & 0x7FFFFF,)
            if value < _Q
        ]
        if len(found) >= _N:
            return found[:_N]
        length *= 2


def _ball(seed: bytes) -> _Poly:
    """Sample the challenge: tau coefficients of plus or minus one (algorithm 29)."""
    stream = hashlib.shake_256(seed).digest(1024)
    signs = int.from_bytes(stream[:8], "little")
    challenge = [0] * _N
    at = 8
    for top in range(_N - _TAU, _N):
        while stream[at] > top:
            at += 1
        place = stream[at]
        at += 1
        challenge[top] = challenge[place]
        challenge[place] = _Q - 1 if signs & 1 else 1
        signs >>= 1
    return challenge


def _hints(data: bytes) -> list[_Poly] | None:
    """Read the hint, refusing every second spelling of it (algorithm 21)."""
    polys: list[_Poly] = []
    start = 0
    for row in range(_ROWS):
        end = data[_OMEGA + row]
        places = list(data[start:end])
        if not start <= end <= _OMEGA or places != sorted(set(places)):
            return None
        poly = [0] * _N
        for place in places:
            poly[place] = 1
        polys.append(poly)
        start = end
    return None if any(data[start:_OMEGA]) else polys


def _use_hint(value: int, hint: int) -> int:
    """Return the high part of `value`, corrected by the hint (algorithms 36 and 40)."""
    low = value % (2 * _GAMMA_2)
    if low > _GAMMA_2:
        low -= 2 * _GAMMA_2
    high, low = (0, low - 1) if value - low == _Q - 1 else ((value - low) // (2 * _GAMMA_2), low)
    if not hint:
        return high
    return (high + 1) % 44 if low > 0 else (high - 1) % 44


def _split(signature: bytes) -> tuple[list[_Poly], list[_Poly]] | None:
    """Return z and the hints, or None when they are out of bounds."""
    z = []
    for row in range(_ROWS):
        start = _CHALLENGE + row * _Z_BYTES
        poly = [_GAMMA_1 - field for field in _unpack(signature[start : start + _Z_BYTES], 18)]
        if max(map(abs, poly)) >= _GAMMA_1 - _BETA:
            return None
        z.append(poly)
    hints = _hints(signature[_CHALLENGE + _ROWS * _Z_BYTES :])
    return None if hints is None else (z, hints)


def is_valid(*, public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the signature of `message` under the 1312-byte key `public`."""
    if len(public) != PUBLIC_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    parts = _split(signature)
    if parts is None:
        return False
    z_hat = [_ntt(poly) for poly in parts[0]]
    challenge = _ntt(_ball(signature[:_CHALLENGE]))
    rho = public[:32]
    encoded = b""
    for row in range(_ROWS):
        start = 32 + row * _T1_BYTES
        t1 = [field << _D for field in _unpack(public[start : start + _T1_BYTES], 10)]
        total = [-one * two for one, two in zip(challenge, _ntt(t1))]  # noqa: B905 - Python 3.9.
        for column in range(_ROWS):
            cell = _uniform(rho + bytes((column, row)))
            column_hat = z_hat[column]
            total = [total[at] + cell[at] * column_hat[at] for at in range(_N)]
        approximate = _inverse_ntt([value % _Q for value in total])
        hints = parts[1][row]
        encoded += _pack([_use_hint(approximate[at], hints[at]) for at in range(_N)], 6)
    tr = hashlib.shake_256(public).digest(64)
    mu = hashlib.shake_256(tr + b"\x00\x00" + message).digest(64)
    return hashlib.shake_256(mu + encoded).digest(_CHALLENGE) == signature[:_CHALLENGE]
