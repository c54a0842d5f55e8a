"""semblance: enrol, verify, compare, identify; watch a folder or a camera.

The service is the one of --url or SEMBLANCE_URL, the key that of SEMBLANCE_KEY or in
--key-file: a key on the command line would be seen by everybody on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from semblance_client.cli import camera, watch
from semblance_client.cli.say import Said, Say, comparison, enrolment, identification, verification
from semblance_client.client import Client
from semblance_client.errors import SemblanceClientError
from semblance_client.settings import KEY_VARIABLE, URL_VARIABLE

VERIFIED: Final = 0
NOT_VERIFIED: Final = 1
FAILED: Final = 2

_Judge = Callable[[Client, argparse.Namespace], Said]


def main(arguments: list[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit status: 0 if it was done, and the face is the one; 1 if it is not, or not
        every picture was taken; 2 if it could not be judged.
    """
    chosen = _parser().parse_args(arguments)
    say = Say(as_json=chosen.json)
    try:
        with Client(chosen.url, _key(chosen.key_file), timeout_s=chosen.timeout) as client:
            if chosen.command == "watch":
                watch.watch(client, chosen, say)
                return VERIFIED
            if chosen.command == "camera":
                camera.watch_camera(client, chosen, say)
                return VERIFIED
            judge: _Judge = chosen.judge
            said = judge(client, chosen)
    except KeyboardInterrupt:
        return FAILED
    except (SemblanceClientError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    say(said)
    return VERIFIED if said.good else NOT_VERIFIED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="semblance", description=__doc__)
    parser.add_argument("--url", help=f"of the service; default: {URL_VARIABLE}, or this machine")
    parser.add_argument("--key-file", type=Path, help=f"holds the key; default: {KEY_VARIABLE}")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, with all")
    parser.add_argument("--timeout", type=float, default=60.0, help="of one request, in seconds")
    commands = parser.add_subparsers(dest="command", required=True)

    enroll = commands.add_parser("enroll", help="enrol pictures of one person")
    enroll.add_argument("identity")
    enroll.add_argument("images", nargs="+", type=Path)
    enroll.add_argument("--consent", help="where the person's consent is on record")
    enroll.set_defaults(judge=_enroll)

    verify = commands.add_parser("verify", help="is it the person who enrolled?")
    verify.add_argument("identity")
    verify.add_argument("image", type=Path)
    verify.add_argument("--fusion", choices=["share", "max", "mean", "centroid"])
    _add_rate(verify)
    verify.set_defaults(judge=_verify)

    compare = commands.add_parser("compare", help="do two pictures show one person?")
    compare.add_argument("image_a", type=Path)
    compare.add_argument("image_b", type=Path)
    _add_rate(compare)
    compare.set_defaults(judge=_compare)

    identify = commands.add_parser("identify", help="who of those enrolled is it?")
    identify.add_argument("image", type=Path)
    identify.add_argument("--fpir", type=float, help="false positive identification rate, as 0.01")
    identify.set_defaults(judge=_identify)

    watch.add_arguments(commands)
    camera.add_arguments(commands)
    return parser


def _add_rate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fmr", type=float, help="the false match rate to decide by, such as 1e-4")


def _key(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(KEY_VARIABLE)
    return file.read_text(encoding="utf-8").strip()


def _enroll(client: Client, asked: argparse.Namespace) -> Said:
    return enrolment(client.enroll(asked.identity, asked.images, consent=asked.consent))


def _verify(client: Client, asked: argparse.Namespace) -> Said:
    return verification(
        client.verify(asked.identity, asked.image, fmr=asked.fmr, fusion=asked.fusion)
    )


def _compare(client: Client, asked: argparse.Namespace) -> Said:
    return comparison(client.compare(asked.image_a, asked.image_b, fmr=asked.fmr))


def _identify(client: Client, asked: argparse.Namespace) -> Said:
    return identification(client.identify(asked.image, max_fpir=asked.fpir))


if __name__ == "__main__":
    sys.exit(main())
