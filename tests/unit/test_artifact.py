"""Writing and reading an artifact: whole or not at all, and nothing believed."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model.artifact import Artifact, ArtifactError, read_artifact, sha256_of, write_artifact
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.signatures import expected_shapes, read_shapes

DETECTOR = "detector.pb"
SAVED_MODEL = "saved_model/saved_model.pb"


@pytest.fixture
def copy(artifact: Artifact, tmp_path: Path) -> Path:
    """A copy of the default artifact, to spoil."""
    return Path(shutil.copytree(artifact.folder, tmp_path / "copy"))


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def promise_of(artifact: Artifact) -> dict[str, Any]:
    content = json.loads(artifact.manifest.model_dump_json())
    return {k: v for k, v in content.items() if k not in {"manifest_version", "files"}}


def test_an_untouched_copy_is_read(copy: Path, artifact: Artifact) -> None:
    read = read_artifact(copy)
    assert read.manifest == artifact.manifest
    assert read.saved_model == copy / "saved_model"
    assert read.detector == copy / DETECTOR
    on_disk = {p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()}
    assert on_disk == {*read.manifest.files, "manifest.json"}


def test_reading_is_quick_enough_for_every_start(artifact: Artifact) -> None:
    best = min(_seconds(lambda: read_artifact(artifact.folder)) for _ in range(3))
    shapes = min(_seconds(lambda: read_shapes(artifact.folder / SAVED_MODEL)) for _ in range(3))
    assert best < 0.5  # hashes 40 MB; 0.05 s on a free machine
    assert shapes < 0.05


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def test_no_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"expected an artifact.*found none.*training build"):
        read_artifact(tmp_path / "absent")


@pytest.mark.parametrize("name", [DETECTOR, SAVED_MODEL, "NOTICE"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ArtifactError, match=f"expected the file '{name}', found nothing"):
        read_artifact(copy)


@pytest.mark.parametrize("name", [DETECTOR, SAVED_MODEL, "NOTICE"])
def test_one_changed_byte_is_found(copy: Path, name: str) -> None:
    before = sha256_of(copy / name)
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    after = sha256_of(copy / name)
    with pytest.raises(ArtifactError, match=f"expected SHA-256 {before}, found {after}"):
        read_artifact(copy)


def test_a_manifest_that_is_no_json_is_refused(copy: Path) -> None:
    (copy / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"expected JSON in manifest\.json"):
        read_artifact(copy)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"text"'])
def test_json_that_is_no_manifest_is_refused(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match="expected manifest version 1, found None"):
        read_artifact(copy)


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.5])
def test_another_manifest_version_is_refused(copy: Path, version: object) -> None:
    edit(copy, lambda content: content.update(manifest_version=version))
    with pytest.raises(ArtifactError) as caught:
        read_artifact(copy)
    assert f"expected manifest version 1, found {version!r}" in str(caught.value)


def test_a_wrong_field_is_named_with_what_was_found(copy: Path) -> None:
    edit(copy, lambda content: content.update(detection_threshold=7))
    with pytest.raises(ArtifactError, match=r"detection_threshold: .*less than.* found 7"):
        read_artifact(copy)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("embedding_size", 512, r"'embeddings'.*expected \(-1, 512\), found \(-1, 256\)"),
        ("input_size", [96, 174], r"'chips'.*expected \(-1, 96, 174, 3\), found \(-1, 190, 174"),
    ],
)
def test_a_wrong_shape_is_refused_by_the_file_alone(
    copy: Path, field: str, value: object, message: str
) -> None:
    edit(copy, lambda content: content.update({field: value}))
    with pytest.raises(ArtifactError, match=message):
        read_artifact(copy)


@pytest.mark.parametrize(
    "change", [{"embedding_size": 512}, {"input_size": (96, 174)}], ids=["size", "chip"]
)
def test_the_runtime_refuses_a_wrong_shape_too(artifact: Artifact, change: dict[str, Any]) -> None:
    manifest = artifact.manifest.model_copy(update=change)
    with pytest.raises(ArtifactError, match=r"wrong shape: expected .* found "):
        OpenVinoRuntime(Artifact(artifact.folder, manifest))


def test_the_shapes_in_the_file_are_those_of_the_signatures(artifact: Artifact) -> None:
    assert read_shapes(artifact.folder / SAVED_MODEL) == expected_shapes(artifact.manifest)


@pytest.mark.parametrize("content", [b"", b"not a SavedModel", b"\x12\xff\xff\xff\xff\x0f"])
def test_something_else_in_place_of_the_saved_model_is_refused(copy: Path, content: bytes) -> None:
    (copy / SAVED_MODEL).write_bytes(content)
    digest = sha256_of(copy / SAVED_MODEL)
    edit(copy, lambda manifest: manifest["files"].update({SAVED_MODEL: digest}))
    with pytest.raises(ArtifactError, match="expected"):
        read_artifact(copy)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "saved_model/../../outside"])
def test_a_name_that_leads_out_is_refused_before_it_is_opened(copy: Path, name: str) -> None:
    (copy.parent / "outside").write_bytes(b"x")
    edit(copy, lambda content: content["files"].update({name: "0" * 64}))
    with pytest.raises(ArtifactError, match="files"):
        read_artifact(copy)


@pytest.mark.parametrize("name", [DETECTOR, SAVED_MODEL])
def test_a_file_without_a_sum_is_not_used(copy: Path, name: str) -> None:
    edit(copy, lambda content: content["files"].pop(name))
    with pytest.raises(ArtifactError, match=f"expected '{name}' among the manifest's files"):
        read_artifact(copy)


def test_writing_replaces_the_old_one_and_leaves_nothing_beside(
    copy: Path, artifact: Artifact
) -> None:
    def fill(staging: Path) -> None:
        shutil.copytree(artifact.saved_model, staging / "saved_model")
        shutil.copy(artifact.detector, staging / DETECTOR)
        (staging / "NOTICE").write_text("another")

    written = write_artifact(copy, fill, promise_of(artifact))
    assert read_artifact(copy) == written
    assert (copy / "NOTICE").read_text() == "another"
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_failure_while_writing_leaves_the_old_one(copy: Path, artifact: Artifact) -> None:
    def fill(staging: Path) -> None:
        (staging / DETECTOR).write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_artifact(copy, fill, promise_of(artifact))
    assert read_artifact(copy).manifest == artifact.manifest
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_what_was_written_must_hold_what_was_promised(tmp_path: Path, artifact: Artifact) -> None:
    def fill(staging: Path) -> None:
        shutil.copytree(artifact.saved_model, staging / "saved_model")
        shutil.copy(artifact.detector, staging / DETECTOR)

    with pytest.raises(ArtifactError, match="wrong shape"):
        write_artifact(tmp_path / "new", fill, promise_of(artifact) | {"embedding_size": 64})
    assert list(tmp_path.iterdir()) == []
