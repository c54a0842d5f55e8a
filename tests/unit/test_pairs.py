"""LFW's list of pairs, and scoring all pairs of a set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact
from model.runtimes.openvino_runtime import OpenVinoRuntime
from training.pairs import all_pairs, read_lfw_pairs
from training.pictures import Embedded

LIST = """\
2\t2
Ada_Lovelace\t1\t4
Alan_Turing\t2\t13
Ada_Lovelace\t1\tAlan_Turing\t1
Grace_Hopper\t7\tAlan_Turing\t2
Grace_Hopper\t1\t2
Ada_Lovelace\t2\t3
Grace_Hopper\t1\tAda_Lovelace\t1234
Alan_Turing\t1\tAda_Lovelace\t4
"""


def test_pairs_with_folds(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(LIST)
    pairs, same, folds = read_lfw_pairs(path)
    assert pairs[0] == (
        "Ada_Lovelace/Ada_Lovelace_0001.jpg",
        "Ada_Lovelace/Ada_Lovelace_0004.jpg",
    )
    assert pairs[3] == ("Grace_Hopper/Grace_Hopper_0007.jpg", "Alan_Turing/Alan_Turing_0002.jpg")
    assert pairs[6][1] == "Ada_Lovelace/Ada_Lovelace_1234.jpg"
    assert same == [True, True, False, False] * 2
    assert folds == [0, 0, 0, 0, 1, 1, 1, 1]


def test_pairs_of_the_development_list_are_one_fold(tmp_path: Path) -> None:
    path = tmp_path / "pairsDevTest.txt"
    path.write_text("2\n" + "\n".join(LIST.splitlines()[1:5]))
    pairs, same, folds = read_lfw_pairs(path)
    assert (len(pairs), sum(same), set(folds)) == (4, 2, {0})


def test_a_line_that_is_no_pair_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(LIST.replace("Alan_Turing\t2\t13", "Alan_Turing\t2"))
    with pytest.raises(ValueError, match=r"pairs\.txt: line 3 is not a pair"):
        read_lfw_pairs(path)


def test_all_pairs_are_scored_once(artifact: Artifact) -> None:
    generator = np.random.default_rng(2)
    rows = generator.normal(size=(40, artifact.manifest.embedding_size))
    embeddings = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    names = tuple(f"{number % 7}/{number}.jpg" for number in range(40))
    identities = np.array([name.split("/")[0] for name in names])
    embedded = Embedded(names, identities, embeddings, ())
    runtime = OpenVinoRuntime(artifact)
    found = all_pairs(embedded, runtime, quiet=True)
    seen = set()
    for (one, other), score, same in zip(found.rows, found.scores, found.same, strict=True):
        by_itself = float(runtime.score(embeddings[one], embeddings[[other]])[0])
        assert score == pytest.approx(by_itself, abs=1e-5)
        assert same == (identities[one] == identities[other])
        seen.add((int(one), int(other)))
    assert seen == {(one, other) for one in range(40) for other in range(one + 1, 40)}
    assert found.images.tolist() == [6, 6, 6, 6, 6, 5, 5]
    assert len(found.genuine) + len(found.impostor) == 40 * 39 // 2
    assert (np.diff(found.impostor) <= 0).all()
