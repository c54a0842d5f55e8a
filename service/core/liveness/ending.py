"""How a session ends, in a word for programs and a sentence for the person."""

from __future__ import annotations

from typing import Final, Literal

Why = Literal[
    "timed_out",
    "wrong_movement",
    "too_soon",
    "flat",
    "another_person",
    "jumped",
    "lost_face",
    "several_faces",
    "out_of_order",
    "frames",
]

SENTENCES: Final[dict[Why, str]] = {
    "timed_out": "The movement was not made in time.",
    "wrong_movement": "Another movement was made than the one asked for.",
    "too_soon": "The head moved before it was asked to.",
    "flat": "What was shown turned like a flat picture, not like a head.",
    "another_person": "The face is not the one that the session began with.",
    "jumped": "The face was suddenly elsewhere.",
    "lost_face": "The face was out of sight for too long.",
    "several_faces": "Another person came into the picture.",
    "out_of_order": "The pictures did not come in their order.",
    "frames": "The pictures came too seldom, or there were too many.",
}


class Ended(Exception):
    """The session has failed; caught where frames are looked at, and never answered."""

    def __init__(self, why: Why) -> None:
        super().__init__(SENTENCES[why])
        self.why: Why = why
