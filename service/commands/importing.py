"""`python -m service import`: enrols a folder of folders, one an identity.

What is there already is not looked at again, so that whoever stops it, by Ctrl-C or by
`kill -9`, runs it once more: the store tells which files' pictures it has, and the report
of rejects which it did not take.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from model.errors import SemblanceError
from service.commands.context import context
from service.core.access import DEFAULT_COLLECTION, check_collection

if TYPE_CHECKING:
    from service.commands.import_folder import Person, Unusable
    from service.commands.import_worker import Reject, Result


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "import", help="enrol the pictures of a folder that has one folder for each identity"
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--collection", default=DEFAULT_COLLECTION)
    parser.add_argument(
        "--faces",
        choices=("error", "largest", "center"),
        default="error",
        help="which face to take of several (default: error, the picture is rejected)",
    )
    parser.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes (default: the cores)"
    )
    parser.add_argument(
        "--rejects",
        type=Path,
        default=Path("import-rejects.ndjson"),
        help="where to write, one line each, what was not enrolled and why; those that it names "
        "already are passed over (default: %(default)s)",
    )
    parser.add_argument(
        "--again", action="store_true", help="look at those again, and write the report anew"
    )
    parser.set_defaults(run=import_people)


@dataclass
class Sum:
    """What came of all.

    Attributes:
        passed_over: Pictures that an earlier run rejected.
        stopped: Somebody ended it.
    """

    identities: int = 0
    stored: int = 0
    known: int = 0
    conflicts: int = 0
    passed_over: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    stopped: bool = False

    def add(self, result: Result) -> None:
        self.identities += 1
        self.stored += result.stored
        self.known += result.known
        self.conflicts += result.conflicts
        self.codes.update(reject.code for reject in result.rejects)


def import_people(chosen: argparse.Namespace) -> int:
    """0 if all is enrolled; 1 if something was rejected, or somebody stopped it."""
    from model.runtimes.network import cores
    from service.commands.import_crew import Crew

    # `kill` ends it as Ctrl-C does, after the people that are being done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    collection = check_collection(chosen.collection)
    with context(make=True) as at_hand:
        # Made, and brought up to date, before several open it.
        at_hand.record("import", collection, outcome="begun")
        rejected = _Rejects(chosen.rejects, anew=chosen.again)
        total = Sum()
        begun = time.monotonic()
        try:
            people = list(_people(chosen.folder, rejected, total))
            with rejected, Crew(collection, chosen.faces, chosen.workers or cores()) as crew:
                for result in crew.enrolled(people):
                    total.add(result)
                    rejected.add(result.rejects)
        except KeyboardInterrupt:
            total.stopped = True
        details = {"identities": total.identities, "accepted": total.stored}
        outcome = "stopped" if total.stopped else "ok"
        at_hand.record("import", collection, outcome=outcome, details=details)
    _say(total, time.monotonic() - begun, chosen.rejects)
    return 1 if total.stopped or total.codes else 0


class _Rejects:
    """The report: a line of JSON for each picture, on the disk as soon as it is known."""

    def __init__(self, path: Path, *, anew: bool) -> None:
        self._path, self._anew = path, anew
        self._before = set() if anew else set(_read(path))
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        flags = os.O_CREAT | os.O_WRONLY | (os.O_TRUNC if self._anew else os.O_APPEND)
        # Names of people are in it.
        self._file = os.fdopen(os.open(self._path, flags, 0o600), "w", encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        assert self._file is not None
        self._file.close()

    def has(self, identity: str, file: str) -> bool:
        return (identity, file) in self._before

    def add(self, rejects: list[Reject]) -> None:
        assert self._file is not None
        for reject in rejects:
            self._file.write(json.dumps(asdict(reject)) + "\n")
        self._file.flush()


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """Identity and file of each line of an earlier report.

    Raises:
        SemblanceError: If it is none.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            try:
                content = json.loads(line)
                yield content["identity"], content["file"]
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith("\n"):
                    return  # cut off when it was killed
                raise SemblanceError(
                    f"line {number} of '{path}' is none of a report; name another with --rejects"
                ) from error


def _people(folder: Path, rejected: _Rejects, total: Sum) -> Iterator[Person]:
    from service.commands.import_folder import Unusable, people_in

    for found in people_in(folder):
        if isinstance(found, Unusable):
            total.codes["invalid_request"] += 1
            print(f"passed over: {_in_words(found)}", file=sys.stderr)
            continue
        names = tuple(name for name in found.names if not rejected.has(found.identity, name))
        total.passed_over += len(found.names) - len(names)
        if names:
            yield replace(found, names=names)


def _in_words(found: Unusable) -> str:
    return f"the folder {found.name!r}: {found.detail}"


def _say(total: Sum, seconds: float, report: Path) -> None:
    looked = total.stored + sum(total.codes.values())
    print(
        f"{total.stored} pictures of {total.identities} identities were enrolled in "
        f"{seconds:.1f} s ({looked / max(seconds, 1e-9):.1f} pictures a second); "
        f"{total.known} were there before"
    )
    if total.conflicts:
        print(f"{total.conflicts} seem to be of somebody else: the page and the API mark them")
    if total.passed_over:
        print(f"{total.passed_over} that an earlier run rejected were passed over (--again)")
    for code, count in total.codes.most_common():
        print(f"{count} rejected: {code}")
    if total.codes:
        print(f"which ones, and why: {report}")
    if total.stopped:
        print("stopped; run it again to go on")
