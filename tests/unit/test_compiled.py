"""Compiled networks on disk: read back alike, and never taken for what they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes import compiled
from model.runtimes.compiled import MOST_KEPT, CompiledNetworks, keep_compiled
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import Faces
from tests.integration.real_chips import augmented_chips
from tests.pictures import rgb

CONFIG = {"INFERENCE_PRECISION_HINT": "f32"}


class Doubling:
    """Makes a network that doubles what it is given, and counts how often it had to."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, core: ov.Core) -> ov.Model:
        self.reads += 1
        given = ov.opset13.parameter([1, 3], np.float32, name="given")
        return ov.Model([ov.opset13.multiply(given, np.float32(2))], [given], "doubling")


def doubled(network: ov.CompiledModel) -> list[float]:
    found: list[float] = network(np.array([[1, 2, 3]], np.float32))[0][0].tolist()
    return found


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def test_what_was_compiled_is_read_back(tmp_path: Path) -> None:
    folder, read = tmp_path / "data" / "compiled", Doubling()
    for _ in range(3):
        assert doubled(CompiledNetworks(folder).compiled(("x",), CONFIG, read)) == [2, 4, 6]
    assert read.reads == 1
    (file,) = kept(folder)
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder, file)] == [
        0o700,
        0o700,
        0o600,
    ]


@pytest.mark.parametrize("fault", ["a byte changed", "cut off", "empty", "another's"])
def test_a_damaged_one_is_compiled_again(tmp_path: Path, fault: str) -> None:
    read = Doubling()
    CompiledNetworks(tmp_path).compiled(("x",), CONFIG, read)
    (file,) = kept(tmp_path)
    content = bytearray(file.read_bytes())
    if fault == "a byte changed":
        content[len(content) // 2] ^= 1
    faults = {"a byte changed": content, "cut off": content[:-5], "empty": b""}
    file.write_bytes(bytes(faults.get(fault, b"another program's file" * 9)))
    assert doubled(CompiledNetworks(tmp_path).compiled(("x",), CONFIG, read)) == [2, 4, 6]
    assert read.reads == 2
    CompiledNetworks(tmp_path).compiled(("x",), CONFIG, read)
    assert read.reads == 2


def test_another_file_or_option_is_another_network(tmp_path: Path) -> None:
    networks, read = CompiledNetworks(tmp_path), Doubling()
    networks.compiled(("x",), CONFIG, read)
    networks.compiled(("y",), CONFIG, read)
    networks.compiled(("x",), CONFIG | {"EXECUTION_MODE_HINT": "ACCURACY"}, read)
    assert read.reads == len(kept(tmp_path)) == 3


def test_what_was_kept_is_run_on_as_many_cores_as_it_is_wanted_on(tmp_path: Path) -> None:
    networks, read = CompiledNetworks(tmp_path), Doubling()
    for streams in ("1", "2"):
        config = CONFIG | {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": "2"}
        network = networks.compiled(("x",), config, read)
        assert str(network.get_property("NUM_STREAMS")) == streams
        assert doubled(network) == [2, 4, 6]
    assert read.reads == 1


def test_the_oldest_are_thrown_away(tmp_path: Path) -> None:
    networks, read = CompiledNetworks(tmp_path), Doubling()
    for number in range(MOST_KEPT + 3):
        networks.compiled((str(number),), CONFIG, read)
    assert len(kept(tmp_path)) == MOST_KEPT


def test_without_a_place_to_write_it_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    read = Doubling()
    for folder in (None, tmp_path / "file" / "compiled"):
        assert doubled(CompiledNetworks(folder).compiled(("x",), CONFIG, read)) == [2, 4, 6]
    assert read.reads == 2


def test_a_model_read_back_gives_the_same_numbers(
    tmp_path: Path, sface_artifact: Artifact, faces: Faces
) -> None:
    chips = augmented_chips(faces, sface_artifact, 3)
    image = rgb(faces.read("obama.jpg"))
    answers = []
    for _ in range(2):
        networks = CompiledNetworks(tmp_path)
        runtime = OpenVinoRuntime(sface_artifact, networks=networks)
        detector = Detector(sface_artifact.detector, networks=networks)
        embeddings = runtime.embed(chips)
        scores = runtime.score(embeddings[0], embeddings)
        answers.append((embeddings, scores, detector.detect(image)[0].landmarks))
    for one, other in zip(*answers, strict=True):
        assert np.array_equal(one, other)
    assert len(kept(tmp_path)) == 3


def test_who_names_no_folder_keeps_them_where_the_process_does(
    tmp_path: Path, sface_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_otherwise", None)
    Detector(sface_artifact.detector)
    assert kept(tmp_path) == []
    keep_compiled(tmp_path, most=2)
    for _ in range(2):
        OpenVinoRuntime(sface_artifact)
        Detector(sface_artifact.detector)
        # Three there are, and of them the two that were used last.
        assert len(kept(tmp_path)) == 2
