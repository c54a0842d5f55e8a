/**
 * <semblance-verify identity="ada" session="..." endpoint="https://faces.example">
 *
 * Verifies the person before the camera, on a page of another site. Holds no key: the site's
 * own server asks the service for a session (docs/embed.md) and checks the signed result.
 * Where the service, or the session, demands it, the person is first asked for movements.
 *
 * Attributes: `session` (or `identity` alone where the service asks for no key), `identity`,
 * `endpoint` (the service; by default where this file came from), `lang` (en, ar, de, es, fr), `audience`
 * (without a session: for whom to sign; by default the page's origin).
 * Methods: start(), stop(). Property: state (idle, starting, looking, verified, refused, failed).
 * Events: `semblance-result` with detail {verified, signed, identity, why, frames};
 * `semblance-error` with detail {code, message}. A verdict here is for show; `signed` counts.
 */

const LONGEST_PX = 640;
const QUALITY = 0.85;
const GAP_MS = 50;
const BUSY_MS = 400;
const WORD_MS = 900;
/** Frames of a movement that are under way: the next is there when one was looked at. */
const MOST_UNDER_WAY = 2;
/** As in a mirror: the person's left is left. */
const ARROWS = { turn_left: '←', turn_right: '→', look_up: '↑', look_down: '↓', come_closer: '⊕', go_back: '⊖' };

const WORDS = {
  en: {
    label: 'Face verification', start: 'Verify with the camera', stop: 'Stop', again: 'Try again',
    starting: 'Allow the camera when the browser asks.', looking: 'Look into the camera.',
    no_face: 'No face is seen. Look into the camera.', several_faces: 'Only one person, please.',
    face_too_small: 'Come closer.', blurred: 'Hold still for a moment.', too_dark: 'Find more light.',
    too_bright: 'Find softer light.', extreme_pose: 'Look towards the camera.', face_cut_off: 'Bring your whole face into view.',
    busy: 'One moment, please.', verified: 'Verified.', refused: 'Not verified.', stopped: 'Stopped.',
    camera: 'The camera cannot be used. Allow it for this page, and close other programs that use it.',
    connection: 'The service cannot be reached.', too_many_failures: 'Too many attempts. Try again later.',
    identity_locked: 'Too many attempts. Ask the site for help.', site_session_expired: 'This took too long. Load the page again.',
    hold: 'Look straight ahead.', turn_left: 'Turn your head to your left.', turn_right: 'Turn your head to your right.',
    look_up: 'Raise your chin.', look_down: 'Lower your chin.', come_closer: 'Come closer.', go_back: 'Move back.',
    not_live: 'That did not show that you are there. Try again, and follow what is asked for.',
    failed: 'It did not work. Try again later.',
  },
  de: {
    label: 'Gesichtsprüfung', start: 'Mit der Kamera bestätigen', stop: 'Abbrechen', again: 'Noch einmal',
    starting: 'Erlauben Sie die Kamera, wenn der Browser fragt.', looking: 'Blicken Sie in die Kamera.',
    no_face: 'Kein Gesicht zu sehen. Blicken Sie in die Kamera.', several_faces: 'Bitte nur eine Person.',
    face_too_small: 'Kommen Sie näher.', blurred: 'Halten Sie kurz still.', too_dark: 'Suchen Sie mehr Licht.',
    too_bright: 'Suchen Sie weicheres Licht.', extreme_pose: 'Blicken Sie zur Kamera.', face_cut_off: 'Zeigen Sie das ganze Gesicht.',
    busy: 'Einen Augenblick, bitte.', verified: 'Bestätigt.', refused: 'Nicht bestätigt.', stopped: 'Abgebrochen.',
    camera: 'Die Kamera ist nicht verfügbar. Erlauben Sie sie für diese Seite und schließen Sie andere Programme, die sie nutzen.',
    connection: 'Der Dienst ist nicht erreichbar.', too_many_failures: 'Zu viele Versuche. Versuchen Sie es später.',
    identity_locked: 'Zu viele Versuche. Wenden Sie sich an die Seite.', site_session_expired: 'Das hat zu lange gedauert. Laden Sie die Seite neu.',
    hold: 'Blicken Sie geradeaus.', turn_left: 'Drehen Sie den Kopf nach links.', turn_right: 'Drehen Sie den Kopf nach rechts.',
    look_up: 'Heben Sie das Kinn.', look_down: 'Senken Sie das Kinn.', come_closer: 'Kommen Sie näher.', go_back: 'Gehen Sie etwas zurück.',
    not_live: 'So war nicht zu sehen, dass Sie da sind. Noch einmal, und bitte den Hinweisen folgen.',
    failed: 'Das hat nicht geklappt. Versuchen Sie es später.',
  },
  fr: {
    label: 'Vérification du visage', start: 'Vérifier avec la caméra', stop: 'Arrêter', again: 'Réessayer',
    starting: 'Autorisez la caméra quand le navigateur le demande.', looking: 'Regardez la caméra.',
    no_face: 'Aucun visage visible. Regardez la caméra.', several_faces: 'Une seule personne, s’il vous plaît.',
    face_too_small: 'Approchez-vous.', blurred: 'Restez immobile un instant.', too_dark: 'Cherchez plus de lumière.',
    too_bright: 'Cherchez une lumière plus douce.', extreme_pose: 'Tournez-vous vers la caméra.', face_cut_off: 'Montrez tout le visage.',
    busy: 'Un instant, s’il vous plaît.', verified: 'Vérifié.', refused: 'Non vérifié.', stopped: 'Arrêté.',
    camera: 'La caméra ne peut pas être utilisée. Autorisez-la pour cette page et fermez les autres programmes qui l’utilisent.',
    connection: 'Le service est injoignable.', too_many_failures: 'Trop d’essais. Réessayez plus tard.',
    identity_locked: 'Trop d’essais. Adressez-vous au site.', site_session_expired: 'Cela a pris trop de temps. Rechargez la page.',
    hold: 'Regardez droit devant.', turn_left: 'Tournez la tête vers votre gauche.', turn_right: 'Tournez la tête vers votre droite.',
    look_up: 'Levez le menton.', look_down: 'Baissez le menton.', come_closer: 'Approchez-vous.', go_back: 'Reculez.',
    not_live: 'Votre présence n’a pas été constatée. Réessayez en suivant les consignes.',
    failed: 'Cela n’a pas marché. Réessayez plus tard.',
  },
  es: {
    label: 'Verificación facial', start: 'Verificar con la cámara', stop: 'Detener', again: 'Intentar de nuevo',
    starting: 'Permita la cámara cuando el navegador lo pida.', looking: 'Mire a la cámara.',
    no_face: 'No se ve ninguna cara. Mire a la cámara.', several_faces: 'Una sola persona, por favor.',
    face_too_small: 'Acérquese.', blurred: 'Quédese quieto un momento.', too_dark: 'Busque más luz.',
    too_bright: 'Busque una luz más suave.', extreme_pose: 'Mire hacia la cámara.', face_cut_off: 'Muestre toda la cara.',
    busy: 'Un momento, por favor.', verified: 'Verificado.', refused: 'No verificado.', stopped: 'Detenido.',
    camera: 'No se puede usar la cámara. Permítala en esta página y cierre otros programas que la usen.',
    connection: 'No se puede contactar con el servicio.', too_many_failures: 'Demasiados intentos. Pruebe más tarde.',
    identity_locked: 'Demasiados intentos. Pida ayuda al sitio.', site_session_expired: 'Ha tardado demasiado. Cargue la página de nuevo.',
    hold: 'Mire de frente.', turn_left: 'Gire la cabeza a su izquierda.', turn_right: 'Gire la cabeza a su derecha.',
    look_up: 'Levante la barbilla.', look_down: 'Baje la barbilla.', come_closer: 'Acérquese.', go_back: 'Aléjese.',
    not_live: 'No se ha comprobado que usted esté ahí. Inténtelo de nuevo siguiendo las indicaciones.',
    failed: 'No ha funcionado. Pruebe más tarde.',
  },
  ar: {
    label: 'التحقق من الوجه', start: 'التحقق بالكاميرا', stop: 'إيقاف', again: 'حاول مرة أخرى',
    starting: 'اسمح باستخدام الكاميرا عندما يسأل المتصفح.', looking: 'انظر إلى الكاميرا.',
    no_face: 'لا يظهر أي وجه. انظر إلى الكاميرا.', several_faces: 'شخص واحد فقط، من فضلك.',
    face_too_small: 'اقترب أكثر.', blurred: 'اثبت لحظة.', too_dark: 'ابحث عن إضاءة أقوى.',
    too_bright: 'ابحث عن إضاءة أخف.', extreme_pose: 'انظر باتجاه الكاميرا.', face_cut_off: 'أظهر وجهك كاملًا.',
    busy: 'لحظة من فضلك.', verified: 'تمّ التحقق.', refused: 'لم يتم التحقق.', stopped: 'توقّف.',
    camera: 'لا يمكن استخدام الكاميرا. اسمح بها لهذه الصفحة وأغلق البرامج الأخرى التي تستخدمها.',
    connection: 'لا يمكن الوصول إلى الخدمة.', too_many_failures: 'محاولات كثيرة. حاول لاحقًا.',
    identity_locked: 'محاولات كثيرة. اطلب المساعدة من الموقع.', site_session_expired: 'استغرق ذلك وقتًا طويلًا. حمّل الصفحة من جديد.',
    hold: 'انظر أمامك مباشرة.', turn_left: 'أدر رأسك إلى يسارك.', turn_right: 'أدر رأسك إلى يمينك.',
    look_up: 'ارفع ذقنك.', look_down: 'اخفض ذقنك.', come_closer: 'اقترب.', go_back: 'ابتعد.',
    not_live: 'لم يتبيّن أنك حاضر. حاول مرة أخرى واتبع ما يُطلب.',
    failed: 'لم ينجح ذلك. حاول لاحقًا.',
  },
};

// Follows the page's own `color-scheme`. An adopted sheet needs no 'unsafe-inline' in its policy.
const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
  :host { display: inline-block; width: min(100%, 20rem); font: 1rem/1.45 system-ui, sans-serif; }
  :host([hidden]) { display: none; }
  .box {
    display: grid; gap: .75rem; justify-items: center; padding: 1rem; border-radius: 1rem; box-sizing: border-box;
    color: light-dark(#1d2023, #e9ecee); background: light-dark(#fffefb, #1a1e22);
    border: 1px solid light-dark(#8b887f, #79828a);
  }
  .view { position: relative; width: min(100%, 14rem); aspect-ratio: 1; }
  video {
    position: absolute; inset: 4%; width: 92%; height: 92%; object-fit: cover; border-radius: 50%;
    transform: scaleX(-1); background: light-dark(#f0eee8, #14181b);
  }
  svg { position: absolute; inset: 0; transform: rotate(-90deg); }
  circle { fill: none; stroke-width: 3; stroke: light-dark(#dedbd2, #2f353a); }
  .bar {
    stroke: light-dark(#0f5c66, #6cc4cd); stroke-linecap: round; stroke-dasharray: 0 100;
    transition: stroke-dasharray .2s ease-out, stroke .2s;
  }
  [data-state=verified] .bar { stroke: light-dark(#17653a, #78d39b); }
  [data-state=refused] .bar, [data-state=failed] .bar { stroke: light-dark(#9c2f22, #f0998b); }
  .view::after { position: absolute; inset: 0; display: grid; place-items: center; font-size: 5rem; }
  [data-state=verified] .view::after { content: "✓" / ""; color: light-dark(#17653a, #78d39b); }
  [data-state=refused] .view::after { content: "✗" / ""; color: light-dark(#9c2f22, #f0998b); }
  .arrow { position: absolute; inset: 0; display: grid; place-items: center; font: 700 4.5rem/1 system-ui; pointer-events: none; color: #fff; text-shadow: 0 0 .4rem #000; }
  .words { margin: 0; min-height: 2.9em; text-align: center; text-wrap: balance; }
  button {
    font: inherit; font-weight: 600; padding: .6rem 1.2rem; min-height: 44px; border-radius: .7rem; cursor: pointer;
    color: light-dark(#fff, #07262a); background: light-dark(#0f5c66, #6cc4cd); border: 2px solid transparent;
  }
  button[hidden] { display: none; }
  button:hover { background: light-dark(#0b484f, #8ad5dc); }
  button:focus-visible { outline: 3px solid light-dark(#0f5c66, #8ad5dc); outline-offset: 3px; }
  @media (prefers-reduced-motion: reduce) { .bar { transition: none; } }
  @media (forced-colors: active) { .bar { stroke: Highlight; } circle { stroke: GrayText; } }
`);

/** What went wrong, by a code of the service or of WORDS. */
class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

class SemblanceVerify extends HTMLElement {
  #parts = build();
  #run = null;
  #said = 0;
  #task = 'looking';
  #state = 'idle';

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [SHEET];
    root.append(this.#parts.box);
    this.#parts.button.addEventListener('click', () => { if (this.#run) this.stop(); else this.start(); });
    root.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.stop(); });
  }

  connectedCallback() {
    const { box } = this.#parts;
    box.lang = this.#lang();
    box.dir = box.lang === 'ar' ? 'rtl' : 'ltr';
    box.setAttribute('aria-label', this.#word('label'));
    this.#show('idle', '');
  }

  /** The camera must not stay on when the element is gone. */
  disconnectedCallback() { this.stop(); }

  get state() { return this.#state; }

  /** Begins a verification; its end comes as an event. Does nothing while one is on. */
  async start() {
    if (this.#run) return;
    const run = new AbortController();
    this.#run = run;
    this.#ring(0);
    this.#show('starting', 'starting');
    try {
      const camera = await openCamera(run.signal);
      run.signal.addEventListener('abort', () => { camera.getTracks().forEach((track) => track.stop()); });
      this.#parts.video.srcObject = camera;
      await this.#parts.video.play();
      const result = await this.#verify(run.signal);
      this.#ask(null);
      this.#ring(1);
      const state = result.verified ? 'verified' : 'refused';
      this.#end(run, state, state);
      const { verified, identity, why, frames } = result;
      this.#tell('semblance-result', { verified, signed: result.signed ?? null, identity, why, frames });
    } catch (error) {
      if (run.signal.aborted) return;
      const code = error instanceof Failure ? error.code : 'failed';
      this.#end(run, 'failed', code);
      this.#tell('semblance-error', { code, message: error.message || this.#word(code) });
    }
  }

  /** Ends a verification that is on, without a result; turns the camera off. */
  stop() {
    if (this.#run) this.#end(this.#run, 'idle', 'stopped');
  }

  #end(run, state, word) {
    this.#run = null;
    this.#ask(null);
    this.#parts.video.srcObject = null;
    this.#show(state, word);
    run.abort();
  }

  /** The result of a verification, after movements if it demands them. */
  async #verify(signal) {
    const session = this.getAttribute('session');
    const hello = session ? { session } : { identity: this.#identity(), audience: this.getAttribute('audience') || location.origin };
    try {
      return await this.#shown('v1/verify/stream', hello, signal);
    } catch (error) {
      if (error.code !== 'missing_liveness') throw error;
    }
    const moved = await this.#shown('v1/liveness/stream', await this.#movements(session), signal, true);
    if (!moved.live) throw new Failure(`not_live_${moved.why}`, moved.detail);
    this.#ring(0);
    this.#ask(null);
    return this.#shown('v1/verify/stream', { ...hello, liveness_token: moved.token }, signal);
  }

  /** The first message of a stream of movements. */
  async #movements(session) {
    if (session) return { site_session: session };
    const body = JSON.stringify({ identity: this.#identity() });
    const address = addressOf(this.getAttribute('endpoint'), 'v1/liveness/sessions');
    const answer = await fetch(address, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } })
      .catch(() => { throw new Failure('connection', 'the service cannot be reached'); });
    const said = await answer.json();
    if (!answer.ok) throw new Failure(said.code, said.detail);
    return { session: said.session };
  }

  /** Shows frames until the service says how it ended; of movements, each with its number. */
  #shown(path, hello, signal, moves = false) {
    return new Promise((resolve, reject) => {
      const address = addressOf(this.getAttribute('endpoint'), path);
      address.protocol = address.protocol.replace('http', 'ws');
      const socket = new WebSocket(address);
      let sent = 0;
      const fail = (code, message) => {
        reject(new Failure(code, message));
        // Closed while it opens, a browser would call it a failure.
        if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => { socket.close(); };
        else socket.close();
      };
      signal.addEventListener('abort', () => { fail('stopped', 'stopped'); });
      signal.addEventListener('lost', () => { fail('camera', 'the camera was disconnected'); });
      const send = async () => {
        const frame = await grab(this.#parts.video);
        if (socket.readyState !== WebSocket.OPEN) return;
        if (!frame) setTimeout(send, GAP_MS);
        else socket.send(moves ? new Blob([bigEndian(sent += 1), frame]) : frame);
      };
      socket.onopen = () => { socket.send(JSON.stringify(hello)); };
      socket.onclose = () => { fail('connection', 'the connection to the service ended'); };
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        switch (message.type) {
          case 'ready': {
            const wanted = this.#identity();
            if (!moves && wanted && wanted.normalize('NFC') !== message.identity) fail('failed', 'the session is for another identity');
            else {
              this.#show('looking', 'looking');
              for (let count = moves ? MOST_UNDER_WAY : 1; count > 0; count -= 1) send();
            }
            break;
          }
          case 'challenge': this.#ask(message.kind); break;
          case 'frame':
            this.#look(message);
            // What was passed over is not answered.
            for (let count = moves ? 1 + message.skipped : 1; count > 0; count -= 1) setTimeout(send, moves ? 0 : GAP_MS);
            break;
          case 'busy': this.#say('busy'); setTimeout(send, BUSY_MS); break;
          case 'result': resolve(message); socket.close(); break;
          case 'problem': fail(message.code, message.detail); break;
        }
      };
    });
  }

  #identity() { return this.getAttribute('identity') ?? ''; }

  /** Says what to do now; null: nothing but to be seen. */
  #ask(kind) {
    this.#task = kind ?? 'looking';
    this.#parts.arrow.textContent = ARROWS[kind] ?? '';
    if (kind) {
      this.#said = 0;
      this.#ring(0);
      this.#say(kind);
    }
  }

  #look({ evidence, progress, code, face }) {
    // Null where scores are hidden: then the ring stays as it is.
    const share = progress ?? evidence;
    if (share !== null) this.#ring(Math.max(0, share));
    // A head that turns is no fault of a picture while it was asked to.
    const hints = [code, ...(progress === undefined || code ? face?.quality.reasons ?? [] : [])];
    this.#say(hints.find((one) => one in WORDS.en) ?? this.#task);
  }

  #ring(share) {
    this.#parts.bar.style.strokeDasharray = `${Math.round(share * 100)} 100`;
  }

  #show(state, word) {
    this.#state = state;
    this.#parts.box.dataset.state = state;
    this.#said = 0;
    this.#say(word);
    const name = this.#run ? 'stop' : state === 'idle' ? 'start' : 'again';
    this.#parts.button.textContent = this.#word(name);
    this.#parts.button.hidden = state === 'verified';
  }

  /** Not more often than it can be read, or a screen reader would stutter. */
  #say(code) {
    const now = performance.now();
    if (now - this.#said < WORD_MS && this.#said) return;
    const text = code ? this.#word(code) : '';
    if (this.#parts.words.textContent !== text) {
      this.#parts.words.textContent = text;
      this.#said = now;
    }
  }

  #word(code) {
    const words = WORDS[this.#lang()];
    return words[code] ?? (code.startsWith('not_live_') ? words.not_live : words.failed);
  }

  #lang() {
    const wanted = (this.closest('[lang]')?.getAttribute('lang') || navigator.language).slice(0, 2).toLowerCase();
    return wanted in WORDS ? wanted : 'en';
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

/** The element's inside, made without markup: a page may demand trusted types. */
function build() {
  const make = (tag, names = {}, ...children) => {
    const svg = tag === 'svg' || tag === 'circle';
    const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
    Object.entries(names).forEach(([name, value]) => { element.setAttribute(name, value); });
    element.append(...children);
    return element;
  };
  const round = { cx: 50, cy: 50, r: 48, pathLength: 100 };
  const bar = make('circle', { ...round, class: 'bar' });
  const video = make('video', { playsinline: '', 'aria-hidden': 'true' });
  video.muted = true;
  const ring = make('svg', { viewBox: '0 0 100 100', 'aria-hidden': 'true' }, make('circle', round), bar);
  const arrow = make('span', { class: 'arrow', 'aria-hidden': 'true' });
  const words = make('p', { class: 'words', role: 'status', 'aria-live': 'polite', part: 'words' });
  const button = make('button', { type: 'button', part: 'button' });
  const box = make('section', { class: 'box', part: 'box' }, make('div', { class: 'view' }, video, ring, arrow), words, button);
  return { box, video, bar, arrow, words, button };
}

async function openCamera(signal) {
  let stream;
  try {
    const video = { facingMode: 'user', width: { ideal: 640 }, height: { ideal: 480 } };
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new Failure('camera', error.message);
  }
  if (signal.aborted) {
    stream.getTracks().forEach((track) => track.stop());
    throw new Failure('stopped', 'stopped');
  }
  stream.getVideoTracks()[0].addEventListener('ended', () => { signal.dispatchEvent(new Event('lost')); });
  return stream;
}

/** What the camera sees, as a JPEG; null while it shows nothing. */
function grab(video) {
  const scale = Math.min(1, LONGEST_PX / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  if (!canvas.width || !canvas.height) return Promise.resolve(null);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', QUALITY); });
}

function bigEndian(number) {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, number);
  return bytes.buffer;
}

function addressOf(endpoint, path) {
  const base = new URL(endpoint || new URL('..', import.meta.url), location.href);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return new URL(path, base);
}

if (!customElements.get('semblance-verify')) customElements.define('semblance-verify', SemblanceVerify);
