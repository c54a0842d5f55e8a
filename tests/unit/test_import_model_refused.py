"""What cannot be imported: one clear sentence, nothing run, nothing left behind."""

from __future__ import annotations

import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from onnx import TensorProto, helper

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.prepare_samples import clean_set
from tests.pictures import encoded
from tests.running import ROOT
from tests.unit.import_model_samples import onnx_file
from training.cli import main

# TensorFlow's own notices while it writes a SavedModel.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PLAIN = ("--mean", 0, "--scale", 1)
Refused = Callable[..., str]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Looks like pictures of four people; no face is in them."""
    folder = tmp_path_factory.mktemp("people")
    for number in range(8):
        path = folder / f"person{number // 2}" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(np.full((40, 40, 3), 20 * number, np.uint8)))
    return folder


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    people: Path,
    tmp_path: Path,
) -> Refused:
    """The line that the command says as it gives up; nothing may be left behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def everything() -> list[Path]:
        # TensorFlow keeps sources of traced functions in the scratch folder until it ends.
        return sorted(path for path in tmp_path.rglob("*") if scratch not in path.parents)

    def run(network: object, *options: object, out: Path | None = None, data: object = None) -> str:
        place = out or tmp_path / "out" / "artifact"
        before = everything()
        given = [network, place, *options, "--data", data or people, "--quiet"]
        monkeypatch.setattr(sys, "argv", ["training", "import", *map(str, given)])
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 1, said
        (line,) = said.strip().splitlines()
        assert line.startswith("error: ")
        assert everything() == before
        assert not list(scratch.glob("semblance*"))
        return line.removeprefix("error: ")

    return run


def test_files_that_are_no_network(refused: Refused, tmp_path: Path) -> None:
    kinds = "expected an .onnx file, a .keras file or a SavedModel folder, found "
    assert refused(tmp_path / "absent.onnx", *PLAIN) == kinds + "nothing at 'absent.onnx'"
    (tmp_path / "old.h5").write_bytes(b"\x89HDF")
    assert refused(tmp_path / "old.h5", *PLAIN) == kinds + "'old.h5'"
    for content in (b"", b"not a network", b"\x08\x07" * 40):
        (tmp_path / "text.onnx").write_bytes(content)
        assert "expected an ONNX network in 'text.onnx'" in refused(tmp_path / "text.onnx", *PLAIN)
    (tmp_path / "folder").mkdir()
    line = refused(tmp_path / "folder", *PLAIN)
    assert line == "expected a SavedModel with saved_model.pb, found none in 'folder'"
    for content in (b"garbage", b"\x08\x01"):
        (tmp_path / "folder" / "saved_model.pb").write_bytes(content)
        assert "expected " in refused(tmp_path / "folder", *PLAIN)


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({"source": ("N", 3)}, (), "N x H x W x 3 or N x 3 x H x W, found ?x3"),
        ({"source": ("N", 1, 40, 40)}, (), "an input with 3 colours, "),
        ({"source": ("N", 3, "H", "W")}, (), "the size of its pictures open (?x3x?x?)"),
        ({}, ("--size", "112,112"), "expected pictures of 112 x 112 as --size says, found ?x3x40"),
        ({}, ("--size", "112"), "--size as height,width from 16 to 1024, found '112'"),
        ({"columns": 1}, (), "an embedding of at least 2 numbers, found 1"),
        ({"opset": 6}, (), "expected ONNX of opset 7 or later, found 6"),
        ({"inputs": 2}, (), "expected one input, found 2: x, second"),
        ({"kind": TensorProto.INT64}, (), "expected an input of floating point, found int64"),
        ({}, ("--embedding-output", "z"), "expected one of the outputs y, found 'z'"),
        ({}, ("--template", "arcface"), "pictures of 112 x 112 with the template arcface, found"),
        ({}, ("--template", "1,2,3"), "scaled or ten numbers x1,y1,...,x5,y5, found '1,2,3'"),
        ({}, ("--template", "1,2,3,4,5,6,7,8,9,41"), "points within 40 x 40 pixels, found '1,2"),
        ({}, ("--template", "5,5,5,5,5,5,5,5,5,5"), "a template of five different points"),
    ],
    ids=str,
)
def test_networks_that_cannot_be_used(
    refused: Refused,
    tmp_path: Path,
    changes: dict[str, Any],
    options: tuple[str, ...],
    said: str,
) -> None:
    path = onnx_file(tmp_path / "network.onnx", **changes)
    assert said in refused(path, *PLAIN, *options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mean", "1,2", "--scale", 1), "expected one number or three in --mean, found '1,2'"),
        (("--mean", 0, "--scale", "x"), "expected one number or three in --scale, found 'x'"),
        (("--mean", 0, "--scale", 0), "expected finite means and scales that are not 0"),
        (("--mean", "nan", "--scale", 1), "expected finite means and scales that are not 0"),
    ],
    ids=str,
)
def test_preprocessing_that_is_none(
    refused: Refused, tmp_path: Path, options: tuple[object, ...], said: str
) -> None:
    assert said in refused(onnx_file(tmp_path / "network.onnx"), *options)


def test_operations_that_are_not_converted_are_named(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    flat = helper.make_node("Flatten", ["z"], ["y"])
    onnx_file(path, [helper.make_node("DepthToSpace", ["x"], ["z"], blocksize=1), flat])
    line = "expected operations of face-embedding networks, found {}, which cannot be converted"
    assert refused(path, *PLAIN) == line.format("DepthToSpace")
    last = helper.make_node("Flatten", ["v"], ["y"])
    custom = helper.make_node("FusedConv", ["x"], ["z"], domain="com.microsoft")
    onnx_file(path, [custom, helper.make_node("Celu", ["z"], ["v"]), last])
    assert refused(path, *PLAIN) == line.format("Celu, com.microsoft.FusedConv")


def test_networks_that_mix_the_pictures_of_a_batch(refused: Refused, tmp_path: Path) -> None:
    path, shape = tmp_path / "network.onnx", {"shape": np.array([2, -1])}
    onnx_file(path, [helper.make_node("Reshape", ["x", "shape"], ["y"])], constants=shape)
    assert "keeps the pictures of a batch apart" in refused(path, *PLAIN)
    onnx_file(path, [helper.make_node("Flatten", ["x"], ["y"], axis=0)])
    assert "keeps the pictures of a batch apart" in refused(path, *PLAIN)


def test_a_feature_map_is_no_embedding(refused: Refused, tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "network.onnx", [helper.make_node("Relu", ["x"], ["y"])])
    line = refused(path, *PLAIN)
    assert line == (
        "expected an embedding for each picture, N x D, found an output of N x 3 x 40 x 40"
    )


def test_code_in_a_keras_file_is_not_run(refused: Refused, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    source = f"lambda x: (open({str(trace)!r}, 'w').close(), x)[1]"
    pictures = keras.Input((40, 40, 3))
    x = keras.layers.Lambda(eval(source), output_shape=(40, 40, 3))(pictures)
    x = keras.layers.Dense(8)(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(pictures, x).save(tmp_path / "lambda.keras")
    trace.unlink(missing_ok=True)
    line = refused(tmp_path / "lambda.keras", *PLAIN)
    assert line.startswith("expected a network of layers alone, found code in 'lambda.keras'")
    assert not trace.exists()

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return open, (str(trace), "w")

    (tmp_path / "pickle.keras").write_bytes(pickle.dumps(Trap()))
    line = refused(tmp_path / "pickle.keras", *PLAIN)
    assert "expected a .keras file (an archive that Keras 3 wrote)" in line
    assert not trace.exists()


class ForTwo(tf.Module):  # type: ignore[misc]
    """A network for two pictures at a time, though it says for any number."""

    @tf.function(input_signature=[tf.TensorSpec((None, 40, 40, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def serve(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.reduce_mean(tf.ensure_shape(pictures, (2, 40, 40, 3)), (1, 2))}


def test_a_network_for_a_fixed_number_of_pictures(
    refused: Refused, tmp_path: Path, faces: Faces
) -> None:
    people = clean_set(tmp_path / "people", faces)
    shutil.copytree(people / "joe", people / "joseph")
    served = ForTwo()
    tf.saved_model.save(served, str(tmp_path / "saved"), signatures=served.serve)
    line = refused(tmp_path / "saved", *PLAIN, data=people)
    assert "'embeddings' has the wrong shape: expected (-1, 3), found (2, 3)" in line


def test_keras_files_that_cannot_be_used(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "network.keras"
    grey = keras.Input((40, 40, 1))
    keras.Model(grey, keras.layers.Flatten()(grey)).save(path)
    assert "with 3 colours, N x H x W x 3 or N x 3 x H x W, found ?x40x40x1" in refused(
        path, *PLAIN
    )
    colour = keras.Input((40, 40, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(colour)
    two = {"one": keras.layers.Dense(4, name="one")(pooled), "two": pooled}
    keras.Model(colour, two).save(path)
    assert "found 2: " in refused(path, *PLAIN)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert "'network.keras'" in refused(path, *PLAIN)


class Writing(tf.Module):  # type: ignore[misc]
    """A network that writes a file each time it is used."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = str(path)

    @tf.function(input_signature=[tf.TensorSpec((None, 40, 40, 3), tf.float32)])  # type: ignore[untyped-decorator]
    def serve(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([tf.io.write_file(self.path, "was here")]):
            return {"y": tf.reduce_mean(pictures, (1, 2))}


def test_a_saved_model_that_writes_files_is_not_loaded(refused: Refused, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    served = Writing(trace)
    tf.saved_model.save(served, str(tmp_path / "saved"), signatures=served.serve)
    line = refused(tmp_path / "saved", *PLAIN)
    assert line == "expected a network, found a program with WriteFile in 'saved', which is not run"
    assert not trace.exists()


def test_a_place_that_holds_something_else(refused: Refused, tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "network.onnx")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/diary.txt").write_text("dear diary")
    line = "expected an artifact or nothing at 'notes', found something else"
    assert refused(path, *PLAIN, out=tmp_path / "notes") == line
    assert (tmp_path / "notes" / "diary.txt").read_text() == "dear diary"
    assert "found something else" in refused(path, *PLAIN, out=path)


def test_a_detector_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    path = onnx_file(tmp_path / "network.onnx")
    line = refused(path, *PLAIN, "--detector-from", tmp_path / "none")
    assert "expected an artifact with manifest.json, found none in 'none'" in line


def test_data_that_cannot_be_used(
    refused: Refused, tmp_path: Path, faces: Faces, artifact: Artifact
) -> None:
    path = onnx_file(tmp_path / "network.onnx")
    line = refused(path, *PLAIN, data=tmp_path / "absent")
    assert line == "expected a folder of identities in --data, found no folder at 'absent'"
    one = tmp_path / "one"
    (one / "ada").mkdir(parents=True)
    for number in range(3):
        (one / "ada" / f"{number}.png").write_bytes(faces.read("astronaut.png"))
    line = refused(path, *PLAIN, data=one)
    assert line == (
        "expected 4 identities or more with two pictures each, a folder each, in 'one'; found 1 "
        "(of 1 folders)"
    )
    # Enough folders, but no face in any picture.
    assert refused(path, *PLAIN) == "expected faces in the pictures, found 0"
    # Four people, one of them without a face.
    three = clean_set(tmp_path / "three", faces)
    (three / "nobody").mkdir()
    for number in range(2):
        picture = encoded(np.full((64, 64, 3), 90 + number, np.uint8))
        (three / "nobody" / f"{number}.png").write_bytes(picture)
    line = refused(path, *PLAIN, data=three)
    assert "expected 4 identities or more with two faces each, found 3; no face" in line


def test_numbers_that_run_away(refused: Refused, tmp_path: Path, faces: Faces) -> None:
    people = clean_set(tmp_path / "people", faces)
    (people / "ada").mkdir()
    for number in range(2):
        (people / "ada" / f"{number}.png").write_bytes(faces.read("astronaut.png"))
    path = onnx_file(tmp_path / "network.onnx")
    line = refused(path, "--mean", 0, "--scale", 1e37, data=people)
    assert "expected embeddings of finite numbers that are not all zero" in line
