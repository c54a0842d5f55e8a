"""Two worker processes learn what one with the doubled batch learns."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.fit_samples import prepared, start, train
from training.data.chips import Tower


def free_ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    try:
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in taken]
    finally:
        for one in taken:
            one.close()


def losses(run: Path) -> list[float]:
    return [row["loss"] for row in json.loads((run / "history.json").read_text())]


@pytest.mark.long  # a minute and more: three processes with TensorFlow
def test_two_workers_are_one_with_the_doubled_batch(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    chips = prepared(tmp_path, faces, sface_artifact, Tower.KOCH, paper=True)
    fit = ("fit", chips, "--epochs", 2, "--pairs", 8, "--quiet")
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    workers = [
        start(
            *(*fit, "--batch", 2, "--strategy", "multi-worker", "--out", tmp_path / "two"),
            cluster=json.dumps(
                {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    try:
        said = [worker.communicate(timeout=200) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], said
    train(*fit, "--batch", 4, "--out", tmp_path / "one")
    train(*fit, "--batch", 4, "--strategy", "mirrored", "--out", tmp_path / "mirrored")
    alone = losses(tmp_path / "one")
    np.testing.assert_allclose(losses(tmp_path / "two"), alone, rtol=1e-3)
    np.testing.assert_allclose(losses(tmp_path / "mirrored"), alone, rtol=1e-3)
    # Half the batch is another course; the comparison can fail.
    train(*fit, "--batch", 2, "--out", tmp_path / "half")
    assert abs(losses(tmp_path / "half")[1] / alone[1] - 1) > 1e-3
