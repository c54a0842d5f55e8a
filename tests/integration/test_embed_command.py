"""`embed` and `embed-merge` on real faces, whole and in shards, and `dnn` on what they wrote."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import Faces
from tests.integration.prepare_samples import (
    clean_set,
    dirty_set,
    refused,
    small_file_system,
    training,
)
from training.data.chips import Tower
from training.data.errors import DataError, DiskFull
from training.data.options import Options
from training.data.prepare import prepare
from training.data.shard import Shard
from training.embedding.file import EmbeddedFile, read_embedded, read_file, write_embedded
from training.embedding.merge import merge
from training.pictures import Embedded, embed_folder


def done(*arguments: str | Path) -> str:
    ran = training(*arguments, "--quiet")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.long
def test_shards_join_to_what_one_run_makes(
    tmp_path: Path, faces: Faces, artifact: Artifact
) -> None:
    source = dirty_set(tmp_path / "set", faces)
    whole = tmp_path / "whole.npz"
    assert "15 pictures of 3 identities embedded, 2 without" in done("embed", source, whole)
    expected = embed_folder(
        source, Detector(artifact.detector), OpenVinoRuntime(artifact), quiet=True
    )
    read = read_embedded(whole)
    assert (read.names, read.missed) == (expected.names, expected.missed)
    assert read.missed == ("barack/5-broken.jpg", "barack/6-nobody.png")
    np.testing.assert_array_equal(read.identities, expected.identities)
    np.testing.assert_array_equal(read.embeddings, expected.embeddings)
    assert read_file(whole).fingerprint == artifact.manifest.fingerprint

    out = tmp_path / "parts" / "faces.npz"
    for index in (1, 2):
        done("embed", source, out, "--shard", f"{index}/2")
    parts = [out.with_name(f"faces.{index}-of-2.npz") for index in (2, 1)]
    joined = training("embed-merge", tmp_path / "joined.npz", *parts)
    assert joined.returncode == 0, joined.stderr
    assert (tmp_path / "joined.npz").read_bytes() == whole.read_bytes()
    line = refused(training("embed-merge", tmp_path / "no.npz", parts[0]))
    assert line == "error: expected all 2 parts, found 1: missing 1/2"
    assert not (tmp_path / "no.npz").exists()
    with pytest.raises(DataError, match=r"found part 2/2; join the parts with embed-merge"):
        read_embedded(parts[0])

    learned = ("--hidden", "4", "--iterations", "30", "--held-out", "0.4", "--rate", "1")
    to = tmp_path / "dnn"
    said = done("dnn", "--embeddings", whole, "--target", "barack", *learned, "--out", to)
    assert "9 examples to learn from, 256 features each" in said
    assert "split by image (the same people on both sides)" in said
    with np.load(to / "features.npz") as features:
        np.testing.assert_array_equal(features["X"], read.embeddings.T.astype(np.float64))
        np.testing.assert_array_equal(features["y"][0], read.identities == "barack")
    line = refused(training("dnn", "--embeddings", whole, "--target", "messi", *learned))
    assert line.endswith("expected 'messi' and others in 'whole.npz', found astronaut, barack, joe")


@pytest.mark.long
def test_chips_of_a_prepared_folder_are_taken_as_they_are(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    """Which are made for SFace, or for the paper's network."""
    by = ("--artifact", sface_artifact.folder)
    out = tmp_path / "out"
    prepare(clean_set(tmp_path / "set", faces), out, sface_artifact, Options(quiet=True))
    assert "12 chips of 3 identities embedded" in done("embed", out, tmp_path / "chips.npz", *by)
    read = read_embedded(tmp_path / "chips.npz")
    assert json.loads((out / "splits.json").read_text()).keys() == {"train", "dev", "test"}
    with PillowImage.open(out / "chips" / read.names[7]) as chip:
        alone = OpenVinoRuntime(sface_artifact).embed(np.asarray(chip)[None])
    np.testing.assert_allclose(read.embeddings[7], alone[0], atol=1e-5)
    # The same faces by way of the pictures; half of the pictures are PNG, so nothing was lost.
    done("embed", tmp_path / "set", tmp_path / "pictures.npz", *by)
    np.testing.assert_allclose(
        read.embeddings, read_embedded(tmp_path / "pictures.npz").embeddings, atol=1e-4
    )
    koch = tmp_path / "koch"
    prepare(tmp_path / "set", koch, sface_artifact, Options(quiet=True, tower=Tower.KOCH))
    line = refused(training("embed", koch, tmp_path / "koch.npz", *by, "--quiet"))
    assert "expected chips of 112 x 112 pixels for this model, found 105 x 105" in line
    line = refused(training("embed", out, tmp_path / "koch.npz", "--quiet"))
    assert "expected chips of 190 x 174 pixels for this model, found 112 x 112" in line
    assert not (tmp_path / "koch.npz").exists()


@pytest.mark.parametrize(
    ("out", "options", "sentence"),
    [
        ("faces.txt", [], "expected a file to write that ends in .npz, found 'faces.txt'"),
        ("faces.npz", ["--shard", "0/2"], "expected a shard as i/n with i from 1 to n"),
        (
            "faces.npz",
            ["--runtime", "x"],
            "expected the runtime openvino, openvino-float32 or tensorflow",
        ),
        ("faces.npz", [], "expected pictures in the folders of 'set', found none"),
    ],
)
def test_what_embed_refuses(tmp_path: Path, out: str, options: list[str], sentence: str) -> None:
    (tmp_path / "set" / "ann").mkdir(parents=True)
    line = refused(training("embed", tmp_path / "set", tmp_path / out, *options))
    assert line.startswith(f"error: {sentence}")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def part(path: Path, shard: Shard, **changed: str) -> Path:
    names = shard.of([f"ann/{number}.jpg" for number in range(4)])
    rows = np.arange(len(names) * 3, dtype=np.float32).reshape(-1, 3)
    embedded = Embedded(tuple(names), np.array(["ann"] * len(names)), rows, ())
    told = {"fingerprint": "a" * 16, "listing": "b" * 64, "kind": "chips"} | changed
    write_embedded(path, EmbeddedFile(embedded, shard=shard, **told))
    return path


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one, two = part(tmp_path / "1.npz", Shard(1, 2)), part(tmp_path / "2.npz", Shard(2, 2))
    assert merge([two, one]).embedded.names == ("ann/0.jpg", "ann/1.jpg", "ann/2.jpg", "ann/3.jpg")
    for other, sentence in (
        (part(tmp_path / "x.npz", Shard(2, 3)), "expected part of 2 in 'x.npz' as in '1.npz'"),
        (part(tmp_path / "y.npz", Shard(2, 2), fingerprint="c" * 16), "expected the model aaaa"),
        (part(tmp_path / "z.npz", Shard(2, 2), listing="c" * 64), "expected the pictures bbbb"),
        (part(tmp_path / "w.npz", Shard(2, 2), kind="pictures"), "expected embeddings of chips"),
        (one, "expected each part once, found part 1/2 twice"),
    ):
        with pytest.raises(DataError, match=sentence):
            merge([one, other])
    with pytest.raises(DataError, match="expected all 3 parts, found 1: missing 1/3, 3/3"):
        merge([tmp_path / "x.npz"])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive"])
def test_what_is_no_file_of_embeddings(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"expected embeddings that embed made, .* in 'f\.npz'"):
        read_embedded(path)
    np.savez(path, X=np.ones(3))
    with pytest.raises(DataError, match="expected embeddings that embed made"):
        read_embedded(path)
    whole = part(path, Shard(1, 1))
    with np.load(whole) as stored:
        arrays = dict(stored)
    for name, wrong in (
        ("embeddings", np.full((4, 3), np.nan, dtype=np.float32)),
        ("embeddings", arrays["embeddings"][:2]),
        ("names", np.arange(4)),
        ("shard", np.array([1, 1, 1])),
        ("names", np.array(["a"] * 4, dtype=object)),
    ):
        np.savez(path, **(arrays | {name: wrong}))
        with pytest.raises(DataError, match="expected embeddings that embed made"):
            read_file(path)


def test_on_a_full_disk_nothing_is_left_of_a_file(tmp_path: Path) -> None:
    with small_file_system(tmp_path / "disk") as disk:
        (disk / "ballast").write_bytes(bytes(500 << 10))
        names = tuple(f"ann/{number}.jpg" for number in range(2000))
        rows = np.ones((2000, 128), dtype=np.float32)
        embedded = Embedded(names, np.array(["ann"] * 2000), rows, ())
        content = EmbeddedFile(embedded, "a" * 16, "b" * 64, "chips")
        with pytest.raises(DiskFull, match="the disk is full; nothing was written"):
            write_embedded(disk / "f.npz", content)
        assert [path.name for path in disk.iterdir()] == ["ballast"]
