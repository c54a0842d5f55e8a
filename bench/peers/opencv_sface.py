"""OpenCV's own FaceDetectorYN and FaceRecognizerSF, as its tutorial joins them: the yardstick.

The reference's feature is kept; each new picture is decoded from its JPEG, detected
at a longest side of 640 at most, aligned from the full picture, and compared.

    python -m bench.peers.opencv_sface YUNET SFACE REFERENCE THREADS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.speed.worker import Channel, Stages

_MAX_SIDE = 640
_SAME_COSINE = 0.363  # OpenCV's own threshold


def main() -> None:
    channel = Channel()
    yunet, sface, reference, threads = sys.argv[1:5]
    cv2.setNumThreads(int(threads))
    detector = cv2.FaceDetectorYN.create(yunet, "", (320, 320), 0.7)
    recogniser = cv2.FaceRecognizerSF.create(sface, "")
    known, _ = _feature(detector, recogniser, Path(reference).read_bytes())

    def once(picture: bytes) -> Stages:
        found, stages = _feature(detector, recogniser, picture)
        begun = time.perf_counter()
        cosine = recogniser.match(known, found, cv2.FaceRecognizerSF_FR_COSINE)
        stages["score"] = (time.perf_counter() - begun) * 1000
        if cosine < _SAME_COSINE:
            raise RuntimeError("the probe was not verified")
        return stages

    channel.serve_verify(once, opencv=cv2.__version__)


def _feature(detector: Any, recogniser: Any, data: bytes) -> tuple[Any, Stages]:
    """The feature of the largest face, and what each stage took."""
    marks = [time.perf_counter()]
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    marks.append(time.perf_counter())
    scale = min(1.0, _MAX_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale) if scale < 1 else image
    detector.setInputSize((small.shape[1], small.shape[0]))
    _, faces = detector.detect(small)
    if faces is None:
        raise RuntimeError("no face was found")
    face = max(faces, key=lambda row: row[2] * row[3])
    face[:14] /= scale
    marks.append(time.perf_counter())
    chip = recogniser.alignCrop(image, face)
    marks.append(time.perf_counter())
    feature = recogniser.feature(chip).copy()
    marks.append(time.perf_counter())
    names = ("decode", "detect", "align", "embed")
    spent = zip(names, marks, marks[1:], strict=False)
    return feature, {name: (end - begin) * 1000 for name, begin, end in spent}


if __name__ == "__main__":
    main()
