/** The service's HTTP API. Every failure becomes a `Problem` with words for people. */

import { askForKey, keyHeader } from './access.js';

/** A refused or failed request. */
export class Problem extends Error {
  /** @param {{code: string, detail: string, reasons?: string[], rejected?: any[], retryAfterS?: number}} fields */
  constructor(fields) {
    super(fields.detail);
    this.code = fields.code;
    this.reasons = fields.reasons ?? [];
    this.rejected = fields.rejected ?? [];
    this.retryAfterS = fields.retryAfterS ?? 0;
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

async function request(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { headers: { Accept: 'application/json', ...keyHeader() }, ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem({
      code: 'unreachable',
      detail: 'The service could not be reached. Check that it is running, then try again.',
    });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    // The question is asked once; a request that looks at the camera meanwhile just fails.
    if (response.status === 401 && await askForKey(problem.message)) return request(url, options);
    throw problem;
  }
  return response.status === 204 ? null : response.json();
}

const WORDS = {
  missing_key: 'This service asks for a key. The operator has it; the first one is in admin.key in the data folder.',
};

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const detail = WORDS[body.code] ?? body.detail ?? `The service answered with status ${response.status}.`;
  // The id is for whoever reads the service's log; a refusal explains itself.
  const id = response.status >= 500 && body.instance ? ` Request id: ${body.instance}` : '';
  return new Problem({
    code: body.code ?? `http_${response.status}`,
    detail: detail + id,
    reasons: body.reasons ?? [],
    rejected: body.rejected ?? [],
    retryAfterS: Number(response.headers.get('Retry-After')) || 0,
  });
}
