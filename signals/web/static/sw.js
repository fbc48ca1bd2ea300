/* Opens the page without network and sends what waits when the browser says that there is reception.
   The service puts VERSION (a digest of everything below), ASSETS and PAGES in front of this file. */
"use strict";

importScripts(...ASSETS.filter((url) => /\/queue\.js/.test(url)));

const CACHE = `signals-${VERSION}`;
const CHOICE = "signals-language";
const LANGUAGE = new URL("/language", self.location).href;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGES.includes(url.pathname)) event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/bundles/")) event.respondWith(asset(request));
});
self.addEventListener("sync", (event) => {
  if (event.tag === "signals") event.waitUntil(sync());
});

/* The new version is complete before it is used. Languages that were opened before are brought along. */
async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(ASSETS);
  const wanted = new Set(["/", ...(await pagesOfOlderVersions())]);
  await Promise.all([...wanted].map(async (path) => cache.put(path, await good(path))));
  await self.skipWaiting();
}

async function pagesOfOlderVersions() {
  const paths = [];
  for (const name of await olderVersions()) {
    for (const request of await (await caches.open(name)).keys()) {
      const url = new URL(request.url);
      if (PAGES.includes(url.pathname)) paths.push(url.pathname + url.search);
    }
  }
  return paths;
}

async function activate() {
  await Promise.all((await olderVersions()).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function olderVersions() {
  return (await caches.keys()).filter((name) => name.startsWith("signals-") && name !== CACHE && name !== CHOICE);
}

/* From the phone when it is there: what a page says changes only with the version. A language that is not there yet
   is waited for shortly where another is: a network that says nothing must not keep the form away. */
async function page(event, url) {
  const path = await keyOf(url);
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  if (kept) return withFreshKey(kept);
  const other = await cache.match(url.pathname === "/voortgang" ? "/voortgang" : "/");
  const fetched = keep(cache, path);
  event.waitUntil(fetched.catch(() => {})); // it goes on coming for the next time
  try {
    return withFreshKey(await (other ? Promise.race([fetched, tooLong()]) : fetched));
  } catch {
    return other ? withFreshKey(other) : fetch(url.href);
  }
}

async function keep(cache, path) {
  const response = await good(path);
  await cache.put(path, response.clone());
  return response;
}

function tooLong() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), 4000));
}

/* `/` and `/m` are one page; a language that was chosen once goes for the next visit too. */
async function keyOf(url) {
  const path = url.pathname === "/voortgang" ? "/voortgang" : "/";
  const choice = await caches.open(CHOICE);
  const chosen = url.searchParams.get("lang");
  if (/^[a-z]{2}$/.test(chosen || "")) await choice.put(LANGUAGE, new Response(chosen));
  const language = await (await choice.match(LANGUAGE))?.text();
  return language ? `${path}?lang=${language}` : path;
}

/* A page of ours; a sign-in page of somebody's Wi-Fi is none, and is never kept. */
async function good(path) {
  const response = await fetch(path, { cache: "no-store", redirect: "error", credentials: "omit" });
  const type = response.headers.get("Content-Type") || "";
  if (response.status !== 200 || !type.startsWith("text/html") || !response.headers.has("API-Version")) {
    throw new TypeError("not a page of ours");
  }
  return response;
}

/* Each opening of the form is a report of its own, also for the form as it works without scripts. */
async function withFreshKey(response) {
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  const text = await response.text();
  const fresh = text.replace(/(name="idempotency_key" value=")[^"]*/, `$1${signalsQueue.newKey()}`);
  return new Response(fresh, { headers });
}

/* The part that seals comes with the first address, and stays for without network; so does the page of progress, which
   nobody needs before. */
async function asset(request) {
  const cache = await caches.open(CACHE);
  if (!(await cache.match(request))) {
    await cache.add(request);
    await keep(cache, "/voortgang").catch(() => {}); // then it comes with its first visit
  }
  return cache.match(request);
}

/* A rejected promise asks the browser to come back later. */
async function sync() {
  const waiting = await signalsQueue.flush(true);
  if (waiting.length) throw new Error("reports wait still");
}
