"""What a verification demands of liveness, and whether the probe is who was live."""

from __future__ import annotations

from typing import Final

from model.types import Array
from service.core.core import Core
from service.core.errors import MissingLiveness, WrongLiveness
from service.core.liveness.person import STRICT_FMR, threshold
from service.core.liveness.tickets import Holder, Tickets, Token

MISMATCH: Final = "the face is not the one that was live"


class Proof:
    """A token that was opened for a verification, which it counts for when it is used."""

    def __init__(self, tickets: Tickets, token: Token) -> None:
        self._tickets, self._token = tickets, token

    def use(self, core: Core) -> None:
        """Uses the token up, whatever comes of the verification.

        Args:
            core: By the model that the identity is verified by.

        Raises:
            WrongLiveness: If another model saw who was live.
            LivenessUsed
        """
        self._check_model(core)
        self._tickets.spend(self._token)

    def is_of(self, core: Core, embedding: Array) -> bool:
        """Whether a probe's embedding (D,) is of the person who was live.

        Raises:
            WrongLiveness: As `use`: during a stream the model may be changed.
        """
        self._check_model(core)
        score = float(core.model.score(embedding, self._token.embedding[None])[0])
        return score > threshold(core.model.manifest, STRICT_FMR)

    def _check_model(self, core: Core) -> None:
        if self._token.fingerprint != core.fingerprint:
            raise WrongLiveness("the model was changed since; show again that you are there")


def proof_of(
    tickets: Tickets, holder: Holder, identity: str, text: str | None, *, required: bool
) -> Proof | None:
    """The proof that was given; None if there is none, and none is required.

    Args:
        text: The token.

    Raises:
        MissingLiveness, WrongLiveness, LivenessExpired
    """
    if text is None:
        if required:
            raise MissingLiveness(
                "a liveness_token is demanded: that of a liveness session which was passed"
            )
        return None
    return Proof(tickets, tickets.open(text, holder, identity))
