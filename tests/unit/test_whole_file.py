"""A new file is there whole or not at all, whatever else happens to its name."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from service.commands.whole_file import whole_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_it_gets_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as file:
        file.write(b"content")
        assert names(tmp_path) == [".file.part"]
        assert stat.S_IMODE((tmp_path / ".file.part").stat().st_mode) == 0o600
    assert names(tmp_path) == ["file"]
    assert path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_at_an_error_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "file")
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_begun_anew(tmp_path: Path) -> None:
    part = tmp_path / ".file.part"
    part.write_bytes(b"much longer than what comes")
    part.chmod(0o644)
    with whole_file(tmp_path / "file") as file:
        file.write(b"new")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_two_at_once_do_not_write_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as file:
        with pytest.raises(BlockingIOError, match="another process"), whole_file(path):
            pytest.fail("it was begun")
        file.write(b"the first")
    assert path.read_bytes() == b"the first"


def test_nothing_is_put_over_what_came_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(FileExistsError), whole_file(path):
        path.write_bytes(b"precious")
    assert names(tmp_path) == ["file"]
    assert path.read_bytes() == b"precious"


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".file.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), whole_file(tmp_path / "file"):
        pytest.fail("it was begun")
    assert names(tmp_path) == [".file.part"]
