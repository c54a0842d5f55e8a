/** The service's HTTP API. Every failure becomes a `Problem` with words for people. */

import { askForKey, keyHeader } from './access.js';
import { found, lost } from './connection.js';

/** A refused or failed request. */
export class Problem extends Error {
  /** @param {{code: string, detail: string, reasons?: string[], rejected?: any[], retryAfterS?: number, id?: string}} fields */
  constructor(fields) {
    super(fields.detail);
    this.code = fields.code;
    this.reasons = fields.reasons ?? [];
    this.rejected = fields.rejected ?? [];
    this.retryAfterS = fields.retryAfterS ?? 0;
    this.id = fields.id ?? '';
  }
}

/** GET /v1/model */
export const model = () => request('v1/model');

/**
 * POST /v1/detect
 * @param {Blob} image
 * @param {AbortSignal} [signal]
 */
export const detect = (image, signal) => send('v1/detect', { image }, signal);

/**
 * POST /v1/verify; what is null is left to the service.
 * @param {string} identity
 * @param {Blob} image
 * @param {{fusion: string|null, detection: number|null, verification: number|null}} wanted
 */
export const verify = (identity, image, wanted) => send('v1/verify', {
  identity,
  image,
  fusion: wanted.fusion,
  detection_threshold: wanted.detection,
  verification_threshold: wanted.verification,
});

/**
 * POST /v1/enroll
 * @param {string} identity
 * @param {{blob: Blob, name: string}[]} images
 */
export const enrol = (identity, images) => send('v1/enroll', { identity, images });

/**
 * GET /v1/identities
 * @param {string|null} cursor
 * @param {number} limit
 */
export function identities(cursor, limit) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set('cursor', cursor);
  return request(`v1/identities?${query}`);
}

/** GET /v1/identities/{identity} @param {string} identity */
export const identity = (identity) => request(path(identity));

/** DELETE /v1/identities/{identity} @param {string} identity */
export const deleteIdentity = (identity) => request(path(identity), { method: 'DELETE' });

/**
 * DELETE /v1/identities/{identity}/references/{reference}
 * @param {string} identity
 * @param {string} reference
 */
export const deleteReference = (identity, reference) =>
  request(`${path(identity)}/references/${encodeURIComponent(reference)}`, { method: 'DELETE' });

/**
 * GET the stored picture of a reference, as small as it is shown.
 * @param {string} identity
 * @param {string} reference
 * @param {number} sizePx
 * @returns {Promise<Blob>}
 */
export const referenceImage = (identity, reference, sizePx) =>
  request(`${path(identity)}/references/${encodeURIComponent(reference)}/image?size=${sizePx}`, {}, (answer) => answer.blob());

/** POST /v1/liveness/sessions @param {string} identity */
export const livenessSession = (identity) => tell('v1/liveness/sessions', { identity });

/** POST /v1/identities/{identity}/rename */
export const rename = (identity, to) => tell(`${path(identity)}/rename`, { to });

/** POST /v1/identities/{identity}/merge */
export const merge = (identity, into) => tell(`${path(identity)}/merge`, { into });

const path = (identity) => `v1/identities/${encodeURIComponent(identity)}`;

function send(url, fields, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value == null) continue;
    if (Array.isArray(value)) value.forEach((item) => form.append(name, item.blob, item.name));
    else if (value instanceof Blob) form.append(name, value, value.name ?? 'frame.jpg');
    else form.append(name, String(value));
  }
  return request(url, { method: 'POST', body: form, signal });
}

function tell(url, content) {
  const headers = { 'Content-Type': 'application/json' };
  return request(url, { method: 'POST', body: JSON.stringify(content), headers });
}

async function request(url, options = {}, read = (answer) => answer.json()) {
  let answer;
  try {
    const headers = { Accept: 'application/json', ...options.headers, ...keyHeader() };
    answer = await fetch(url, { ...options, headers });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    lost();
    throw unreachable();
  }
  found();
  if (!answer.ok) {
    const problem = await problemOf(answer);
    // The question is asked once; a request that looks at the camera meanwhile just fails.
    if (answer.status === 401 && await askForKey(problem)) return request(url, options, read);
    throw problem;
  }
  return answer.status === 204 ? null : read(answer);
}

/** That nobody answers. */
export const unreachable = () => new Problem({ code: 'unreachable', detail: 'nobody answers' });

async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}));
  return new Problem({
    code: body.code ?? `http_${answer.status}`,
    detail: body.detail ?? `HTTP ${answer.status}`,
    reasons: body.reasons ?? [],
    rejected: body.rejected ?? [],
    retryAfterS: Number(answer.headers.get('Retry-After')) || 0,
    id: body.instance,
  });
}
