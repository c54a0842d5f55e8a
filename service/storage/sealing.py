"""What is stored of a reference, sealed by its identity's key.

With each piece goes what it is and whose: the stored name of the identity, the id of
the reference, and the column. A row that was copied elsewhere does not open there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from model.types import Array
from service.core.secrecy import DataKey

_LITTLE_ENDIAN = np.dtype("<f4")


@dataclass(frozen=True)
class Details:
    """Of a reference, besides its embedding and picture."""

    content_hash: str
    landmarks: Array
    filename: str | None


@dataclass(frozen=True)
class Seal:
    """Seals and opens what belongs to one reference.

    Attributes:
        key: Of the identity.
        identity: Its stored name.
    """

    key: DataKey
    identity: str
    reference_id: str

    def embedding(self, embedding: Array) -> bytes:
        plain = embedding.astype(_LITTLE_ENDIAN).tobytes()
        return self.key.seal(plain, self._about("embedding"))

    def opened_embedding(self, sealed: bytes) -> Array:
        """Shape (D,), float32."""
        plain = self.key.open(sealed, self._about("embedding"))
        return np.frombuffer(plain, dtype=_LITTLE_ENDIAN).astype(np.float32)

    def details(self, details: Details) -> bytes:
        content = {
            "content_hash": details.content_hash,
            "landmarks": details.landmarks.tolist(),
            "filename": details.filename,
        }
        return self.key.seal(json.dumps(content).encode(), self._about("details"))

    def opened_details(self, sealed: bytes) -> Details:
        content = json.loads(self.key.open(sealed, self._about("details")))
        landmarks = np.array(content["landmarks"], dtype=np.float32)
        return Details(content["content_hash"], landmarks, content["filename"])

    def image(self, data: bytes) -> bytes:
        return self.key.seal(data, self._about("image"))

    def opened_image(self, sealed: bytes) -> bytes:
        return self.key.open(sealed, self._about("image"))

    def _about(self, column: str) -> bytes:
        return "\0".join((self.identity, self.reference_id, column)).encode()


def image_digest(key: DataKey, content_hash: str) -> str:
    """What tells an identity's images apart in the database, and nothing to others."""
    return key.digest(content_hash.encode())
