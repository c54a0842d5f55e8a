"""face_recognition on dlib: a kept encoding and a new picture, as its README does it.

python -m bench.peers.face_recognition_dlib REFERENCE
"""

from __future__ import annotations

import io
import sys
from importlib.metadata import version

from bench.speed.worker import Channel, Stages


def main() -> None:
    channel = Channel()
    import face_recognition

    known = face_recognition.face_encodings(face_recognition.load_image_file(sys.argv[1]))[0]

    def once(picture: bytes) -> Stages:
        image = face_recognition.load_image_file(io.BytesIO(picture))
        encodings = face_recognition.face_encodings(image)
        if not encodings:
            raise RuntimeError("no face was found")
        if not any(face_recognition.compare_faces(encodings, known)):
            raise RuntimeError("the probe was not verified")
        return {}

    channel.serve_verify(
        once, face_recognition=version("face-recognition"), dlib=version("dlib-bin")
    )


if __name__ == "__main__":
    main()
