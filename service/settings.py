"""Settings: environment variables `SEMBLANCE_...`, or a file of the same lines.

The file is `semblance.env` in the working folder, or the one that
SEMBLANCE_SETTINGS_FILE names. The environment wins. Every setting has a default
that works.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from model.contract import Fusion
from model.errors import SemblanceError
from model.image import Limits
from model.quality import Gate
from service.adapter_settings import AdapterSettings
from service.addresses import Networks, Origins
from service.batch_settings import BatchSettings
from service.core.policy import ConflictMode, Keep, Policy
from service.logs import LogFormat
from service.presentation_settings import PresentationSettings
from service.search_settings import SearchSettings
from service.site_settings import SiteSettings
from service.stream_settings import StreamSettings
from service.trace_settings import TraceSettings

PREFIX = "SEMBLANCE_"
DEFAULT_FILE = "semblance.env"
# Read by other parts of the project; not settings of the service.
_OF_CLIENTS = ("KEY", "URL")
_OF_COMPOSE = ("ADDRESS", "DATABASE_PASSWORD", "DOMAIN", "EDGE", "HTTP_PORT", "HTTPS_PORT")
OTHER_VARIABLES = {
    f"{PREFIX}{name}"
    for name in ("SETTINGS_FILE", "CACHE_DIR", "TEST_OUTPUT", *_OF_CLIENTS, *_OF_COMPOSE)
}

_SECRETS = {("master_key",), ("database",), ("keys_database",)}
MOST_AT_ONCE = 32
"""A larger batch takes memory, and makes nothing faster."""

Share = Annotated[float, Field(ge=0, le=1)]


class SettingsError(SemblanceError):
    """A setting cannot be used; the text names it."""


class Settings(
    BatchSettings,
    SearchSettings,
    SiteSettings,
    StreamSettings,
    PresentationSettings,
    TraceSettings,
    AdapterSettings,
):
    """What an operator can choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    host: str = Field(
        "127.0.0.1",
        description="Address to listen on; any but this machine's own needs a key, or `insecure`.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        Path("data"),
        description="Folder of the database, of keys made here, and of compiled networks.",
    )
    database: SecretStr | None = Field(
        None,
        description="Address of a PostgreSQL database, postgresql://user:password@host/name, "
        "which is used instead of the files in the data folder; one for any number of replicas.",
    )
    keys_database: SecretStr | None = Field(
        None,
        description="Address of another one for the data keys alone, so that old backups of the "
        "first are noise once a key is destroyed.",
    )
    artifact: Path = Field(Path("models/fused"), description="Folder of the model.")
    next_artifact: Path | None = Field(
        None,
        description="Folder of the model that is to take its place: loaded beside it until "
        "`reembed` is through.",
    )
    runtime: Literal["openvino", "openvino-float32", "tensorflow"] = Field(
        "openvino",
        description="What runs the SavedModel; `openvino-float32` never computes in 8 bits, "
        "`tensorflow` needs it installed.",
    )
    threads: int = Field(0, ge=0, description="CPU threads of one inference; 0: all cores.")
    faces_at_once: int = Field(
        1,
        ge=1,
        le=MOST_AT_ONCE,
        description="Faces of several requests that the tower takes in one batch; 1: each by "
        "itself.",
    )
    pictures_at_once: int = Field(
        1,
        ge=1,
        le=MOST_AT_ONCE,
        description="Pictures of one size, of several requests, that the detector takes in one "
        "batch; 1: each by itself.",
    )
    max_in_flight: int = Field(
        64, ge=1, description="Image requests in work or waiting; beyond it 503 at once."
    )
    workers: int = Field(
        0, ge=0, description="Image requests in work at once; 0: twice the cores and two."
    )
    queue_timeout_s: float = Field(
        3.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest wait of an image request for its turn, in seconds; beyond it 503, at "
        "once where that can be foreseen.",
    )
    receive_timeout_s: float = Field(
        30.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest wait for a request's headers, and for its body, to which a second is "
        "added for each 16 KiB that came; then 408.",
    )
    gallery_cache_bytes: int = Field(
        32 * 1024 * 1024,
        ge=0,
        description="Memory for the embeddings of identities verified of late; 0 keeps none.",
    )
    max_image_bytes: int = Field(20 * 1024 * 1024, ge=1, description="Size of one image.")
    max_image_pixels: int = Field(
        50_000_000, ge=1, description="Width times height of one image, read from its header."
    )
    min_image_side_px: int = Field(32, ge=1, description="Shorter side of an image.")
    max_body_bytes: int = Field(64 * 1024 * 1024, ge=1, description="Size of a request.")
    max_images: int = Field(20, ge=1, description="Images of one enrolment.")
    max_references: int = Field(100, ge=1, description="References of one identity.")
    face_confidence: Share = Field(
        0.7, description="Faces below this confidence of the detector are not seen."
    )
    quality: Gate = Field(
        "standard", description="Quality gate at enrolment: off, standard or strict."
    )
    keep: Keep = Field(
        "crop",
        description="What is stored of an enrolled image: crop (the face with a margin), "
        "original, or none (then a new model means enrolling again).",
    )
    conflicts: ConflictMode = Field(
        "report",
        description="Enrolled images that seem to be of somebody else: off (not looked for), "
        "report, or strict (refused).",
    )
    conflict_names: bool = Field(
        True, description="Whether a conflict names the other identity that a face looks like."
    )
    conflict_search: int = Field(
        50_000,
        ge=0,
        description="With more references enrolled than this, enrolment does not look for a "
        "conflict with other identities; 0 never does.",
    )
    serve_images: bool = Field(False, description="Whether stored images can be fetched whole.")
    detection_threshold: Share | None = Field(
        None, description="Instead of the model's (its FMR 1e-4)."
    )
    verification_threshold: Share | None = Field(
        None, description="Instead of the model's (0.5, as in the paper)."
    )
    fusion: Fusion = Field(
        "share",
        description="How several references make one verdict: share (of references that match, "
        "as in the paper), max, mean or centroid.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: "
        "addresses or networks, with commas between.",
    )
    cors_origins: Origins = Field(
        (),
        description="Pages elsewhere that may call the API from a browser: exact origins such as "
        "`https://example.org`, with commas between.",
    )
    insecure: bool = Field(
        False, description="Asks for no key: whoever reaches the address can do everything."
    )
    make_admin_key: bool | None = Field(
        None,
        description="Whether a start without any key makes one, in admin.key in the data folder; "
        "by default only where the address is this machine's own.",
    )
    hide_scores: bool = Field(
        False, description="Keys that may neither enrol nor administer get verdicts without scores."
    )
    throttle_after: int = Field(
        5,
        ge=0,
        description="Verifications of an identity in vain, one after the other, after which it "
        "must wait: 1 s, 2, 4, ... 15 minutes; 0: never.",
    )
    lock_after: int = Field(
        50, ge=0, description="The same, after which an administrator must unlock it; 0: never."
    )
    retention_days: int = Field(
        0, ge=0, description="Identities are erased so long after their latest enrolment; 0: never."
    )
    retention_unused_days: int = Field(
        0,
        ge=0,
        description="Likewise so long after their latest verification or enrolment; 0: never.",
    )
    master_key: SecretStr | None = Field(
        None,
        description="Keys that encrypt what is stored, the newest first; without this and the two "
        "below, master.key in the data folder, made at the first start.",
    )
    master_key_file: Path | None = Field(None, description="A file that holds them, one a line.")
    master_key_command: str | None = Field(None, description="A command that prints them.")
    access_log: bool = Field(
        False, description="One line a request: its route and key, no identity and no address."
    )
    log_format: LogFormat = Field(
        "text", description="Of what is logged: text, or json for one JSON object a line."
    )
    audit_scores: bool = Field(
        False, description="Whether the audit log keeps scores, which tell how alike faces are."
    )

    def policy(self) -> Policy:
        """What of this the core follows."""
        return Policy(
            limits=Limits(
                max_image_bytes=self.max_image_bytes,
                max_image_pixels=self.max_image_pixels,
                min_side_px=self.min_image_side_px,
            ),
            gate=self.quality,
            keep=self.keep,
            max_references=self.max_references,
            detection_threshold=self.detection_threshold,
            verification_threshold=self.verification_threshold,
            fusion=self.fusion,
            serve_images=self.serve_images,
            conflicts=self.conflicts,
            conflict_names=self.conflict_names,
            conflict_search=self.conflict_search,
            max_fpir=self.max_fpir,
            throttle_after=self.throttle_after,
            lock_after=self.lock_after,
            retention_days=self.retention_days,
            retention_unused_days=self.retention_unused_days,
        )


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in force.

    Raises:
        SettingsError: If a value cannot be used, the named file is missing, or a
            variable with our prefix is none of ours (a misspelt one would
            otherwise be silently without effect).
    """
    environment = os.environ if environment is None else environment
    named = environment.get(f"{PREFIX}SETTINGS_FILE")
    if named and not Path(named).is_file():
        raise SettingsError(f"{PREFIX}SETTINGS_FILE names '{named}', which is not a file")
    _check_names(environment)
    _check_names(dotenv_values(named or DEFAULT_FILE, encoding="utf-8"))
    try:
        return Settings(_env_file=named or DEFAULT_FILE)  # type: ignore[call-arg]
    except ValidationError as error:
        lines = [
            f"{PREFIX}{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}, "
            f"found {'a secret' if item['loc'] in _SECRETS else repr(item['input'])}"
            for item in error.errors()
        ]
        raise SettingsError("; ".join(lines)) from error


def _check_names(environment: Mapping[str, str | None]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for name in environment:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name} is not a setting{hint}")
