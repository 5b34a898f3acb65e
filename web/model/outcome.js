// What came of trying the graphics card, so that the next visit does not load and try again what was of no use.

import { fetched } from "../detector.js";

const CACHE = "graphics-card"; // one of the browser's caches, as a worker has no simpler store

const place = (folder) => new URL("graphics-card", folder).href;

/** What an outcome holds for: these files of the page, in this version of the browser. */
async function circumstances(folder) {
  const files = new TextDecoder().decode(await fetched(new URL("assets.json", folder)));
  return { files, browser: navigator.userAgent };
}

/** Do something with what is kept; null where the browser keeps nothing, so that each visit tries anew. */
async function withKept(work) {
  if (!globalThis.caches) return null; // on a page without encryption
  try {
    return await work(await caches.open(CACHE));
  } catch (error) {
    console.warn(error);
    return null;
  }
}

/** The outcome of an earlier visit under the same circumstances, or null. @param {string} folder that of the page */
export const remembered = (folder) =>
  withKept(async (cache) => {
    const found = await (await cache.match(place(folder)))?.json();
    const now = await circumstances(folder);
    return found && found.files === now.files && found.browser === now.browser ? found.why : null;
  });

/** Keep an outcome in place of the one before. @param {string} folder @param {string} why */
export const remember = (folder, why) =>
  withKept(async (cache) => {
    const outcome = { why, ...(await circumstances(folder)) };
    await cache.put(place(folder), new Response(JSON.stringify(outcome)));
  });
