"""Marks by which a register recognises a value again without holding it.

Promise: a mark is an HMAC under a key of the register's own, which lies in the key store alone; who
has the rows and not the key can neither read a value from a mark nor try values out.
"""

import hmac
from collections.abc import Iterable
from typing import Final

from governance.vault import keyring
from governance.vault.binding import bind
from governance.vault.errors import KeyShreddedError
from governance.vault.keyring import Place
from governance.vault.models import KeyKind

_KIND: Final = "register"


def marks(register: str, values: Iterable[str], *, is_new: bool = False) -> dict[str, str]:
    """Return the mark of each value. Only what is to be entered (`is_new`) makes a missing key.

    KeyShreddedError when the key is gone: a new one would know nothing that was entered.
    """
    if is_new:
        scope = keyring.object_scope(kind=_KIND, ref=register)
        secret = keyring.obtain(Place(KeyKind.OBJECT, owner="", scope=scope)).secret
    else:
        key = keyring.find_object(kind=_KIND, ref=register)
        if key is None:
            raise KeyShreddedError("The key of this register is gone.")
        secret = key.secret
    return {
        value: hmac.digest(secret, bind("remit register v1", register, value), "sha256").hex()
        for value in values
    }
