"""Unpacking: what is honest comes out whole, what is not leaves nothing."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from training.data.archive import UnpackLimits, unpack
from training.data.errors import DataError

CONTENT = {"set/ann/1.jpg": b"one", "set/ann/2.jpg": b"", "set/bob/1.jpg": bytes(range(256)) * 20}


def tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]
        for member, content in members:
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def files(content: dict[str, bytes]) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(member(name), data) for name, data in content.items()]


def refused(archive: Path, limits: UnpackLimits | None = None) -> str:
    """The sentence; nothing but the archive may be left."""
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(DataError) as caught:
        unpack(archive, archive.parent / "out", limits or UnpackLimits())
    assert sorted(archive.parent.rglob("*")) == before
    text = str(caught.value)
    assert "\n" not in text
    return text


def unpacked(archive: Path) -> dict[str, bytes]:
    out = archive.parent / "out"
    unpack(archive, out, UnpackLimits())
    assert sorted(path.name for path in archive.parent.iterdir()) == sorted([archive.name, "out"])
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_comes_out_whole_whatever_its_name(tmp_path: Path, mode: str) -> None:
    folder = (member("./set", tarfile.DIRTYPE), b"")
    assert unpacked(tar(tmp_path / "data", [folder, *files(CONTENT)], mode)) == CONTENT


def test_a_zip_comes_out_whole(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.bin", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.mkdir("set")
        for name, content in CONTENT.items():
            packed.writestr(name, content)
    assert unpacked(tmp_path / "data.bin") == CONTENT


def test_a_long_name_is_no_lie(tmp_path: Path) -> None:
    name = "/".join(["a" * 120] * 3) + "/1.jpg"
    assert unpacked(tar(tmp_path / "a.tar", files({name: b"x"}))) == {name: b"x"}


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/out.jpg", "a/../../out.jpg", "..\\out.jpg"])
def test_a_member_outside_is_refused(tmp_path: Path, name: str) -> None:
    content = {"a/1.jpg": b"fine", name: b"not"}
    assert "lies outside of the archive" in refused(tar(tmp_path / "a.tgz", files(content)))
    (tmp_path / "a.tgz").unlink()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for key, data in content.items():
            packed.writestr(key, data)
    assert "lies outside of the archive" in refused(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "special file"),
    ],
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes, said: str) -> None:
    members = [*files(CONTENT), (member("set/ann/3.jpg", kind, "1.jpg"), b"")]
    assert said in refused(tar(tmp_path / "a.tar", members))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        link = zipfile.ZipInfo("a/1.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    assert "a link" in refused(tmp_path / "a.zip")


def test_a_tar_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    bomb = tar(tmp_path / "a.tgz", files({"a/1.jpg": bytes(80 << 20)}))
    assert bomb.stat().st_size < 1 << 20
    assert "decompression bomb" in refused(bomb)


def test_a_zip_that_lies_about_sizes_is_counted_while_writing(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/1.jpg", bytes(5000))
    limits = UnpackLimits(max_bytes=4000)
    assert "more than 4000 bytes, the limit" in refused(path, limits)
    # The same archive, which now claims to hold ten bytes.
    raw = path.read_bytes().replace(struct.pack("<I", 5000), struct.pack("<I", 10))
    path.write_bytes(raw)
    refused(path, limits)


def test_a_header_as_large_as_a_bomb_is_not_taken_into_memory(tmp_path: Path) -> None:
    header = member("././@PaxHeader", tarfile.XHDTYPE)
    assert "a header of" in refused(
        tar(tmp_path / "a.tgz", [*files(CONTENT), (header, bytes(8 << 20))])
    )


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    archive = tar(tmp_path / "a.tar", files(CONTENT))
    assert "more than 2 members" in refused(archive, UnpackLimits(max_members=2))


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    twice = [*files({"a": b"1"}), *files({"a": b"2"})]
    assert "more than once" in refused(tar(tmp_path / "a.tar", twice))
    below = files({"a": b"1", "a/b": b"2"})
    assert "more than once" in refused(tar(tmp_path / "a.tar", below))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_cut_archive_is_refused(tmp_path: Path, mode: str) -> None:
    archive = tar(tmp_path / "a.tar", files({"a/1.jpg": bytes(range(256)) * 400}), mode)
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) // 2] if mode != "w" else data[:4000])
    assert "broken" in refused(archive)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"a text that is no archive at all" * 100, b"\x1f\x8b", b"PK\x03\x04"):
        (tmp_path / "a.tar").write_bytes(content)
        refused(tmp_path / "a.tar")
