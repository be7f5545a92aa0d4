"""Sealed records: AES-256-GCM (NIST SP 800-38D), with keys derived by HKDF (RFC 5869)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from symphony.domain.vaults.keys import KEY_BYTES, Tampered

_VERSION = b"\x01"  # of the record's format; the first byte of each record
_NONCE_BYTES = 12  # random: a subkey of one vault seals far fewer than 2^32 records


class AesGcmSealing:
    """Sealed records of the form: version | nonce | ciphertext and tag.

    The associated data is a list of parts, each after its length, so two different lists never
    have the same bytes.
    """

    def subkey(self, key: bytes, purpose: str) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, None, f"symphony vault {purpose}".encode()).derive(key)

    def seal(self, key: bytes, content: bytes, purpose: str, *associated_data: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return (
            _VERSION
            + nonce
            + AESGCM(key).encrypt(nonce, content, _joined(purpose, associated_data))
        )

    def open(self, key: bytes, sealed: bytes, purpose: str, *associated_data: bytes) -> bytes:
        """Raises: Tampered."""
        version, nonce, content = (
            sealed[:1],
            sealed[1 : 1 + _NONCE_BYTES],
            sealed[1 + _NONCE_BYTES :],
        )
        if version != _VERSION or len(nonce) != _NONCE_BYTES:
            raise Tampered
        try:
            return AESGCM(key).decrypt(nonce, content, _joined(purpose, associated_data))
        except InvalidTag:
            raise Tampered from None


def _joined(purpose: str, associated_data: tuple[bytes, ...]) -> bytes:
    parts = (_VERSION, purpose.encode(), *associated_data)
    return b"".join(len(part).to_bytes(4) + part for part in parts)
