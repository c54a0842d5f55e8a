/** Says that the service is away, and when it is back. */

import { byId } from './dom.js';
import { t } from './language.js';

const EVERY_MS = 4000;
let waiting = null;

/** Called when a request found nobody. */
export function lost() {
  if (waiting) return;
  const banner = byId('offline');
  banner.textContent = t('offline');
  banner.hidden = false;
  waiting = setInterval(look, EVERY_MS);
}

/** Called with every answer. */
export function found() {
  if (!waiting) return;
  clearInterval(waiting);
  waiting = null;
  byId('offline').hidden = true;
  document.dispatchEvent(new Event('online-again'));
}

async function look() {
  try {
    if ((await fetch('healthz', { cache: 'no-store' })).ok) found();
  } catch {
    // Still away.
  }
}
