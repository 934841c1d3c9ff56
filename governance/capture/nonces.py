"""Each nonce of a signed request serves once, as long as its signature is good."""

from datetime import datetime

from django.db import IntegrityError, transaction

from governance.capture.models import SeenNonce


def spend(*, key_id: str, nonce: str, expires_at: datetime) -> bool:
    """Note a nonce as used; False when it was used before."""
    try:
        with transaction.atomic():
            SeenNonce.objects.create(key_id=key_id, nonce=nonce, expires_at=expires_at)
    except IntegrityError:
        return False
    return True
