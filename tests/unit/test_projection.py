"""The learned projection against covariances known beforehand, and its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.types import AnyArray, Array
from training.pictures import Embedded
from training.profiles import PROJECTION_FILE
from training.projection import (
    SHRINK,
    Fitted,
    fit_projection,
    fitted_on,
    read_projection,
    write_projection,
)

D = 12


def test_the_map_makes_the_known_covariance_round() -> None:
    """W drawn towards the round one by SHRINK, then L L^T = W^-1, up to one factor."""
    within = _covariance(1)
    rows, owner = _people(within, identities=400, pictures=50)
    found = fit_projection(rows, owner).matrix.astype(np.float64)
    drawn = (1 - SHRINK) * within + SHRINK * np.trace(within) / D * np.eye(D)
    expected = np.linalg.inv(drawn)
    expected *= D / np.trace(expected)
    assert np.abs(found @ found.T - expected).max() < 0.03
    rounded = found.T @ drawn @ found
    assert np.allclose(rounded / rounded[0, 0], np.eye(D), atol=0.05)
    # As far from round before as would be noticed.
    assert np.linalg.cond(drawn) > 2


def test_it_is_the_covariance_within_each_identity() -> None:
    """Against NumPy's covariance of one identity at a time, pooled; of uneven numbers."""
    rows, owner = _people(_covariance(2), identities=30, pictures=9)
    kept = np.random.default_rng(5).random(len(rows)) < 0.5
    kept[owner == "p7"] = False
    kept[np.flatnonzero(owner == "p7")[0]] = True  # one picture alone says nothing
    rows, owner = rows[kept], owner[kept]
    scatter, degrees = np.zeros((D, D)), 0
    for name in np.unique(owner):
        own = rows[owner == name].astype(np.float64)
        if len(own) > 1:
            scatter += np.cov(own.T) * (len(own) - 1)
            degrees += len(own) - 1
    within = scatter / degrees
    expected = np.linalg.inv((1 - SHRINK) * within + SHRINK * np.trace(within) / D * np.eye(D))
    expected *= D / np.trace(expected)
    projection = fit_projection(rows, owner)
    matrix = projection.matrix.astype(np.float64)
    assert np.abs(matrix @ matrix.T - expected).max() < 1e-4
    # The offset brings the mean of all pictures to zero.
    middle = rows.mean(axis=0, dtype=np.float64) @ matrix + projection.offset
    assert np.abs(middle).max() < 1e-4


def test_people_differ_and_it_does_not_matter() -> None:
    """What lies between identities has no part in it."""
    within = _covariance(3)
    near, owner = _people(within, identities=60, pictures=10, apart=0.1)
    far, _ = _people(within, identities=60, pictures=10, apart=50.0)
    one, other = (fit_projection(rows, owner).matrix for rows in (near, far))
    assert np.abs(one - other).max() < 1e-3


def test_a_direction_in_which_one_person_varies_counts_less() -> None:
    within = np.diag([9.0, *[1.0] * (D - 1)])
    rows, owner = _people(within, identities=100, pictures=20)
    matrix = fit_projection(rows, owner).matrix
    assert np.linalg.norm(matrix[0]) < 0.6 * np.linalg.norm(matrix[1])


def test_one_picture_of_each_is_too_few() -> None:
    rows = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="expected two pictures of one identity"):
        fit_projection(rows, np.array(["a", "b", "c"]))


def test_no_pictures_are_too_few() -> None:
    with pytest.raises(ValueError, match="expected two pictures of one identity"):
        fit_projection(np.zeros((0, 3), dtype=np.float32), np.zeros(0, dtype="U1"))


def test_a_fifth_of_the_identities_is_left_out() -> None:
    rows, owner = _people(np.eye(256), identities=20, pictures=6)
    names = tuple(f"{name}/{number}.jpg" for number, name in enumerate(owner))
    fitted = fitted_on(Embedded(names, owner, rows, ()), "made up")
    assert fitted.provenance["identities"] == 16
    assert fitted.provenance["identities_held_out"] == 4
    assert fitted.provenance["pictures"] == 96
    assert fitted.projection.matrix.shape == (128, 128)
    # dlib's half does not enter, nor the length of SFace's.
    changed = np.concatenate([3 * rows[:, :128], rows[:, :127:-1]], axis=1)
    again = fitted_on(Embedded(names, owner, changed, ()), "made up")
    assert np.abs(fitted.projection.matrix - again.projection.matrix).max() < 1e-4


def test_what_is_written_is_read_back_to_eleven_bits(tmp_path: Path) -> None:
    rows, owner = _people(_covariance(4), identities=30, pictures=8)
    projection = fit_projection(rows, owner)
    path = tmp_path / "projection.json"
    write_projection(path, Fitted(projection, {"dataset": "made up", "shrink": SHRINK}))
    again = read_projection(path)
    assert json.loads(path.read_text())["provenance"] == {"dataset": "made up", "shrink": SHRINK}
    for one, other in ((projection.matrix, again.matrix), (projection.offset, again.offset)):
        assert other.dtype == np.float32
        assert one.shape == other.shape
        # Numbers below the smallest normal one of 16 bits lose more, which is nothing.
        assert (np.abs(one - other) <= np.maximum(np.abs(one) * 2**-11, 2**-24)).all()
    write_projection(path, Fitted(again, {}))
    assert np.array_equal(read_projection(path).matrix, again.matrix)


def test_the_one_kept_with_the_code_is_whole() -> None:
    kept = read_projection(PROJECTION_FILE)
    assert kept.matrix.shape == (128, 128)
    assert kept.offset.shape == (128,)
    assert np.isfinite(kept.matrix).all()
    assert 1 < np.linalg.cond(kept.matrix) < 10
    # Of the form that is fitted: triangular, and a mean square of 1 a row.
    assert np.allclose(np.triu(kept.matrix, 1), 0)
    assert np.trace(kept.matrix @ kept.matrix.T) == pytest.approx(128, rel=1e-3)


def _covariance(seed: int) -> AnyArray:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(D, D)))
    covariance: AnyArray = (turn * np.geomspace(0.2, 5, D)) @ turn.T
    return covariance


def _people(
    within: AnyArray, *, identities: int, pictures: int, apart: float = 1.0
) -> tuple[Array, AnyArray]:
    generator = np.random.default_rng(8)
    middles = apart * generator.normal(size=(identities, len(within)))
    spread = generator.multivariate_normal(np.zeros(len(within)), within, identities * pictures)
    rows = (np.repeat(middles, pictures, axis=0) + spread).astype(np.float32)
    return rows, np.repeat([f"p{number}" for number in range(identities)], pictures)
