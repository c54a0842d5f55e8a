/** Enrolment from the camera or from files. */

import * as api from './api.js';
import { Capture, FRAMES } from './capture.js';
import { picture, thumbnail } from './crop.js';
import { announce, byId, make } from './dom.js';
import { problemInWords, reveal, showError, showInPanel } from './panel.js';
import { identityOrAsk } from './person.js';
import { Report } from './report.js';
import { conflictsInWords, count, percent } from './words.js';

const THUMBNAIL_PX = 48;

/** Takes pictures, sends them in one request, and tells what became of each. */
export class Enrol {
  /**
   * @param {import('./stage.js').Stage} stage
   * @param {() => void} onEnrolled
   */
  constructor(stage, onEnrolled) {
    this.stage = stage;
    this.onEnrolled = onEnrolled;
    this.button = byId('enrol');
    this.session = null;
    this.busy = false;
  }

  /** Begins taking pictures, or cancels. */
  async fromCamera() {
    if (this.session) {
      this.cancel('Enrolment cancelled. Nothing was stored.');
      return;
    }
    const identity = identityOrAsk();
    if (!identity || this.busy) return;
    if (!this.stage.camera.live) await this.stage.start();
    if (!this.stage.camera.live) {
      showError('The camera is off', new Error('Enrolling from the camera needs a running camera. You can also enrol files.'));
      return;
    }
    this.session = { identity, capture: new Capture(), report: new Report(FRAMES) };
    this.session.report.say('Look at the camera and turn your head a little, slowly.');
    this.button.textContent = 'Cancel enrolment';
    this.stage.watch.full = true;
    showInPanel(`Enrolling ${identity}`, this.session.report.root);
    // People look at themselves while pictures are taken.
    reveal(this.stage.root);
    announce(`Enrolling ${identity}. Look at the camera; ${FRAMES} pictures are taken by themselves.`);
  }

  /**
   * Looks at what the watch saw; keeps the frame if it is good.
   * @param {{faces: any[], frame: any}} seen
   */
  seen({ faces, frame }) {
    if (!this.session) return;
    const { capture, report } = this.session;
    if (capture.offer(faces, frame, performance.now())) {
      const taken = capture.kept.length;
      const { quality, box_normalized: box } = faces[0];
      report.picture(taken - 1, thumbnail(frame.canvas, box, THUMBNAIL_PX), `Picture ${taken}`, `Quality ${percent(quality.score)}`);
      announce(`${taken} of ${FRAMES}`);
    }
    const taken = capture.kept.length;
    if (capture.done) this.finish();
    else if (!this.stage.hintLine.textContent) this.stage.hint(`${taken} of ${FRAMES}: turn your head a little.`);
  }

  /** Ends a session of taking pictures. @param {string} text Why. */
  cancel(text) {
    if (!this.session) return;
    const { report } = this.session;
    this.endSession();
    report.say(text);
    report.unanswered('Not sent');
    announce(text);
  }

  /**
   * Enrols picture files.
   * @param {File[]} files
   */
  async files(files) {
    const identity = identityOrAsk();
    if (!identity || this.busy || !files.length) return;
    this.cancel('Enrolment from the camera was cancelled.');
    const report = new Report(files.length);
    showInPanel(`Enrolling ${identity}`, report.root);
    const images = files.map((file) => ({ blob: file, name: file.name }));
    const sending = this.send(identity, images, report);
    await Promise.all(files.map((file, index) => drawFile(report, file, index)));
    await sending;
  }

  async finish() {
    const { identity, capture, report } = this.session;
    this.endSession();
    const images = capture.kept.map(({ frame }, index) => ({ blob: frame.blob, name: `camera-${index + 1}.jpg` }));
    await this.send(identity, images, report);
  }

  endSession() {
    this.session = null;
    this.stage.watch.full = false;
    this.stage.hint('');
    this.button.textContent = 'Enrol from camera';
  }

  async send(identity, images, report) {
    this.busy = true;
    report.say(`Sending ${count(images.length, 'picture')}…`);
    try {
      const answer = await api.enrol(identity, images);
      report.answer(answer.accepted, answer.rejected);
      report.say(`${answer.accepted.length} of ${count(images.length, 'picture')} accepted. ${identity} has ${count(answer.references, 'reference')} now.`);
      showConflicts(report, answer);
      this.onEnrolled();
    } catch (error) {
      report.answer([], error.rejected ?? []);
      report.unanswered('Not enrolled');
      report.say(problemInWords(error));
    } finally {
      this.busy = false;
      const more = [...report.root.querySelectorAll('.conflicts p')].map((line) => line.textContent).join(' ');
      announce(`${report.status.textContent} ${more}`.trim());
      reveal(report.status);
    }
  }
}

/** Below the status: what was stored although it seems to be of somebody else. */
function showConflicts(report, { identity, conflicts }) {
  // What was refused for it says so in its own line.
  const stored = conflicts.filter((item) => item.reference_id);
  if (!stored.length) return;
  const asked = stored.length === 1 ? 'It was' : 'They were';
  report.status.after(make(
    'div', { class: 'conflicts' },
    ...conflictsInWords(stored, identity).map((text) => make('p', {}, text)),
    make('p', {}, `${asked} enrolled all the same. If that is a mistake, delete what is wrong in the list below.`),
  ));
}

async function drawFile(report, file, index) {
  const image = await picture(file);
  const small = image ? thumbnail(image, null, THUMBNAIL_PX) : make('span', { class: 'thumbnail' });
  image?.close();
  report.lines[index].picture(small, file.name);
}
