"""`python -m service keys`: make, list and revoke API keys; change the master key."""

from __future__ import annotations

import argparse
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from service.commands.context import context
from service.core.access import DEFAULT_COLLECTION, SCOPES, ApiKey, check_collection, check_scopes
from service.core.errors import InvalidRequest
from service.core.secrecy import MasterKeyError
from service.opening import master_key_source
from service.security.api_keys import new_key
from service.security.master_keys import new_master_key, parse_keys, write_keys
from service.security.site_keys import SETTLES_S, rotate
from service.settings import read_settings

_TITLES = ("id", "state", "scopes", "collection", "made", "expires", "limits", "name")
_UNITS = {"h": 3600, "d": 86_400, "w": 604_800}


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("keys", help="API keys and master keys")
    actions = parser.add_subparsers(dest="action", required=True)

    create = actions.add_parser("create", help="make an API key and show it, once")
    create.add_argument("--scope", required=True, help=f"of {', '.join(SCOPES)}; with commas")
    create.add_argument("--collection", default=DEFAULT_COLLECTION, help="the one that it opens")
    create.add_argument("--name", default="", help="what you call it")
    create.add_argument("--expires", metavar="90d", help="after so many hours (h), days, weeks (w)")
    create.add_argument("--rate", type=_positive, metavar="N", help="requests a minute")
    create.add_argument("--quota", type=_positive, metavar="N", help="requests a day")
    create.set_defaults(run=_create)

    listing = actions.add_parser("list", help="all API keys, without what opens")
    listing.set_defaults(run=_list)

    revoke = actions.add_parser("revoke", help="let an API key open nothing from now on")
    revoke.add_argument("key_id", help="its id, as `list` shows it")
    revoke.set_defaults(run=_revoke)

    rotate = actions.add_parser("rotate", help="wrap all data keys under a new master key")
    rotate.set_defaults(run=_rotate)

    signing = actions.add_parser("rotate-signing", help="sign results by a new key from now on")
    signing.add_argument(
        "--forget-old",
        action="store_true",
        help="let nothing that an older one signed pass any more: one has leaked",
    )
    signing.set_defaults(run=_rotate_signing)

    fresh = actions.add_parser("new-master", help="print a new master key, and change nothing")
    fresh.set_defaults(run=_new_master)


def _create(chosen: argparse.Namespace) -> int:
    scopes = check_scopes(scope.strip() for scope in chosen.scope.split(","))
    collection = check_collection(chosen.collection)
    now = datetime.now(UTC)
    expires_at = now + _span(chosen.expires) if chosen.expires else None
    with context(make=True) as at_hand:
        text, key = new_key(
            at_hand.opened.pepper,
            name=chosen.name,
            scopes=scopes,
            collection=collection,
            expires_at=expires_at,
            rate_per_minute=chosen.rate,
            quota_per_day=chosen.quota,
        )
        at_hand.store.keys.add_key(key)
        details = {"key": key.key_id, "scopes": ",".join(sorted(scopes))}
        at_hand.record("key_create", collection, details=details)
    print(text)
    return 0


def _list(_chosen: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with context() as at_hand:
        keys = at_hand.store.keys.all_keys()
    rows: list[tuple[str, ...]] = [
        ("id", "state", "scopes", "collection", "made", "expires", "limits", "name")
    ]
    rows += [_row(key, now) for key in keys]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return 0


def _row(key: ApiKey, now: datetime) -> tuple[str, ...]:
    state = "revoked" if key.revoked_at else "good" if key.is_good(now) else "expired"
    limits = [f"{key.rate_per_minute}/min"] if key.rate_per_minute else []
    limits += [f"{key.quota_per_day}/day"] if key.quota_per_day else []
    return (
        key.key_id,
        state,
        ",".join(scope for scope in SCOPES if scope in key.scopes),
        key.collection,
        f"{key.created_at:%Y-%m-%d}",
        f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "never",
        " ".join(limits) or "none",
        key.name,
    )


def _revoke(chosen: argparse.Namespace) -> int:
    with context() as at_hand:
        keys = at_hand.store.keys
        if not keys.revoke_key(chosen.key_id, datetime.now(UTC)):
            raise InvalidRequest(f"there is no key '{chosen.key_id}' that is not revoked already")
        key = keys.key(chosen.key_id)
        assert key is not None
        at_hand.record("key_revoke", key.collection, details={"key": key.key_id})
    print(f"revoked {chosen.key_id}")
    return 0


def _rotate(_chosen: argparse.Namespace) -> int:
    """A file of keys gets a new one; keys from elsewhere were changed there before."""
    settings = read_settings()
    source = master_key_source(settings)
    old = source.read()
    path = source.changeable_file
    if path is not None and len(old) == 1:
        # First the new one beside the old: whoever runs reads both from now on.
        write_keys(path, (*parse_keys(new_master_key(), "a new key"), *old))
    elif len(old) == 1:
        raise MasterKeyError(
            "put a new master key before the old one where it comes from (`python -m service keys "
            "new-master` prints one), start every service again, then run this again"
        )
    with context() as at_hand:
        # Who enrols just now may have wrapped a key by the old one.
        at_hand.store.wait_for_writers()
        count = at_hand.store.data_keys.rewrap()
    print(f"wrapped {count} keys under the new master key")
    if path is not None:
        write_keys(path, source.read()[:1])
        print(f"the old one is gone from {path.name}")
    else:
        print("the old one can be taken away, if every service was started with the new one")
    return 0


def _rotate_signing(chosen: argparse.Namespace) -> int:
    """The one before stays published, for what it has signed; those before it go."""
    with context() as at_hand:
        keys = at_hand.store.data_keys
        before = rotate(keys, now=time.time())
        gone = before if chosen.forget_old else before[:-1]
        keys.forget_service_keys(gone)
        at_hand.record("signing_key_rotate", DEFAULT_COLLECTION, details={"forgotten": len(gone)})
    at = "at once" if chosen.forget_old or not before else f"in {SETTLES_S} seconds"
    print(f"a new key signs {at}; {len(gone)} older ones are forgotten")
    return 0


def _new_master(_chosen: argparse.Namespace) -> int:
    print(new_master_key())
    return 0


def _span(text: str) -> timedelta:
    form = re.fullmatch(r"(\d{1,6})([hdw])", text)
    if not form or not int(form[1]):
        raise InvalidRequest(f"expected a time such as 12h, 90d or 8w, found '{text}'")
    return timedelta(seconds=int(form[1]) * _UNITS[form[2]])


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value
