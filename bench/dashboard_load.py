"""What is asked of a service for `bench.dashboard`: a few minutes of a place's day."""

from __future__ import annotations

import io
import random
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any, Final

import httpx
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from bench.service import Measured
from model.artifact import read_artifact
from model.faces import Detector
from tests.faces import faces
from tests.head_motion import Follower, Head, Photograph, Stance, portrait
from tests.live_client import follow
from tests.running import ROOT

_PEOPLE: Final = {
    "ann": ("obama.jpg", "obama2.jpg", "obama3.jpg"),
    "bob": ("biden.jpg",),
    "eve": ("astronaut.png",),
}
_CALM, _BUSY = 2, 14
_SIDE = (640, 480)


class Load:
    """Callers that come and go, by the share of the time that is over."""

    def __init__(self, service: Measured, seconds: int) -> None:
        self._service, self._seconds = service, seconds
        self._begun = time.monotonic()
        self._pictures = {name: _opened(name) for names in _PEOPLE.values() for name in names}

    def run(self) -> None:
        with self._client() as client:
            for identity, names in _PEOPLE.items():
                files = [("images", _jpeg(self._pictures[name])) for name in names]
                client.post("/v1/enroll", data={"identity": identity}, files=files)
        self._begun = time.monotonic()
        callers = [threading.Thread(target=self._call, args=(n,)) for n in range(_BUSY)]
        callers.append(threading.Thread(target=self._move))
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    def _client(self) -> httpx.Client:
        headers = {"X-API-Key": self._service.key}
        return httpx.Client(base_url=self._service.url, headers=headers, timeout=60)

    @property
    def _share(self) -> float:
        return (time.monotonic() - self._begun) / self._seconds

    def _call(self, number: int) -> None:
        chance = random.Random(number)
        with self._client() as client:
            while (share := self._share) < 1:
                if number >= _CALM and not 0.35 < share < 0.6:
                    time.sleep(0.2)
                    continue
                self._ask(client, chance, dim=share > 0.75)
                time.sleep(chance.expovariate(8))

    def _ask(self, client: httpx.Client, chance: random.Random, *, dim: bool) -> None:
        identity = chance.choice(list(_PEOPLE))
        face = self._pictures[chance.choice(_PEOPLE[identity])]
        kind = chance.random()
        if kind < 0.72:
            _verify(client, identity, _varied(face, chance, dim=dim))
        elif kind < 0.86:
            other = chance.choice([name for name in _PEOPLE if name != identity])
            _verify(client, other, _varied(face, chance, dim=dim))
        elif kind < 0.94:
            name = f"new-{chance.randrange(10**9)}"
            poor = chance.random() < 0.5
            picture = face.filter(ImageFilter.GaussianBlur(9)) if poor else _turned(face, chance)
            files = {"images": _jpeg(picture)}
            client.post("/v1/enroll", data={"identity": name}, files=files)
            if not poor and chance.random() < 0.7:
                client.delete(f"/v1/identities/{name}")
        elif kind < 0.97:
            _verify(client, "nobody", _varied(face, chance, dim=dim))
        else:
            client.get("/v1/identities", headers={"X-API-Key": "smb_wrong"})

    def _move(self) -> None:
        """Liveness sessions: a head that turns as it is asked to, or a photograph of it."""
        detector = Detector(read_artifact(ROOT / "models" / "fused").detector)
        him, points = portrait(faces().read("obama.jpg"), detector)
        head, photograph = Head(him, points), Photograph(him)
        chance = random.Random(99)
        with self._client() as client:
            while self._share < 0.85:
                shown = head if chance.random() < 0.6 else photograph
                asked = client.post("/v1/liveness/sessions", json={"identity": "ann"})
                if asked.status_code != httpx.codes.CREATED:
                    time.sleep(1)
                    continue
                session = asked.json()["session"]
                # Under load a session may end in silence.
                with suppress(TimeoutError):
                    follow(
                        self._service.url,
                        session,
                        partial(_shown, shown),
                        Follower(reaction_s=0.25, takes_s=0.8),
                        key=self._service.key,
                    )


def _shown(by: Head | Photograph, stance: Stance, _challenge: object) -> Any:
    return by.frame(stance)


def _verify(client: httpx.Client, identity: str, picture: bytes) -> None:
    client.post("/v1/verify", data={"identity": identity}, files={"image": picture})


def _opened(name: str) -> Image.Image:
    picture = Image.open(faces().folder / name).convert("RGB")
    picture.thumbnail(_SIDE)
    return picture


def _varied(face: Image.Image, chance: random.Random, *, dim: bool) -> bytes:
    """Another picture of the same face: light, noise, size; dim where the lamp is broken."""
    picture = ImageEnhance.Brightness(face).enhance(chance.uniform(0.7, 1.2))
    if dim:
        picture = ImageEnhance.Brightness(picture).enhance(0.25)
        picture = picture.filter(ImageFilter.GaussianBlur(2.2))
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 6, (*picture.size[::-1], 3))
    return _jpeg(Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)))


def _turned(face: Image.Image, chance: random.Random) -> Image.Image:
    return face.rotate(chance.uniform(-8, 8), Image.Resampling.BICUBIC)


def _jpeg(picture: Image.Image) -> bytes:
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=90)
    return output.getvalue()
