"""Pictures without identities that are known to be wrongly named."""

from __future__ import annotations

import numpy as np

from training.data.errors import DataError
from training.pictures import Embedded


def without(embedded: Embedded, names: str) -> Embedded:
    """The pictures of all other identities.

    Args:
        names: Of identities, divided by commas; may be empty.

    Raises:
        DataError: If there is no such identity.
    """
    named = [name.strip() for name in names.split(",") if name.strip()]
    known = set(embedded.identities.tolist())
    for name in named:
        if name not in known:
            raise DataError(f"expected identities to leave out, found none named '{name}'")
    rows = np.flatnonzero(~np.isin(embedded.identities, named))
    return Embedded(
        names=tuple(embedded.names[row] for row in rows),
        identities=embedded.identities[rows],
        embeddings=embedded.embeddings[rows],
        missed=embedded.missed,
    )
