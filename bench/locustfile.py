r"""Load by Locust, for those who want its page and its curves; `make bench` does without.

With the service running (`make run`) and Locust installed (`make bench-peers`):

    .venv-peers/bin/locust -f bench/locustfile.py --host http://127.0.0.1:8000 \
        --headless --users 8 --spawn-rate 8 --run-time 30s \
        --reference REFERENCE.jpg --probe PROBE.jpg --key-file data/admin.key

Without --headless it serves its page on port 8089. REFERENCE and PROBE are pictures
of one person; the identity `locust` is enrolled when the load begins and erased when it
ends. Locust takes more of the CPU than bench/speed/client.py: on a machine that it shares
with the service its figures are lower.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant, events, task

IDENTITY = "locust"


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _arguments(parser: Any) -> None:
    parser.add_argument("--reference", type=Path, required=True, help="picture to enrol")
    parser.add_argument("--probe", type=Path, required=True, help="picture to verify")
    parser.add_argument("--key-file", type=Path, required=True, help="file with an API key")


def _key(environment: Any) -> dict[str, str]:
    return {"X-API-Key": environment.parsed_options.key_file.read_text().strip()}


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def _enrol(environment: Any, **_: object) -> None:
    import requests

    reference = environment.parsed_options.reference.read_bytes()
    requests.post(
        f"{environment.host}/v1/enroll",
        data={"identity": IDENTITY},
        files={"images": reference},
        headers=_key(environment),
        timeout=60,
    ).raise_for_status()


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def _erase(environment: Any, **_: object) -> None:
    import requests

    address = f"{environment.host}/v1/identities/{IDENTITY}"
    requests.delete(address, headers=_key(environment), timeout=60)


class Verifier(FastHttpUser):  # type: ignore[misc]
    """Verifies one picture again and again, without a pause."""

    wait_time = constant(0)

    def on_start(self) -> None:
        self.probe = self.environment.parsed_options.probe.read_bytes()
        self.key = _key(self.environment)

    @task  # type: ignore[untyped-decorator]
    def verify(self) -> None:
        with self.client.post(
            "/v1/verify",
            data={"identity": IDENTITY, "faces": "largest"},
            files={"image": self.probe},
            headers=self.key,
            catch_response=True,
        ) as answer:
            if answer.status_code != 200 or not answer.json()["verified"]:
                answer.failure(f"status {answer.status_code}")
