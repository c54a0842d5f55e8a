/**
 * Keeps the page's own files, so that it opens when the service cannot be reached.
 *
 * The service is asked first, always: an upgrade is seen at once, and what is kept is
 * shown only when nothing answers. Nothing else is looked at, least of all the API.
 * VERSION and FILES are put before this by the service.
 */

const PREFIX = 'semblance-';
const KEEP = PREFIX + VERSION;
const GATEWAY_ERRORS = [502, 503, 504];

self.addEventListener('install', (event) => { event.waitUntil(fill()); });
self.addEventListener('activate', (event) => { event.waitUntil(takeOver()); });
self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || !FILES.includes(pathname)) return;
  event.respondWith(newest(event.request, pathname));
});

async function fill() {
  const cache = await caches.open(KEEP);
  await cache.addAll(FILES.map((path) => new Request(path, { cache: 'no-cache' })));
  await self.skipWaiting();
}

async function takeOver() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== KEEP);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function newest(request, pathname) {
  try {
    const answer = await fetch(request);
    if (!GATEWAY_ERRORS.includes(answer.status)) return answer;
  } catch {
    // Nobody is there: what was kept is better than nothing.
  }
  const cache = await caches.open(KEEP);
  return await cache.match(pathname) ?? Response.error();
}
