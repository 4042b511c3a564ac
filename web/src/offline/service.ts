/**
 * The service worker: the page works without a network after the first visit.
 *
 * Keeps the files of one build, and answers for them; anything else is left to the browser. A new build is another version: it is
 * fetched whole before it takes over, so that files of two builds never meet.
 */

declare const self: ServiceWorkerGlobalScope;

/** Written by the build. */
declare const __KEPT__: { readonly version: string; readonly files: readonly string[] };

const KEPT = __KEPT__;
const PREFIX = "fulmar-page-";
const CACHE = PREFIX + KEPT.version;
const here = new URL("./", self.location.href);
const kept = new Map(KEPT.files.map((file) => [new URL(file, here).href, file]));

self.addEventListener("install", (event) => {
  // Past the browser's own cache: the list is of this build, and so must be the files.
  const requests = [...kept.keys()].map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  // A person wants the newer build now; otherwise it waits until no page of the older one is open.
  if (event.data === "take over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  url.hash = "";
  url.search = "";
  if (url.href === here.href) url.pathname += "index.html";
  if (event.request.method !== "GET" || !kept.has(url.href)) return;
  event.respondWith(answer(url.href, event.request));
});

async function answer(url: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(url)) ?? fetch(request);
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

export {};
