// The network on the graphics card, in a worker of its own, so that nothing else waits for it or breaks down with it.

import { fetched } from "../detector.js";
import { mirrored } from "../picture/pixels.js";
import { MICRO_BATCH, Model } from "./model.js";
import { remember, remembered } from "./outcome.js";

// A run is not waited for beyond so many times what a warm one takes, and at least so many milliseconds; the files, the
// build's start and each of the first runs, in which a card's programs are compiled, not beyond the last of these.
const [TIMES, LEAST, FIRST] = [20, 10000, 600000];
const ROUNDS = 3; // of which the best counts
const LASTING = ["slower", "disagrees"]; // outcomes that the next visit need not find again

export class GpuSession {
  constructor() {
    this.worker = new Worker(new URL("./gpu_worker.js", import.meta.url), { type: "module" });
    this.waiting = new Map(); // id -> what settles the promise
    this.asked = 0;
    this.limit = FIRST; // milliseconds
    /** @type {Error | null} why it can no longer run */
    this.fault = null;
    /** @type {Promise<Error>} settled when it can no longer run */
    this.lost = new Promise((resolve) => (this.lose = resolve));
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.close(new Error(event.message ?? ""));
    };
  }

  /** @param {string} module address of the build @param {ArrayBuffer} wasm @param {ArrayBuffer} model an ONNX file */
  load(module, wasm, model) {
    return this.answer({ module, wasm, model }, [wasm, model]);
  }

  /** As onnxruntime's session does. */
  run({ pixel_values: { data, dims } }, names) {
    return this.answer({ data, dims, names });
  }

  answer(what, moved = []) {
    if (this.fault) return Promise.reject(this.fault);
    return new Promise((resolve, reject) => {
      const id = ++this.asked;
      const late = () => this.close(new Error(`no answer in ${this.limit} ms`));
      this.waiting.set(id, { resolve, reject, timer: setTimeout(late, this.limit) });
      this.worker.postMessage({ id, ...what }, moved);
    });
  }

  heard({ id, given, error, lost }) {
    if (this.fault) return; // it was on its way when the worker was ended
    if (lost !== undefined) return this.close(new Error(lost));
    const { resolve, reject, timer } = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(timer);
    if (error === undefined) resolve(given);
    else reject(new Error(error));
  }

  /** End it; what waits for an answer is told why. @param {Error} error */
  close(error) {
    if (this.fault) return;
    this.fault = error;
    this.worker.terminate();
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.waiting.clear();
    this.lose(error);
  }
}

/**
 * Have the graphics card run a detector's network, if it gives the same numbers and is no slower.
 * @param {import("../detector.js").Detector} detector
 * @param {import("../picture/pixels.js").Picture} crop the known one
 * @param {string} folder address of that with the model
 * @param {string | null} wanted "webgpu": also where it is slower, only a card in software, or data is to be saved, and
 *   whatever came of it before; "wasm": not at all
 * @returns {Promise<{why: string, gpu: GpuSession | null, error: Error | null}>} `why`: see the page's `engine_why`
 */
export async function tryGpu(detector, crop, folder, wanted) {
  const { version } = detector;
  const no = (why, error = null) => ({ why, gpu: null, error });
  if (wanted === "wasm") return no("asked");
  if (!version.gpu) return no("int8");
  const forced = wanted === "webgpu";
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter || (!forced && isSoftware(adapter))) return no("no_gpu");
  } catch (error) {
    return no("failed", error);
  }
  if (!forced && navigator.connection?.saveData) return no("save_data");
  const before = forced ? null : await remembered(folder);
  if (before) return no(before);
  let files;
  try {
    files = await filesOf(version, folder);
  } catch (error) {
    return no("not_fetched", error);
  }
  const gpu = new GpuSession();
  try {
    const why = await tried(gpu, detector, crop, files, forced);
    if (why === "fast" || why === "asked") return { why, gpu, error: null };
    gpu.close(new Error(why));
    if (LASTING.includes(why) && !forced) await remember(folder, why);
    return no(why);
  } catch (error) {
    gpu.close(error);
    return no("failed", error);
  }
}

/** Whether an adapter is none of a card; browsers say so in one place or the other. */
const isSoftware = ({ info, isFallbackAdapter }) => info?.isFallbackAdapter ?? isFallbackAdapter ?? false;

/** The address of the build with WebGPU, and the bytes of its WebAssembly and of the model. */
async function filesOf({ gpu, file }, folder) {
  const signal = AbortSignal.timeout(FIRST);
  const names = [...gpu.files, file];
  const bytes = await Promise.all(names.map((name) => fetched(new URL(name, folder), { signal })));
  const [wasm, model] = bytes.slice(-2).map(({ buffer }) => buffer);
  return { module: new URL(gpu.files[0], folder).href, wasm, model };
}

/** Load the network, try it on the known crop, and let it judge from the next picture on if it may. Returns why. */
async function tried(gpu, detector, crop, { module, wasm, model: file }, forced) {
  await gpu.load(module, wasm, file);
  const { version, model } = detector;
  const there = new Model(model.ort, gpu, model.metadata);
  const { looks } = model.metadata;
  const views = looks.framings.flatMap(() => (looks.mirrored ? [crop, mirrored(crop)] : [crop])); // as of one face
  const most = Array.from({ length: MICRO_BATCH }, (_, n) => views[n % views.length]); // as of many
  const crops = [...most, ...views];
  await there.outputs(crops);
  const started = performance.now();
  const given = await there.outputs(crops);
  gpu.limit = Math.max(LEAST, TIMES * (performance.now() - started));
  const expected = await detector.alone(() => model.outputs(crops));
  if (!agree(given, expected, version.self_test.logits, version.gpu.tolerance)) return "disagrees";
  return detector.alone(async () => {
    if (!forced && (await isSlower(there, model, views))) return "slower";
    model.session.use(gpu);
    return forced ? "asked" : "fast";
  });
}

/** Whether one model takes longer for crops than another: in turns, as what else the device does may change. */
async function isSlower(one, other, crops) {
  const best = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++)
    for (const [n, model] of [one, other].entries()) {
      const started = performance.now();
      await model.outputs(crops);
      best[n] = Math.min(best[n], performance.now() - started);
    }
  return best[0] > best[1];
}

/** Whether all numbers of the graphics card are those of WebAssembly, and of the first crop those that are known. */
function agree(there, here, known, tolerance) {
  const near = (one, other) => one.every((value, n) => Math.abs(value - other[n]) <= tolerance);
  return (
    near(there[0].logits, known) &&
    there.every(({ logits, kinds }, n) => near(logits, here[n].logits) && near(kinds, here[n].kinds))
  );
}
