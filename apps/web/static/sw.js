// Keeps the shell of one build, so that the handset opens at once and without a network. Never the line, never a key.
//
//   page registers sw.js?v=BUILD   another build: another script, another cache; the old one serves until the person agrees

const BUILD = new URL(self.location).searchParams.get('v');
const CACHE = `hotline-${BUILD}`;
const SHELL = [
  './', 'style.css', 'boot.js', 'page.js', 'page_bg.wasm', 'worker.js', 'handset.js', 'handset_bg.wasm', 'worklet.js',
  'manifest.webmanifest', 'icon.svg', 'icon-192.png', 'icon-512.png',
];
const KEPT = new Set(SHELL.map((path) => new URL(path, self.location).pathname));

self.addEventListener('install', (event) => {
  const all = SHELL.map((path) => new Request(path, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(all)));
});

self.addEventListener('activate', (event) => {
  const old = (names) => names.filter((name) => name.startsWith('hotline-') && name !== CACHE);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))));
});

self.addEventListener('message', (event) => {
  if (event.data === 'take over') event.waitUntil(self.skipWaiting().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const at = new URL(url);
  if (method !== 'GET' || at.origin !== self.location.origin || !KEPT.has(at.pathname)) return;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => (await cache.match(at.pathname)) ?? fetch(event.request)),
  );
});

// A notification that was shown for a hidden page leads back to it.
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then((open) => (open[0] ? open[0].focus() : self.clients.openWindow('./'))),
  );
});
