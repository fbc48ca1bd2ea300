/* Answers for the desk without a network: keeps the form of an attempt, and shows one page that says so.
   The service puts VERSION, SCRIPTS, PAGE and FILES in front of this file. It keeps no other page of the desk. */
"use strict";

importScripts(...SCRIPTS);

const CACHE = `desk-${VERSION}`;
const ATTEMPT = /^\/desk\/signals\/[0-9a-f-]{36}\/contact-attempts$/;
const PATIENCE = 15 * 1000;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.mode === "navigate" && request.method === "GET") event.respondWith(fetch(request).catch(offline));
  else if (request.mode === "navigate" && ATTEMPT.test(url.pathname)) event.respondWith(attempt(request, url.pathname));
  else if (FILES.includes(url.pathname + url.search)) event.respondWith(file(request));
});
self.addEventListener("sync", (event) => event.waitUntil(sync()));

async function install() {
  await (await caches.open(CACHE)).addAll([PAGE, ...FILES]);
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith("desk-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/* Send the form, or keep it where no answer of ours comes in time. A form that did arrive is recorded once all the
   same: every try has the same id. */
async function attempt(request, path) {
  const body = await request.clone().text();
  try {
    const answer = await Promise.race([fetch(request), tooLong()]);
    if (answer.status < 500 || answer.headers.has("API-Version")) return answer;
  } catch {
    // no network, or one that says nothing
  }
  await signalsOutbox.keep(path, body);
  await self.registration.sync?.register("signals-desk").catch(() => {});
  return offline();
}

function tooLong() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE));
}

async function offline() {
  return (await (await caches.open(CACHE)).match(PAGE)) ?? Response.error();
}

async function file(request) {
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request);
}

/* A rejected promise asks the browser to come back later. */
async function sync() {
  if (!(await signalsOutbox.flush())) throw new Error("not sent yet");
}
