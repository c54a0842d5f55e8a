"""Clients that enrol, verify and delete, and remember what they were answered."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.faults.client import PEOPLE, client_of, enrol, reference_ids, verify
from tests.running import Service

_AT_ONCE = 3
_PICTURES = 6
"""Of one person, about; each another, so that none is a duplicate."""


@dataclass
class Person:
    """What a client knows of an identity, and what it asked for without an answer.

    Attributes:
        references: Ids that it was told, minus those whose deletion was answered.
        adding: Pictures of an enrolment that was not answered.
        removing: A reference whose deletion was not answered.
        leaving: Whether the deletion of the identity was not answered.
        gone: Whether it was answered.
    """

    identity: str
    face: str
    references: list[str] = field(default_factory=list)
    pictures: int = 0
    adding: int = 0
    removing: str | None = None
    leaving: bool = False
    gone: bool = False

    def check(self, client: httpx.Client) -> None:
        """Raises AssertionError if the service has lost what it answered, or has a half.

        What was in doubt is in doubt no more.
        """
        found = reference_ids(client, self.identity)
        known = set(self.references)
        if self.gone:
            assert found is None, "it was deleted, and is there"
        elif found is None:
            removed_last = known == {self.removing}
            assert self.leaving or not known or removed_last, "it was enrolled, and is not there"
        else:
            lost = known - set(found)
            assert lost <= {self.removing}, "references are lost"
            assert len(found) - len(known - lost) in (0, self.adding), "half an enrolment is there"
        self.gone = self.gone or found is None
        self.references = found or []
        self.adding, self.removing, self.leaving = 0, None, False

    def check_face(self, client: httpx.Client) -> None:
        """The references can be used, too: raises AssertionError if they are not its own."""
        answer = verify(client, self.identity, self.face)
        if self.gone:
            assert answer.status_code == 404
        else:
            assert answer.json()["verified"], answer.text


@dataclass
class Ledger:
    """What the clients of one load were answered.

    Attributes:
        requests: Ids of the requests that changed something, as the audit log has them.
        refused: Answers that said that nothing was done.
    """

    people: list[Person] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    enrolments: int = 0
    verifications: int = 0
    deletions: int = 0
    refused: int = 0


class Load:
    """Clients at work, each in a thread with people of its own.

    Args:
        refusals: Statuses that may come instead of an answer; all else must succeed.
    """

    def __init__(
        self,
        service: Service,
        *,
        seed: int,
        name: str = "load",
        clients: int = 3,
        refusals: Iterable[int] = (503,),
    ) -> None:
        self.ledger = Ledger()
        self.failures: list[BaseException] = []
        self._service = service
        self._refusals = frozenset(refusals)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(f"{name}-{n}", random.Random(seed + n)))
            for n in range(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> Ledger:
        """Ends when every client has its answer, or is told that none comes."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]
        return self.ledger

    def _guarded(self, name: str, chance: random.Random) -> None:
        try:
            with client_of(self._service) as client:
                _Client(client, name, chance, self).run()
        except httpx.TransportError:
            pass  # the service is gone
        except BaseException as error:
            self.failures.append(error)

    def goes_on(self) -> bool:
        return not self._ended.is_set()

    def is_refused(self, answer: httpx.Response) -> bool:
        if answer.status_code in self._refusals:
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) > 0
            with self._lock:
                self.ledger.refused += 1
            return True
        assert answer.is_success, answer.text
        return False

    def note(self, person: Person | None, answer: httpx.Response | None, **counts: int) -> None:
        with self._lock:
            if person is not None:
                self.ledger.people.append(person)
            if answer is not None:
                self.ledger.requests.append(answer.headers["X-Request-Id"])
            for name, count in counts.items():
                setattr(self.ledger, name, getattr(self.ledger, name) + count)


class _Client:
    def __init__(self, client: httpx.Client, name: str, chance: random.Random, load: Load) -> None:
        self._client, self._name, self._chance, self._load = client, name, chance, load
        self._people: list[Person] = []
        self._made = 0

    def run(self) -> None:
        while self._load.goes_on():
            # Whoever is in doubt after a refusal is left alone.
            known = [one for one in self._people if one.references and not one.leaving]
            person = self._chance.choice(known) if known else None
            match self._chance.random():
                case x if person is None or x < 0.3:
                    self._enrol(self._new())
                case x if x < 0.45 and person.pictures < _PICTURES:
                    self._enrol(person)
                case x if x < 0.55:
                    self._delete(person)
                case x if x < 0.62:
                    self._delete_reference(person)
                case _:
                    self._verify(person)

    def _new(self) -> Person:
        self._made += 1
        person = Person(f"{self._name}-{self._made}", self._chance.choice(PEOPLE))
        self._people.append(person)
        self._load.note(person, None)
        return person

    def _enrol(self, person: Person) -> None:
        count = self._chance.randint(1, _AT_ONCE)
        numbers = range(person.pictures, person.pictures + count)
        person.pictures += count
        person.adding = count
        answer = enrol(self._client, person.identity, person.face, *numbers)
        if self._load.is_refused(answer):
            self._people.remove(person)
            return
        accepted = answer.json()["accepted"]
        assert len(accepted) == count, answer.text
        person.references += [item["reference_id"] for item in accepted]
        person.adding = 0
        self._load.note(None, answer, enrolments=1)

    def _delete(self, person: Person) -> None:
        person.leaving = True
        answer = self._client.delete(f"/v1/identities/{person.identity}")
        self._people.remove(person)
        if not self._load.is_refused(answer):
            person.gone, person.leaving = True, False
            self._load.note(None, answer, deletions=1)

    def _delete_reference(self, person: Person) -> None:
        person.removing = self._chance.choice(person.references)
        path = f"/v1/identities/{person.identity}/references/{person.removing}"
        answer = self._client.delete(path)
        if self._load.is_refused(answer):
            self._people.remove(person)
            return
        person.references.remove(person.removing)
        person.removing = None
        person.gone = not person.references
        self._load.note(None, answer, deletions=1)

    def _verify(self, person: Person) -> None:
        answer = verify(self._client, person.identity, person.face)
        if not self._load.is_refused(answer):
            assert answer.json()["verified"]
            self._load.note(None, None, verifications=1)


@contextmanager
def under_load(service: Service, *, seed: int, name: str = "load") -> Iterator[Load]:
    load = Load(service, seed=seed, name=name)
    load.start()
    try:
        yield load
    finally:
        load.end()


def check_all(client: httpx.Client, people: Sequence[Person], *, faces: bool = True) -> None:
    for person in people:
        person.check(client)
        if faces:
            person.check_face(client)
