"""What `prepare` refuses: one sentence, exit code 1, nothing left behind."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.prepare_samples import (
    clean_set,
    packed,
    place,
    portraits,
    refused,
    small_file_system,
    training,
)
from tests.pictures import encoded, without_face
from training.data.errors import DataError, DiskFull
from training.data.options import Options
from training.data.prepare import prepare

QUIET = Options(quiet=True)


def write_tar(path: Path, name: str, content: bytes) -> Path:
    with tarfile.open(path, "w:gz") as out:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        out.addfile(member, io.BytesIO(content))
    return path


def said(source: Path, artifact: Artifact) -> str:
    """The sentence of the refusal; nothing may be left beside the source."""
    before = sorted(source.parent.rglob("*"))
    with pytest.raises(DataError) as caught:
        prepare(source, source.parent / "out", artifact, QUIET)
    assert sorted(source.parent.rglob("*")) == before
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_on_the_command_line_it_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "a.tgz", "../escaped.jpg", b"x")
    line = refused(training("prepare", archive, tmp_path / "out"))
    assert "lies outside of the archive" in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]
    bomb = write_tar(tmp_path / "a.tgz", "ann/1.jpg", bytes(2000))
    line = refused(training("prepare", bomb, tmp_path / "out", "--limit-bytes", "1000"))
    assert "more than 1000 bytes, the limit" in line
    line = refused(training("prepare", bomb, tmp_path / "out", "--preset", "paper"))
    assert "--target" in line
    line = refused(training("inspect", tmp_path))
    assert "expected a folder that prepare made" in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.tgz"]


def escaping(folder: Path, _: Faces) -> Path:
    return write_tar(folder / "a.tgz", "../escaped.jpg", b"x")


def bomb(folder: Path, _: Faces) -> Path:
    return write_tar(folder / "a.tgz", "ann/1.jpg", bytes(70 << 20))


def empty(folder: Path, _: Faces) -> Path:
    (folder / "set").mkdir()
    return folder / "set"


def one_identity(folder: Path, faces: Faces) -> Path:
    clean_set(folder / "set", faces)
    for name in ("joe", "astronaut"):
        shutil.rmtree(folder / "set" / name)
    return folder / "set"


def two_images(folder: Path, faces: Faces) -> Path:
    of = portraits(faces)
    place(folder / "set" / "ann" / "1.png", encoded(of["astronaut"]))
    place(folder / "set" / "joe" / "1.png", encoded(of["biden"]))
    return folder / "set"


def label_files(folder: Path, faces: Faces) -> Path:
    clean_set(folder / "set", faces)
    place(folder / "set" / "labels.csv", b"1.jpg,joe")
    return folder / "set"


@pytest.mark.parametrize("options", [(), ("--shard", "1/2")])
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (escaping, "lies outside of the archive"),
        (bomb, "decompression bomb"),
        (empty, "expected a folder for each identity in 'set', found none"),
        (one_identity, "expected at least two identities"),
        (two_images, "expected at least 4 pictures with a face"),
        (label_files, "found the file 'labels.csv'"),
    ],
)
def test_each_refusal_is_one_line_and_exit_code_1(
    tmp_path: Path,
    faces: Faces,
    make: Callable[[Path, Faces], Path],
    sentence: str,
    options: tuple[str, ...],
) -> None:
    source = make(tmp_path, faces)
    before = sorted(tmp_path.rglob("*"))
    line = refused(training("prepare", source, tmp_path / "new" / "out", *options))
    assert sentence in line
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb(tmp_path: Path, sface_artifact: Artifact) -> None:
    archive = write_tar(tmp_path / "a.tgz", "ann/1.jpg", bytes(70 << 20))
    assert "decompression bomb" in said(archive, sface_artifact)


def test_an_empty_folder_and_an_empty_archive(tmp_path: Path, sface_artifact: Artifact) -> None:
    (tmp_path / "set").mkdir()
    assert "in 'set', found none" in said(tmp_path / "set", sface_artifact)
    assert "found none" in said(packed(tmp_path / "set", tmp_path / "a.tgz"), sface_artifact)
    (tmp_path / "set" / "ann").mkdir()
    (tmp_path / "set" / "bob").mkdir()
    assert "expected pictures in the folders" in said(tmp_path / "set", sface_artifact)


def test_a_source_that_is_not_there(tmp_path: Path, sface_artifact: Artifact) -> None:
    assert "found nothing at" in said(tmp_path / "no.tgz", sface_artifact)


def test_one_identity_only(tmp_path: Path, faces: Faces, sface_artifact: Artifact) -> None:
    clean_set(tmp_path / "set", faces)
    for name in ("joe", "astronaut"):
        shutil.rmtree(tmp_path / "set" / name)
    text = said(tmp_path / "set", sface_artifact)
    assert "at least two identities" in text
    assert "--split image" in text
    assert "at least two" in said(packed(tmp_path / "set", tmp_path / "a.tgz"), sface_artifact)


def test_two_images_only(tmp_path: Path, faces: Faces, sface_artifact: Artifact) -> None:
    of = portraits(faces)
    place(tmp_path / "set" / "ann" / "1.png", encoded(of["astronaut"]))
    place(tmp_path / "set" / "joe" / "1.png", encoded(of["biden"]))
    assert "at least 4 pictures with a face" in said(tmp_path / "set", sface_artifact)
    # The same when it shows only after every picture was looked at.
    for number in range(5):
        place(
            tmp_path / "set" / "joe" / f"no{number}.png", encoded(without_face(240, 320 + number))
        )
    text = said(tmp_path / "set", sface_artifact)
    assert "found 2" in text


def test_labels_that_are_files(tmp_path: Path, faces: Faces, sface_artifact: Artifact) -> None:
    clean_set(tmp_path / "set", faces)
    place(tmp_path / "set" / "labels.csv", b"1.jpg,joe")
    assert "found the file 'labels.csv'" in said(tmp_path / "set", sface_artifact)
    archive = packed(tmp_path / "set", tmp_path / "a.tgz")
    assert "found the file 'labels.csv'" in said(archive, sface_artifact)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "disk") as folder:
        yield folder


def test_a_full_disk(
    tmp_path: Path, small_disk: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    source = clean_set(tmp_path / "set", faces)
    archive = packed(source, tmp_path / "a.tgz")
    with pytest.raises(DiskFull, match="the disk is full; nothing was unpacked"):
        prepare(archive, small_disk / "out", sface_artifact, QUIET)
    assert list(small_disk.iterdir()) == []
    line = refused(training("prepare", archive, small_disk / "out", "--quiet"))
    assert line == "error: the disk is full; nothing was unpacked"
    assert list(small_disk.iterdir()) == []
    # Room for the state, not for the chips.
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(400 << 10))
    with pytest.raises(DiskFull, match="free some space and run it again"):
        prepare(source, small_disk / "out", sface_artifact, QUIET)
    out = small_disk / "out"
    assert not (out / "report.json").exists()
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    ballast.unlink()
    done = prepare(source, out, sface_artifact, QUIET)
    assert done.looked == 0, "it goes on where it stood"
    assert done.report["counts"]["kept"] == 12
