// The detector in a thread of its own, so that the page never waits for it.

import { Detector, faceDict, toDict } from "../detector.js";
import { tryGpu } from "../model/gpu.js";
import { readClaims } from "../picture/claims.js";
import { DetectError, sentence } from "../verdict/reasons.js";
import { selfTest } from "./self_test.js";

const FOLDER = new URL("../", import.meta.url);
let detector = null;
let known = null; // the crop of the self-test, until the graphics card has been tried with it
let loaded = 0;

/** A file of the page's folder, counted as it comes. */
async function read(name) {
  const answer = await fetch(new URL(name, FOLDER));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  const parts = [];
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    postMessage({ loaded });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function start() {
  const made = await Detector.load({ read });
  const { self_test: expected } = made.version;
  const picture = await read(expected.file);
  known = await selfTest(made, picture, expected);
  detector = made;
  postMessage({ ready: made.version });
  await made.judge(picture); // while the visitor chooses a photograph, so that the first one finds all compiled
}

async function judge({ id, file, thorough }) {
  const progress = (share) => postMessage({ id, progress: share });
  const { verdict, stability, width, height, engines } = await detector.examine(file, { thorough, progress });
  const faces = verdict.faces.map((face) => ({ ...faceDict(face), stability: null }));
  for (const { face, rescores, flips } of stability) {
    const shown = faces.find(({ box }) => box.join() === face.box.join());
    shown.stability = { face: faceDict(face), rescores, flips };
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const [{ claims, code }, sha256] = [await readClaims(bytes), await fingerprint(bytes)];
  const read = { claims, claims_code: code };
  postMessage({ id, result: { verdict: toDict(verdict), faces, width, height, ...read, sha256, engines } });
}

/** Once, after the first verdict, which nothing is to delay: see whether the graphics card is the better place. */
async function prepareGpu() {
  if (!known) return;
  const crop = known;
  known = null;
  const { why, gpu, error } = await tryGpu(detector, crop, FOLDER, new URLSearchParams(location.search).get("engine"));
  if (error) console.warn(error);
  postMessage({ engine: gpu ? "webgpu" : "wasm", why });
  if (!gpu) return;
  console.warn(await gpu.lost);
  postMessage({ engine: "wasm", why: "lost" });
}

/** SHA-256 in hexadecimal digits; null on a page without encryption, where browsers have none. */
async function fingerprint(bytes) {
  if (!crypto.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const told = (error, otherwise) =>
  error instanceof DetectError
    ? { code: error.code, text: error.message }
    : { code: "failed", text: sentence(otherwise, error?.message ?? error) };

onmessage = ({ data }) => {
  judge(data).then(prepareGpu, (error) => postMessage({ id: data.id, error: told(error, "FAILED") }));
};

start().catch((error) => postMessage({ fault: told(error, "NO_START") }));
