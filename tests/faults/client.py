"""A client of a service with keys, and small pictures of real faces to send."""

from __future__ import annotations

from functools import cache

import httpx
from PIL import Image

from tests.faces import faces
from tests.pictures import encoded, rgb
from tests.running import Service

PEOPLE = ("obama", "biden", "astronaut")
_FILES = {
    "obama": ("obama.jpg", "obama2.jpg"),
    "biden": ("biden.jpg",),
    "astronaut": ("astronaut.png",),
}
_SMALLEST_PX, _STEP_PX, _SIZES = 340, 20, 8


def client_of(service: Service, key: str | None = None) -> httpx.Client:
    headers = {"X-API-Key": service.key if key is None else key}
    return httpx.Client(base_url=service.url, headers=headers, timeout=60)


@cache
def picture(person: str, number: int = 0) -> bytes:
    """One of many pictures of a person, each of another size, as JPEG."""
    files = _FILES[person]
    side = _SMALLEST_PX + _STEP_PX * (number // len(files) % _SIZES)
    found = Image.fromarray(rgb(faces().read(files[number % len(files)])))
    found.thumbnail((side, side))
    return encoded(found, "JPEG", quality=92)


def enrol(
    client: httpx.Client, identity: str, person: str, *numbers: int, **fields: str
) -> httpx.Response:
    images = [("images", picture(person, number)) for number in numbers or (0,)]
    return client.post("/v1/enroll", data={"identity": identity, **fields}, files=images)


def verify(client: httpx.Client, identity: str, person: str, number: int = 1) -> httpx.Response:
    files = {"image": picture(person, number)}
    return client.post("/v1/verify", data={"identity": identity}, files=files)


def is_verified(client: httpx.Client, identity: str, person: str, number: int = 1) -> bool:
    """Raises httpx.HTTPStatusError if the answer is none."""
    verdict: bool = verify(client, identity, person, number).raise_for_status().json()["verified"]
    return verdict


def reference_ids(client: httpx.Client, identity: str) -> list[str] | None:
    """Those of an identity, oldest first; None if it is not enrolled."""
    answer = client.get(f"/v1/identities/{identity}")
    if answer.status_code == 404:
        return None
    return [item["reference_id"] for item in answer.raise_for_status().json()["items"]]
