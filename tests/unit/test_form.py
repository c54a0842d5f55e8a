"""Forms are read as Starlette's own parser reads them, whatever the bytes are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.api.form import BadForm, form_fields
from service.core.enrol import Upload

TYPE = "multipart/form-data; boundary=xx"
Fields = list[tuple[str, bytes | str, str | None]]


def ours(content_type: str, body: bytes) -> Fields | str:
    try:
        found = form_fields(content_type, body, 3)
    except BadForm as error:
        return str(error)
    return [
        (name, value.data, value.filename) if isinstance(value, Upload) else (name, value, None)
        for name, value in found
    ]


def theirs(content_type: str, body: bytes) -> Fields | str:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    async def read() -> Fields:
        headers = Headers({"content-type": content_type})
        parser = MultiPartParser(
            headers, whole(), max_files=3, max_fields=32, max_part_size=16 * 1024
        )
        found: Fields = []
        try:
            for name, value in (await parser.parse()).multi_items():
                if isinstance(value, UploadFile):
                    shown = "".join(c for c in value.filename or "" if c.isprintable())[:255]
                    found.append((name, await value.read(), shown or None))
                else:
                    found.append((name, value, None))
        finally:
            # Also those of a form that ended in the middle of one.
            for file in parser._files_to_close_on_error:
                file.close()
        return found

    try:
        return asyncio.run(read())
    except MultiPartException as error:
        return error.message
    except ValueError:
        return "the form cannot be read"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--xx\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--xx--\r\n"
BODIES = {
    "a field and a file": part("identity", b"ada") + part("image", b"\xff\xd8", "a.jpg") + END,
    "no end": part("identity", b"ada"),
    "nothing": b"",
    "only the end": END,
    "a preamble": b"hello\r\n" + part("identity", b"ada") + END,
    "blank lines before": b"\r\n\r\n" + part("identity", b"ada") + END,
    "something after": part("identity", b"ada") + END + b"more",
    "an empty name of a file": part("image", b"data", "") + END,
    "an empty file": part("image", b"", "a.jpg") + END,
    "half a boundary in a file": part("image", b"\r\n--x\r\n--xy\r\n-\r\r\n--", "a.jpg") + END,
    "a long text": part("identity", b"a" * 16_384) + END,
    "a text that is too long": part("identity", b"a" * 16_385) + END,
    "too many files": b"".join(part("image", b"x", "a") for _ in range(4)) + END,
    "many fields": b"".join(part(f"{n}", b"x") for n in range(32)) + END,
    "too many fields": b"".join(part(f"{n}", b"x") for n in range(33)) + END,
    "text that is no UTF-8": part("identity", b"\xff\xfe") + END,
    "a name in UTF-8": part("identität", "日本".encode(), "é\t.jpg") + END,
    "no name": b"--xx\r\nContent-Disposition: form-data\r\n\r\na\r\n--xx--",
    "no disposition": b"--xx\r\nX: y\r\n\r\na\r\n--xx--",
    "two dispositions": b'--xx\r\nContent-Disposition: form-data; name="a"\r\n'
    b'content-disposition: form-data; name="b"\r\n\r\nv\r\n--xx--',
    "a bad header": b"--xx\r\nno colon\r\n\r\n",
    "many headers": b"--xx\r\n" + b"X: y\r\n" * 100 + b"\r\n\r\n--xx--",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize(
    "content_type",
    [TYPE, 'Multipart/Form-Data; boundary="xx"; charset=latin-1', f"{TYPE}; charset=no-codec"],
)
def test_as_starlette_reads_it(content_type: str, body: bytes) -> None:
    assert ours(content_type, body) == theirs(content_type, body)


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"{TYPE[:-2]}{'x' * 5000}"],
)
def test_a_boundary_that_is_none(content_type: str) -> None:
    body = part("identity", b"ada") + END
    assert ours(content_type, body) == theirs(content_type, body)
    assert isinstance(ours(content_type, body), str)


PIECES = st.sampled_from(
    [
        *(b"--xx", b"--", b"\r\n", b"\r", b"\n", b"xx", b":", b"\r\n\r\n", b"\xff", b"text", END),
        *(b'Content-Disposition: form-data; name="a"', b'; filename="f"'),
        *(part("b", b"c"), part("d", b"e", "f")),
    ]
)


@given(pieces=st.lists(PIECES, max_size=12))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_pieces_of_a_form(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    assert ours(TYPE, body) == theirs(TYPE, body)


@given(content=st.binary(max_size=400), kept=st.booleans())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_a_file_comes_out_as_it_went_in(content: bytes, kept: bool) -> None:
    content = content.replace(b"\r\n--xx", b"") + (b"\r\n--x" if kept else b"")
    found = ours(TYPE, part("image", content, "a.jpg") + END)
    assert found == [("image", content, "a.jpg")]


def test_a_codec_of_bytes_is_none_of_text() -> None:
    body = part("identity", b"ada") + END
    assert ours(f"{TYPE}; charset=base64", body) == [("identity", "ada", None)]
