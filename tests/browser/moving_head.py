"""A camera that shows a head which does what the page asks for.

Chromium's own fake camera plays a film in a loop and hears nothing. So the page gets a
canvas's stream in its place, on which frames of `tests.head_motion` are drawn: at rest, or
on the way to where an arrow points.
"""

from __future__ import annotations

import base64
import json
from typing import get_args

from model.faces import Detector
from service.core.liveness.challenges import Movement
from tests.head_motion import Follower, Head, Photograph, jpeg, portrait

_ON_THE_WAY = 12

_SCRIPT = """(() => {
  const SLOTS = { 'icon-left': 'turn_left', 'icon-right': 'turn_right', 'icon-up': 'look_up' };
  const REACTION_MS = 350;
  const TAKES_MS = 1100;
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const context = canvas.getContext('2d');
  const pictures = {};
  for (const [kind, frames] of Object.entries(FRAMES)) {
    pictures[kind] = frames.map((data) => {
      const image = new Image();
      image.src = `data:image/jpeg;base64,${data}`;
      return image;
    });
  }
  let wanted = 'hold';
  let way = 'turn_left';
  let time = 0;
  let before = performance.now();
  window.head = { to(kind) { if (!STILL) setTimeout(() => { wanted = kind; }, REACTION_MS); } };

  function draw() {
    const now = performance.now();
    const passed = (now - before) / TAKES_MS;
    before = now;
    // From one side to the other the way leads through the middle.
    if (wanted !== 'hold' && way !== wanted && time === 0) way = wanted;
    time = way === wanted ? Math.min(1, time + passed) : Math.max(0, time - passed);
    // The frames themselves begin and end slowly.
    const image = pictures[way][Math.round(time * (pictures[way].length - 1))];
    // Nobody holds quite still.
    const [x, y] = [2 * Math.sin(now / 770), 2 * Math.sin(now / 1100)];
    if (image.complete) context.drawImage(image, x - 4, y - 4, 648, 488);
    const asked = document.querySelector('.slot[data-state=asked] .icon');
    const arrow = asked && [...asked.classList].at(-1);
    if (arrow !== draw.arrow) {
      draw.arrow = arrow;
      head.to(SLOTS[arrow] ?? 'hold');
    }
  }
  setInterval(draw, 33);

  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener('message', ({ data }) => {
        const { type, kind } = JSON.parse(data);
        if (type === 'challenge') head.to(kind);
        if (type === 'result') head.to('hold');
      });
    }
  };
})();"""


def moving_head(
    portrait_of: bytes, detector: Detector, *, flat: bool = False, still: bool = False
) -> str:
    """A script for before the page's own.

    Args:
        portrait_of: Encoded picture of whose head it is.
        flat: It is a print, which is turned as a head is asked to turn.
        still: It hears nothing.
    """
    picture, landmarks = portrait(portrait_of, detector)
    shown = Photograph(picture) if flat else Head(picture, landmarks)
    frames: dict[str, list[str]] = {}
    for kind in get_args(Movement):
        # A print has to be tilted further than a head turns.
        going = Follower(reaction_s=0, takes_s=_ON_THE_WAY, strength=1.6 if flat else 1.0)
        going.told(kind, 0)
        steps = (shown.frame(going.stance(step)) for step in range(_ON_THE_WAY + 1))
        frames[kind] = [base64.b64encode(jpeg(frame)).decode() for frame in steps]
    script = _SCRIPT.replace("FRAMES", json.dumps(frames))
    return script.replace("STILL", json.dumps(still))
