"""The client that waits for answers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx

from semblance_client import calls, models
from semblance_client.batches import SIZE, EnrolItem, VerifyItem, counted_from, in_parts
from semblance_client.errors import Unreachable, error_of
from semblance_client.operations import Call
from semblance_client.options import (
    CompareOptions,
    EnrolOptions,
    IdentifyOptions,
    SiteSessionOptions,
    VerifyOptions,
)
from semblance_client.pictures import Picture
from semblance_client.retries import Retries
from semblance_client.settings import DEFAULT_TIMEOUT_S, address, headers

Answer = TypeVar("Answer")


class Client:
    """Calls one service with one key; for several threads at once.

    Every method raises `Problem` if the service says no, and `Unreachable` or
    `UnexpectedAnswer` if it could not be asked.

    Args:
        url: Such as "https://face.example.org"; without it SEMBLANCE_URL, or this machine.
        key: Without it SEMBLANCE_KEY.
        retries: How patient it is.
        transport: Instead of the network, as httpx has it.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.retries = retries or Retries()
        self._http = httpx.Client(
            base_url=address(url), headers=headers(key), timeout=timeout_s, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def enroll(
        self, identity: str, images: Sequence[Picture], **options: Unpack[EnrolOptions]
    ) -> models.Enrolment:
        """Enrols 1 to 20 pictures of one person; each is judged by itself.

        The same picture again is stored once, so a lost answer is asked for again.
        """
        return self._ask(calls.enroll(identity, images, **options))

    def verify(
        self, identity: str, image: Picture, **options: Unpack[VerifyOptions]
    ) -> models.Verification:
        """Is the face in the picture the one that enrolled? No match is no problem."""
        return self._ask(calls.verify(identity, image, **options))

    def compare(
        self, image_a: Picture, image_b: Picture, **options: Unpack[CompareOptions]
    ) -> models.Comparison:
        """Do two pictures show one person? Nothing is stored."""
        return self._ask(calls.compare(image_a, image_b, **options))

    def detect(self, image: Picture) -> models.Detection:
        """All faces of a picture, the largest first."""
        return self._ask(calls.detect(image))

    def identify(self, image: Picture, **options: Unpack[IdentifyOptions]) -> models.Identification:
        """Who of all that are enrolled is it? Nobody is no problem."""
        return self._ask(calls.identify(image, **options))

    def embeddings(
        self, image: Picture, faces: models.FaceChoice | None = None
    ) -> models.Embeddings:
        """The embedding of one face; takes a key of the scope `embeddings`."""
        return self._ask(calls.embeddings(image, faces))

    def verify_batch(
        self, items: Iterable[VerifyItem], size: int = SIZE
    ) -> Iterator[models.VerifiedItem]:
        """Many verifications, so many in a request; one that fails spoils no other."""
        for first, part in in_parts(items, size):
            answers = self._ask(calls.verify_batch(part))
            yield from counted_from(first, answers)

    def enroll_batch(
        self, items: Iterable[EnrolItem], size: int = SIZE
    ) -> Iterator[models.EnrolledItem]:
        """Many enrolments, likewise; an identity may come several times."""
        for first, part in in_parts(items, size):
            answers = self._ask(calls.enroll_batch(part))
            yield from counted_from(first, answers)

    def list_identities(self, cursor: str | None = None, limit: int = 100) -> models.IdentityPage:
        """A page of identities in order of name; `identities` goes through all."""
        return self._ask(calls.list_identities(cursor, limit))

    def get_identity(self, identity: str) -> models.IdentityDetail:
        """One identity with its references, and how well each agrees with the others."""
        return self._ask(calls.get_identity(identity))

    def rename_identity(self, identity: str, to: str) -> models.IdentityDetail:
        """Gives an identity another name; all else stays."""
        return self._ask(calls.rename_identity(identity, to))

    def merge_identity(self, identity: str, into: str) -> models.IdentityDetail:
        """Moves all references of an identity to another one, and erases it."""
        return self._ask(calls.merge_identity(identity, into))

    def unlock_identity(self, identity: str) -> None:
        """Forgets its verifications in vain; takes a key of the scope `admin`."""
        self._ask(calls.unlock_identity(identity))

    def delete_identity(self, identity: str) -> models.Deleted:
        """Erases an identity with all its bytes."""
        return self._ask(calls.delete_identity(identity))

    def delete_reference(self, identity: str, reference_id: str) -> None:
        """Erases one reference; with its last one the identity goes, too."""
        self._ask(calls.delete_reference(identity, reference_id))

    def get_image(self, identity: str, reference_id: str, size: int | None = None) -> bytes:
        """A JPEG of the face, no side longer than `size`; without it the stored picture."""
        return self._ask(calls.get_image(identity, reference_id, size))

    def begin_liveness(self, identity: str) -> models.LivenessSession:
        """A session in which a person shows to be there, before a verification."""
        return self._ask(calls.begin_liveness(identity))

    def begin_site_session(
        self, identity: str, audience: str, origin: str, **options: Unpack[SiteSessionOptions]
    ) -> models.SiteSession:
        """A session with which a page of another site verifies one identity without a key."""
        return self._ask(calls.begin_site_session(identity, audience, origin, **options))

    def get_keys(self) -> models.KeySet:
        """The public keys that signed results are checked with."""
        return self._ask(calls.get_keys())

    def get_model(self) -> models.FaceModel:
        """The model in use, its measured error rates, and the thresholds in force."""
        return self._ask(calls.get_model())

    def metrics(self) -> str:
        """Numbers for Prometheus, in its text form; takes a key of the scope `admin`."""
        return self._ask(calls.metrics())

    def healthz(self) -> models.Health:
        """The process answers."""
        return self._ask(calls.healthz())

    def readyz(self) -> models.Health:
        """The model and the store are ready."""
        return self._ask(calls.readyz())

    def identities(self) -> Iterator[models.Identity]:
        """All identities in order of name, page by page."""
        cursor: str | None = None
        while True:
            page = self.list_identities(cursor, limit=1000)
            yield from page.identities
            cursor = page.next_cursor
            if cursor is None:
                return

    def _ask(self, call: Call[Answer]) -> Answer:
        repeat = call.operation.repeat
        for made in itertools.count(1):
            try:
                response = self._http.request(**call.request())
            except httpx.TransportError as error:
                wait_s = self.retries.after_error(repeat, error, made)
                if wait_s is None:
                    raise Unreachable(f"{type(error).__name__}: {error}") from error
            else:
                wait_s = self.retries.after_answer(repeat, response, made)
                if response.is_success:
                    return call.operation.reader(response.content)
                if wait_s is None:
                    raise error_of(response)
            time.sleep(wait_s)
        raise AssertionError
