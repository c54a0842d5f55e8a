"""How fast the service is on this machine: `python -m bench`.

POST /verify at 640 x 480 with one face and five references, for one client and
for eight; seconds from start to ready; resident memory after the run.
"""

from __future__ import annotations

import io
import platform
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
from PIL import Image

from bench.service import measured_service
from tests.faces import faces

_ROUNDS = 3
_REQUESTS = 300
_CLIENTS = (1, 8)
_REFERENCES = 5


def main() -> None:
    reference, probe = _picture("obama.jpg"), _picture("obama3.jpg")
    print(f"{_cpu()}, {psutil.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as data, measured_service(Path(data)) as service:
        print(f"start to ready          {service.ready_s:6.2f} s")
        process = psutil.Process(service.pid)
        print(f"resident when ready     {process.memory_info().rss / 2**20:6.0f} MiB")
        _enrol(service.url, reference)
        rounds: dict[int, list[list[float]]] = {clients: [] for clients in _CLIENTS}
        rates: dict[int, list[float]] = {clients: [] for clients in _CLIENTS}
        for _ in range(_ROUNDS):
            for clients in _CLIENTS:
                spent, rate = _round(service.url, probe, clients)
                rounds[clients].append(spent)
                rates[clients].append(rate)
        for clients in _CLIENTS:
            _report(clients, rounds[clients], rates[clients])
        print(f"resident after the run  {process.memory_info().rss / 2**20:6.0f} MiB")


def _round(url: str, probe: bytes, clients: int) -> tuple[list[float], float]:
    """Milliseconds of each request, and requests a second."""
    local = threading.local()

    def request(_: int) -> float:
        if not hasattr(local, "client"):
            local.client = httpx.Client(base_url=url, timeout=30)
        begun = time.perf_counter()
        answer = local.client.post(
            "/v1/verify", data={"identity": "bench"}, files={"image": ("p.jpg", probe)}
        )
        spent = (time.perf_counter() - begun) * 1000
        if not answer.json()["verified"]:
            raise SystemExit("the probe was not verified")
        return spent

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(request, range(clients * 4)))
        begun = time.perf_counter()
        spent = list(pool.map(request, range(_REQUESTS)))
        return spent, _REQUESTS / (time.perf_counter() - begun)


def _report(clients: int, rounds: list[list[float]], rates: list[float]) -> None:
    """Medians over the rounds."""
    quantiles = [statistics.quantiles(spent, n=100) for spent in rounds]
    p50, p95, p99 = (statistics.median(q[at] for q in quantiles) for at in (49, 94, 98))
    print(
        f"/verify, {clients} client{'s' if clients > 1 else ' '}      "
        f"p50 {p50:5.1f} ms   p95 {p95:5.1f} ms   p99 {p99:5.1f} ms   "
        f"{statistics.median(rates):5.1f} requests/s"
    )


def _enrol(url: str, picture: bytes) -> None:
    """Five references that differ: the same picture at five qualities of JPEG."""
    image = Image.open(io.BytesIO(picture))
    images = [("images", ("r.jpg", _jpeg(image, 80 + 4 * n))) for n in range(_REFERENCES)]
    answer = httpx.post(f"{url}/v1/enroll", data={"identity": "bench"}, files=images, timeout=30)
    answer.raise_for_status()


def _picture(name: str) -> bytes:
    """A face picture as a 640 x 480 JPEG, filled up with grey at the sides."""
    image = Image.open(faces().folder / name).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, image.width)))
    image.thumbnail((640, 480))
    canvas = Image.new("RGB", (640, 480), (120, 120, 120))
    canvas.paste(image, ((640 - image.width) // 2, (480 - image.height) // 2))
    return _jpeg(canvas, 90)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _cpu() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
