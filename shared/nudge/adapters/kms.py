"""A KMS HMAC key as the port `Signer`. The key never leaves KMS."""

from __future__ import annotations

import hashlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import Unavailable

ALGORITHM = "HMAC_SHA_256"


class KmsSigner:
    """Signs the SHA-256 of a message (KMS takes at most 4,096 bytes)."""

    def __init__(self, kms: Any, key_id: str) -> None:
        self._kms = kms
        self._key = key_id

    def sign(self, message: bytes) -> bytes:
        try:
            made = self._kms.generate_mac(KeyId=self._key, MacAlgorithm=ALGORITHM, Message=_digest(message))
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"KMS did not sign ({type(error).__name__})") from error
        return bytes(made["Mac"])

    def verify(self, message: bytes, mac: bytes) -> bool:
        try:
            answer = self._kms.verify_mac(KeyId=self._key, MacAlgorithm=ALGORITHM, Message=_digest(message), Mac=mac)
        except ClientError as error:
            if code(error) in ("KMSInvalidMacException", "ValidationException"):
                return False
            raise Unavailable(f"KMS did not verify ({code(error)})") from error
        except BotoCoreError as error:
            raise Unavailable(f"KMS did not verify ({type(error).__name__})") from error
        return bool(answer["MacValid"])


def _digest(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()
