"""deepface with YuNet and SFace: `DeepFace.verify` of a kept embedding and a new picture.

DEEPFACE_HOME must hold the weights: it would fetch them from elsewhere.

    python -m bench.peers.deepface_sface REFERENCE
"""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import version

from bench.speed.worker import Channel, Stages

_CHOICE = {"model_name": "SFace", "detector_backend": "yunet"}


def main() -> None:
    channel = Channel()
    os.environ["DEEPFACE_LOG_LEVEL"] = "40"
    from deepface import DeepFace

    known = DeepFace.represent(sys.argv[1], **_CHOICE)[0]["embedding"]

    def once(picture: bytes) -> Stages:
        answer = DeepFace.verify(known, io.BytesIO(picture), silent=True, **_CHOICE)
        if not answer["verified"]:
            raise RuntimeError("the probe was not verified")
        return {}

    channel.serve_verify(once, deepface=version("deepface"), onnxruntime=version("onnxruntime"))


if __name__ == "__main__":
    main()
