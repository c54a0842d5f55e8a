/**
 * Client of Semblance, self-hosted face verification: one ES module without dependencies,
 * for browsers and Node from 18 on. Types are in semblance.d.ts.
 *
 *     const semblance = new Client({ url: "https://face.example.org", key });
 *     await semblance.enroll("ada", [file]);
 *     (await semblance.verify("ada", canvas.toDataURL("image/jpeg"))).verified;
 *
 * A key in a page is a key of everybody who opens it: for pages of other sites there are
 * sessions (beginSiteSession), which a server asks for.
 */

/** What makes a second attempt safe; the Python client's retries.py says why. */
const ANY = [429, 502, 503, 504];
const UNDONE = [429, 503];
const NEVER_IN = [429];

const ONE = "/v1/identities/{identity}";
const REFERENCE = `${ONE}/references/{reference_id}`;

/** Every operation: its method, path, when it is tried again, and how its answer is read. */
export const OPERATIONS = Object.freeze({
  enroll: ["POST", "/v1/enroll", ANY],
  verify: ["POST", "/v1/verify", UNDONE],
  compare: ["POST", "/v1/compare", ANY],
  detect: ["POST", "/v1/detect", ANY],
  identify: ["POST", "/v1/identify", ANY],
  embeddings: ["POST", "/v1/embeddings", ANY],
  verifyBatch: ["POST", "/v1/verify/batch", UNDONE, "text"],
  enrollBatch: ["POST", "/v1/enroll/batch", ANY, "text"],
  listIdentities: ["GET", "/v1/identities", ANY],
  getIdentity: ["GET", ONE, ANY],
  renameIdentity: ["POST", `${ONE}/rename`, NEVER_IN],
  mergeIdentity: ["POST", `${ONE}/merge`, NEVER_IN],
  unlockIdentity: ["POST", `${ONE}/unlock`, ANY, "nothing"],
  deleteIdentity: ["DELETE", ONE, NEVER_IN],
  deleteReference: ["DELETE", REFERENCE, NEVER_IN, "nothing"],
  getImage: ["GET", `${REFERENCE}/image`, ANY, "blob"],
  beginLiveness: ["POST", "/v1/liveness/sessions", UNDONE],
  beginSiteSession: ["POST", "/v1/verify/sessions", ANY],
  getKeys: ["GET", "/v1/keys", ANY],
  getModel: ["GET", "/v1/model", ANY],
  metrics: ["GET", "/metrics", ANY, "text"],
  healthz: ["GET", "/healthz", ANY],
  readyz: ["GET", "/readyz", ANY],
});

/** The service said no: `code` is stable, such as "no_face". */
export class Problem extends Error {
  constructor(status, content, retryAfterS) {
    super(`${content.code}: ${content.detail || content.title}`);
    this.name = "Problem";
    this.status = status;
    this.code = content.code;
    this.title = content.title;
    this.detail = content.detail;
    this.requestId = content.instance ?? null;
    this.reasons = content.reasons ?? [];
    this.rejected = content.rejected ?? [];
    this.conflicts = content.conflicts ?? [];
    this.errors = content.errors ?? [];
    this.retryAfterS = retryAfterS;
  }
}

/** The service did not answer, or something else did. */
export class Unreachable extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "Unreachable";
  }
}

export class Client {
  /** Options: url, key, attempts, longestWaitS, timeoutS, fetch. */
  constructor(options = {}) {
    this.url = (options.url ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
    this.attempts = options.attempts ?? 4;
    this.longestWaitS = options.longestWaitS ?? 30;
    this.timeoutS = options.timeoutS ?? 60;
    this.fetch = options.fetch ?? ((...asked) => globalThis.fetch(...asked));
    this.headers = options.key ? { Authorization: `Bearer ${options.key}` } : {};
  }

  enroll(identity, images, options = {}) {
    const { metadata, ...others } = options;
    const said = metadata == null ? others : { ...others, metadata: JSON.stringify(metadata) };
    return this.#ask("enroll", { form: form({ identity, ...said }, { images }) });
  }

  verify(identity, image, options = {}) {
    return this.#ask("verify", { form: form({ identity, ...options }, { image }) });
  }

  compare(imageA, imageB, options = {}) {
    return this.#ask("compare", { form: form(options, { image_a: imageA, image_b: imageB }) });
  }

  detect(image) {
    return this.#ask("detect", { form: form({}, { image }) });
  }

  identify(image, options = {}) {
    return this.#ask("identify", { form: form(options, { image }) });
  }

  embeddings(image, options = {}) {
    return this.#ask("embeddings", { form: form(options, { image }) });
  }

  /** Items as of `verify`, as one object each, and an `id` of your own; answers in their order. */
  verifyBatch(items, size) {
    return this.#batch("verifyBatch", items, size);
  }

  enrollBatch(items, size) {
    return this.#batch("enrollBatch", items, size);
  }

  listIdentities({ cursor, limit = 100 } = {}) {
    return this.#ask("listIdentities", { params: { cursor, limit } });
  }

  /** All identities in order of name, page by page. */
  async *identities() {
    let cursor;
    do {
      const page = await this.listIdentities({ cursor, limit: 1000 });
      yield* page.identities;
      cursor = page.next_cursor;
    } while (cursor);
  }

  getIdentity(identity) {
    return this.#ask("getIdentity", { at: { identity } });
  }

  renameIdentity(identity, to) {
    return this.#ask("renameIdentity", { at: { identity }, json: { to } });
  }

  mergeIdentity(identity, into) {
    return this.#ask("mergeIdentity", { at: { identity }, json: { into } });
  }

  unlockIdentity(identity) {
    return this.#ask("unlockIdentity", { at: { identity } });
  }

  deleteIdentity(identity) {
    return this.#ask("deleteIdentity", { at: { identity } });
  }

  deleteReference(identity, referenceId) {
    return this.#ask("deleteReference", { at: { identity, reference_id: referenceId } });
  }

  getImage(identity, referenceId, size) {
    return this.#ask("getImage", { at: { identity, reference_id: referenceId }, params: { size } });
  }

  beginLiveness(identity) {
    return this.#ask("beginLiveness", { json: { identity } });
  }

  beginSiteSession(identity, audience, origin, options = {}) {
    return this.#ask("beginSiteSession", { json: { identity, audience, origin, ...options } });
  }

  getKeys() {
    return this.#ask("getKeys");
  }

  getModel() {
    return this.#ask("getModel");
  }

  metrics() {
    return this.#ask("metrics");
  }

  healthz() {
    return this.#ask("healthz");
  }

  readyz() {
    return this.#ask("readyz");
  }

  /** Sent in parts: each whole, so that it can be sent again. */
  async *#batch(name, items, size = 50) {
    let first = 0;
    let part = [];
    const answers = async (sent) => {
      const lines = await Promise.all(sent.map(async (item) => JSON.stringify(await encoded(item))));
      const said = await this.#ask(name, { lines: `${lines.join("\n")}\n` });
      return said.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    };
    const from = (start) => (answer) => ({ ...answer, index: start + answer.index });
    for await (const item of items) {
      part.push(item);
      if (part.length < size) continue;
      yield* (await answers(part)).map(from(first));
      first += part.length;
      part = [];
    }
    if (part.length) yield* (await answers(part)).map(from(first));
  }

  async #ask(name, { at = {}, params = {}, form: fields, json, lines } = {}) {
    const [method, template, again, kind = "json"] = OPERATIONS[name];
    const path = template.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(at[key]));
    const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value != null));
    const address = `${this.url}${path}${`${query}` && `?${query}`}`;
    const body = fields ? await fields : (lines ?? (json && JSON.stringify(json)));
    const type = lines ? "application/x-ndjson" : "application/json";
    const headers = lines || json ? { ...this.headers, "Content-Type": type } : this.headers;
    for (let made = 1; ; made += 1) {
      let wait;
      const signal = AbortSignal.timeout(this.timeoutS * 1000);
      try {
        const response = await this.fetch(address, { method, headers, body, signal });
        if (response.ok) return await content(response, kind);
        wait = again.includes(response.status) ? this.#waitS(made, retryAfterS(response)) : null;
        if (wait === null) throw await problem(response);
      } catch (error) {
        if (error instanceof Problem || error instanceof Unreachable) throw error;
        // Whether a request arrived, a browser does not say: only what is safe anyway goes again.
        const neverArrived = error.cause?.code === "ECONNREFUSED";
        wait = again === ANY || neverArrived ? this.#waitS(made, null) : null;
        if (wait === null) throw new Unreachable(`no answer: ${error.message}`, { cause: error });
      }
      await new Promise((done) => setTimeout(done, wait * 1000));
    }
  }

  /** Seconds before the next attempt; null to give up. */
  #waitS(made, askedS) {
    if (made >= this.attempts || (askedS ?? 0) > this.longestWaitS) return null;
    const doubled = 0.25 * 2 ** (made - 1) * (1 + Math.random() / 2);
    return Math.max(askedS ?? 0, Math.min(doubled, this.longestWaitS));
  }
}

function retryAfterS(response) {
  const said = response.headers.get("Retry-After");
  return said && /^\d+$/.test(said) ? Number(said) : null;
}

async function content(response, kind) {
  if (kind === "nothing") return undefined;
  return response[kind]();
}

async function problem(response) {
  const said = await response.json().catch(() => null);
  if (said?.code) return new Problem(response.status, said, retryAfterS(response));
  return new Unreachable(`status ${response.status}, and no problem of the service`);
}

/** A form of fields and pictures: Blob, File, bytes, or a data: URL. */
async function form(fields, pictures) {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value != null) made.append(name, String(value));
  }
  for (const [name, given] of Object.entries(pictures)) {
    for (const picture of Array.isArray(given) ? given : [given]) {
      const blob = await blobOf(picture);
      made.append(name, blob, blob.name ?? "image");
    }
  }
  return made;
}

async function blobOf(picture) {
  if (picture instanceof Blob) return picture;
  if (picture instanceof Uint8Array || picture instanceof ArrayBuffer) return new Blob([picture]);
  const found = /^data:[^,]*;base64,(.*)$/s.exec(picture);
  if (!found) throw new TypeError("a picture is a Blob, bytes, or a data: URL with base64");
  return new Blob([Uint8Array.from(atob(found[1]), (sign) => sign.charCodeAt(0))]);
}

/** An item of a batch, its pictures in base64. */
async function encoded(item) {
  const shown = { ...item };
  if (item.image != null) shown.image = await base64Of(item.image);
  if (item.images != null) shown.images = await Promise.all(item.images.map(base64Of));
  return shown;
}

async function base64Of(picture) {
  const bytes = new Uint8Array(await (await blobOf(picture)).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}
