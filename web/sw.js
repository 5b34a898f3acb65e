// Keeps the page on the device and lets it use no file that is not the one it was made with.

const SEAL = "ASSETS_SHA256";
const POLICY = "[[csp]]";
const PREFIX = "detector-";
const CACHE = PREFIX + SEAL;
const AT_A_TIME = 4; // files
const TYPES = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  json: "application/json",
  wasm: "application/wasm",
  svg: "image/svg+xml",
  png: "image/png",
};

const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
const addressOf = (name) => new URL(name, self.registration.scope).href;

/** A file from the server, if its SHA-256 is this one; otherwise every open page is told and an error thrown. */
async function checked(name, sha256) {
  const answer = await fetch(addressOf(name), { cache: "no-cache" });
  const bytes = await answer.arrayBuffer();
  if (answer.ok && hex(await crypto.subtle.digest("SHA-256", bytes)) === sha256) return bytes;
  await tell({ changed: name });
  throw new Error(`${name} is not the file that belongs to this page.`);
}

async function tell(message) {
  for (const page of await self.clients.matchAll({ includeUncontrolled: true, type: "window" }))
    page.postMessage(message);
}

function kept(name, bytes) {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  // A worker obeys the policy of its own file, not that of the page.
  return new Response(bytes, { headers: { "Content-Type": type, "Content-Security-Policy": POLICY } });
}

async function install() {
  // A device without room for all of it fails here, and so the page runs from the server and says that it is not kept.
  const list = await checked("assets.json", SEAL);
  const { files } = JSON.parse(new TextDecoder().decode(list));
  const cache = await caches.open(CACHE);
  const now = Object.entries(files).filter(([, { later }]) => !later); // the others come when they are asked for
  const all = now.reduce((sum, [, { size }]) => sum + size, 0);
  const waiting = now.sort(([, one], [, other]) => other.size - one.size);
  let done = 0;
  const some = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, { sha256, size }] = next;
      if (!(await cache.match(addressOf(name))))
        await cache.put(addressOf(name), kept(name, await checked(name, sha256)));
      done += size;
      await tell({ kept: done, of: all });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, some));
  await cache.put(addressOf("assets.json"), kept("assets.json", list)); // last: with it, all is there
  // A newer version takes over when the last page of the one before is closed: no page ever mixes the two.
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

/** From the device; what was lost or never there, from the server. */
async function answer(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(self.registration.scope)) return refused();
  const name = decodeURI(url.pathname.slice(new URL(self.registration.scope).pathname.length)) || "index.html";
  const cache = await caches.open(CACHE);
  const found = await cache.match(addressOf(name));
  if (found) return found;
  const list = await cache.match(addressOf("assets.json"));
  const files = list ? (await list.json()).files : {};
  if (!Object.hasOwn(files, name)) return refused();
  const bytes = await checked(name, files[name].sha256);
  try {
    await cache.put(addressOf(name), kept(name, bytes));
  } catch (error) {
    console.warn(error); // no room: the page has what it asked for, and asks the server the next time as well
  }
  return kept(name, bytes);
}

const refused = () => new Response("", { status: 404, headers: { "Content-Security-Policy": POLICY } });

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => event.respondWith(answer(event.request)));
