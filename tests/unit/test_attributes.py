"""Tables of attributes as people write them, and the pose that is told from landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.faces import Face
from tests.pictures import without_face
from training.attributes.measure import MEASURED, values_of
from training.attributes.table import MOST_GROUPS, read_attributes
from training.data.errors import DataError

# A mean face in millimetres: right and left eye, tip of the nose, corners of the mouth;
# to the image's right, down, towards the camera.
MEAN_FACE = np.array(
    [[-31.5, 0, 0], [31.5, 0, 0], [0, 34, 26], [-25, 64, 2], [25, 64, 2]], dtype=np.float64
)


def file(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return path


def ages(count: int) -> str:
    return "".join(f"p{n}/1.jpg,{20 + n}\n" for n in range(count))


def test_groups_by_identity_and_numbers_by_picture(tmp_path: Path) -> None:
    found = read_attributes(file(tmp_path, "identity,Group\nann,x\nbob, y \ncid,\n"))
    assert (found.key, found.keys) == ("identity", ("ann", "bob", "cid"))
    (group,) = found.attributes
    assert (group.name, group.groups, group.numbers) == ("group", {"ann": "x", "bob": "y"}, None)
    text = "\ufeffpicture;age;glasses\r\n" + ages(12).replace(",", ";").replace("\n", ";0\r\n")
    found = read_attributes(file(tmp_path, text + "a\\2.jpg;;1\r\n"))
    age, glasses = found.attributes
    assert found.key == "picture"
    assert age.numbers == {f"p{n}/1.jpg": 20 + n for n in range(12)}
    assert glasses.groups is not None
    assert glasses.groups["a/2.jpg"] == "1"
    assert "a/2.jpg" in found.keys


def test_ten_different_numbers_are_groups(tmp_path: Path) -> None:
    (age,) = read_attributes(file(tmp_path, "picture,age\n" + ages(10))).attributes
    assert age.numbers is None
    (age,) = read_attributes(file(tmp_path, "picture,age\n" + ages(11))).attributes
    assert age.groups is None


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    path = file(tmp_path, "identity,picture,a,b,c\nann,ann/1.jpg,1,2,3\n")
    assert [one.name for one in read_attributes(path).attributes] == ["a", "b", "c"]
    assert [one.name for one in read_attributes(path, ("C", "a", "a")).attributes] == ["c", "a"]
    with pytest.raises(DataError, match=r"expected a column age in line 1 of 'table\.csv', found"):
        read_attributes(path, ("age",))


TOO_MANY = "".join(f"p{n}/1.jpg,name {n}\n" for n in range(MOST_GROUPS + 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a header, found 'table.csv' empty"),
        (
            "name,group\nann,x\n",
            "a column identity or picture in line 1 of 'table.csv', found name",
        ),
        ("identity\nann\n", "expected a column for each attribute in line 1"),
        ("identity,group\n", "expected at least one identity, found none"),
        ("identity,group\nann,x\nann,x\n", "found 'ann' again, line 3 of 'table.csv'; it was in"),
        (
            "picture,group\na/1.jpg,x\na\\1.jpg,x\n",
            "each picture once, found 'a/1.jpg' again, line",
        ),
        ("identity,group\n,x\n", "expected a value under 'identity', found none, line 2"),
        ("identity,group\nann\n", "expected 2 fields, found 1, line 2"),
        ("identity,group\nann,\n", "expected a value under 'group', found none in 'table.csv'"),
        ("picture,group\n../ann,x\n", "expected a path below the images folder, found '../ann'"),
        (
            "picture,age\n" + ages(12) + "x/1.jpg,old\n",
            "number under 'age', as in other rows, foun",
        ),
        ("picture,age\n" + ages(12) + "x/1.jpg,inf\n", "found 'inf', line 14 of 'table.csv'"),
        ("picture,who\n" + TOO_MANY, "at most 50 groups, under 'who' of 'table.csv', found 51 val"),
        ('picture,note\na/1.jpg,"' + "x" * 200_000 + '"\n', "expected lines of fields"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_attributes(file(tmp_path, text))
    assert said in str(caught.value)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a CSV file, found none named 'no\.csv'"):
        read_attributes(tmp_path / "no.csv")
    (tmp_path / "latin.csv").write_bytes("identity,group\nJosé,x\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"expected UTF-8 text in 'latin\.csv'"):
        read_attributes(tmp_path / "latin.csv")


def turned(degrees: float, *, mirrored: bool = False) -> dict[str, float]:
    """The numbers of the mean face with its head turned, drawn 2 pixels a millimetre."""
    angle = np.radians(degrees)
    x = MEAN_FACE[:, 0] * np.cos(angle) + MEAN_FACE[:, 2] * np.sin(angle)
    marks = np.stack([x, MEAN_FACE[:, 1]], axis=1) * 2 + [200, 100]
    if mirrored:
        # What was the right eye is the left one in a mirror.
        marks[:, 0] = 400 - marks[:, 0]
        marks = marks[[1, 0, 2, 4, 3]]
    face = Face(100, 50, 200, 200, marks.astype(np.float32), 0.9)
    return values_of(without_face(400, 400), face)


def test_yaw_grows_with_the_angle_and_turns_around_in_a_mirror() -> None:
    angles = (-50, -30, -15, 0, 15, 30, 50)
    yaw = [turned(angle)["yaw"] for angle in angles]
    assert yaw == sorted(yaw)
    assert len(set(yaw)) == len(yaw)
    assert [turned(angle, mirrored=True)["yaw"] for angle in angles] == pytest.approx(
        [-one for one in yaw], abs=1e-6
    )
    # The figures that the module names.
    for angle, named in ((15, 0.21), (30, 0.46), (45, 0.79), (55, 1), (75, 1)):
        assert turned(angle)["yaw"] == pytest.approx(named, abs=0.02)


def test_the_eyes_distance_is_in_pixels_of_the_picture() -> None:
    found = turned(0)
    assert tuple(found) == MEASURED
    assert found["eyes_px"] == pytest.approx(126)
    assert turned(60)["eyes_px"] == pytest.approx(63)
    assert found["roll_degrees"] == pytest.approx(0)
