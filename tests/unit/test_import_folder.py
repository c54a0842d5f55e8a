"""Which pictures of which identities are in a folder that is to be imported."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from service.commands.import_folder import Person, Unusable, people_in
from service.core.errors import InvalidRequest
from service.core.ports import About


def test_one_folder_an_identity(tmp_path: Path) -> None:
    for name in (
        "b/2.jpg",
        "b/1.jpg",
        "b/.hidden",
        "b/deeper/3.jpg",
        ".git/x",
        "a b/x",
        "loose.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "-").mkdir()
    (tmp_path / "empty").mkdir()
    found = list(people_in(tmp_path))
    assert found[1:] == [
        Person("a b", tmp_path / "a b", ("x",)),
        Person("b", tmp_path / "b", ("1.jpg", "2.jpg")),
        Person("empty", tmp_path / "empty", ()),
    ]
    assert isinstance(found[0], Unusable)
    assert "begins with a letter or digit" in found[0].detail


def test_a_name_in_its_composed_form(tmp_path: Path) -> None:
    (tmp_path / "Zoe\u0308").mkdir()
    (one,) = people_in(tmp_path)
    assert isinstance(one, Person)
    assert one.identity == "Zo\u00eb"


def test_what_an_export_wrote_beside_the_pictures(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    content = {"identity": "Ada", "consent": "file 7", "metadata": {"team": "b"}}
    (tmp_path / "x" / "identity.json").write_text(json.dumps(content))
    (tmp_path / "x" / "1.jpg").write_text("x")
    about = About("file 7", {"team": "b"})
    assert list(people_in(tmp_path)) == [Person("Ada", tmp_path / "x", ("1.jpg",), about)]


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{", "[" * 60_000, '{"identity": 3}', '{"identity": "a/b"}', "{}", "\0"),
        '{"identity": "a", "metadata": [1]}',
        '{"identity": "a", "metadata": {"a": 1}}',
        '{"identity": "a", "consent": 3}',
        json.dumps({"identity": "a", "consent": "x" * 257}),
        json.dumps({"identity": "a", "more": "x" * 70_000}),
    ],
)
def test_a_sidecar_that_cannot_be_used(tmp_path: Path, content: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "identity.json").write_text(content)
    (one,) = people_in(tmp_path)
    assert isinstance(one, Unusable)
    assert one.name == "x"
    assert one.detail


def test_a_sidecar_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "identity.json").write_bytes(os.urandom(50) + b"\xff")
    (one,) = people_in(tmp_path)
    assert isinstance(one, Unusable)


def test_what_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="is not a folder"):
        list(people_in(tmp_path / "none"))
    with pytest.raises(InvalidRequest, match="has no folder in it"):
        list(people_in(tmp_path))
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidRequest, match="is not a folder"):
        list(people_in(tmp_path / "file"))
