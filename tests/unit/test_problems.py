"""Every error of the tree has a status and a code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import service.api
import service.core
import service.storage
from model.artifact import ArtifactError
from model.errors import SemblanceError
from model.quality import Reason
from service.api.problems import OTHERS, TABLE, codes
from service.core import errors
from service.core.enrol import REJECTIONS
from service.core.secrecy import MasterKeyError
from service.security.sealed_file import SealedFileError
from service.settings import SettingsError
from service.storage.audit_chain import AnchorError
from service.storage.transfer.batches import TransferError

# Raised before the service takes requests, or by a command; no answer carries them.
AT_START = {
    AnchorError,
    ArtifactError,
    MasterKeyError,
    SealedFileError,
    SettingsError,
    TransferError,
}


def leaves(kind: type[SemblanceError]) -> Iterator[type[SemblanceError]]:
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


def load_everything() -> None:
    for package in (service.core, service.api, service.storage):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in found.name:
                importlib.import_module(found.name)


def of_the_service() -> set[type[SemblanceError]]:
    load_everything()
    found = set(leaves(SemblanceError)) - AT_START
    answered = re.compile(r"(model|service)\b(?!\.commands\b)")
    return {kind for kind in found if answered.match(kind.__module__)}


def test_the_table_maps_every_leaf_and_nothing_else() -> None:
    assert of_the_service() == set(TABLE)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__))
    known = {kind.__name__ for kind in of_the_service()} - {"BodyTooLarge", "RequestTimeout"}
    assert drawn - {"ImageError", "FaceError", "AccessError", "LivenessError"} == known


def test_codes_are_stable_names_and_none_means_two_things() -> None:
    kinds = [*TABLE.values(), *OTHERS]
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
        assert 400 <= kind.status < 600
        assert kind.retry == (kind.status in {429, 503})


def test_a_rejected_image_carries_the_code_that_a_lone_one_would() -> None:
    for error, code in REJECTIONS.items():
        assert TABLE[error].code == code
    assert set(REJECTIONS.values()) <= codes()


def test_the_codes_of_the_design_are_there() -> None:
    assert {
        *("invalid_request", "undecodable_image", "no_face", "several_faces", "low_quality"),
        *("image_too_small", "unknown_identity", "unknown_reference", "model_mismatch"),
        *("too_many_references", "image_too_large", "too_many_pixels", "unsupported_image_type"),
        *("overloaded", "not_ready", "storage_full"),
        *("missing_key", "wrong_key", "missing_scope", "rate_limited"),
    } <= codes()
    assert {str(reason) for reason in Reason} == {
        *("face_too_small", "low_confidence", "blurred", "too_dark", "too_bright"),
        *("extreme_pose", "face_cut_off"),
    }
