"""multipart/form-data as its fields, in one go over a body that is in memory.

Starlette's own parser writes each file into a temporary one, piece by piece, and
reads it back; here a file is one slice of the body.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

from service.core.enrol import Upload

_MAX_FILENAME = 255
_MAX_FIELDS = 32
_MAX_FIELD_BYTES = 16 * 1024


class BadForm(Exception):
    """A form that cannot be read, or has more than it may; the text says so."""


def form_fields(content_type: str, body: bytes, max_files: int) -> list[tuple[str, Upload | str]]:
    """The fields of a form in their order; a part with a file name is an upload.

    Args:
        content_type: The header, with the boundary.

    Raises:
        BadForm
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if boundary is None:
        raise BadForm("Missing boundary in multipart.")
    try:
        form = _Form(_charset(options.get(b"charset", b"utf-8")), max_files)
        parser = MultipartParser(boundary, form.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise BadForm("Invalid multipart data.") from error
    except ValueError as error:
        raise BadForm("the form cannot be read") from error
    return form.fields


class _Form:
    """What the parser's callbacks gather."""

    def __init__(self, charset: str, max_files: int) -> None:
        self.fields: list[tuple[str, Upload | str]] = []
        self._charset = charset
        self._max_files = max_files
        self._files = self._texts = 0
        self._header_name = self._header_value = b""
        self._disposition: bytes | None = None
        self._name = ""
        self._filename: str | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_header_field": self._in_header_name,
            "on_header_value": self._in_header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
        }

    def _part_begin(self) -> None:
        self._disposition = None
        self._pieces = []
        self._size = 0

    def _in_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _in_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise BadForm('The Content-Disposition header field "name" must be provided.')
        self._name = self._text(options[b"name"])
        filename = options.get(b"filename")
        self._filename = None if filename is None else self._text(filename)
        if self._filename is None:
            self._texts += 1
            if self._texts > _MAX_FIELDS:
                raise BadForm(f"Too many fields. Maximum number of fields is {_MAX_FIELDS}.")
        else:
            self._files += 1
            if self._files > self._max_files:
                raise BadForm(f"Too many files. Maximum number of files is {self._max_files}.")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._filename is None and self._size > _MAX_FIELD_BYTES:
            raise BadForm(f"Part exceeded maximum size of {_MAX_FIELD_BYTES // 1024}KB.")
        self._pieces.append(data[start:end])

    def _part_end(self) -> None:
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        if self._filename is None:
            self.fields.append((self._name, self._text(content)))
            return
        # Shown in answers and on the page: what cannot be printed is left out.
        shown = "".join(c for c in self._filename if c.isprintable())[:_MAX_FILENAME]
        self.fields.append((self._name, Upload(content, shown or None)))

    def _text(self, data: bytes) -> str:
        try:
            return data.decode(self._charset)
        except (UnicodeDecodeError, LookupError):
            return data.decode("latin-1")


def _charset(name: bytes) -> str:
    """The codec's name; Latin-1, which reads anything, for one that there is not."""
    try:
        return codecs.lookup(name.decode("latin-1")).name
    except LookupError:
        return "latin-1"
