// The network on the graphics card, in a worker of its own, so that nothing else waits for it or breaks down with it.

import { Model } from "./model.js";
import { mirrored } from "../picture/pixels.js";

// Beyond so many times what a warm run takes, and at least so many milliseconds, a run is not waited for.
const [TIMES, LEAST] = [20, 10000];

export class GpuSession {
  constructor() {
    this.worker = new Worker(new URL("./gpu_worker.js", import.meta.url), { type: "module" });
    this.waiting = new Map(); // id -> what settles the promise
    this.asked = 0;
    this.limit = Infinity; // milliseconds
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

  /** @param {string} address of an ONNX file */
  load(address) {
    return this.answer({ address });
  }

  /** As onnxruntime's session does. */
  run({ pixel_values: { data, dims } }, names) {
    return this.answer({ data, dims, names });
  }

  answer(what) {
    if (this.fault) return Promise.reject(this.fault);
    return new Promise((resolve, reject) => {
      const id = ++this.asked;
      const late = () => this.close(new Error(`no answer in ${this.limit} ms`));
      const timer = this.limit < Infinity ? setTimeout(late, this.limit) : null;
      this.waiting.set(id, { resolve, reject, timer });
      this.worker.postMessage({ id, ...what });
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
 * @param {string | null} wanted "webgpu": also where it is slower, or only a card in software; "wasm": not at all
 * @returns {Promise<{why: string, gpu: GpuSession | null, error: Error | null}>} `why`: see the page's `engine_why`
 */
export async function tryGpu(detector, crop, folder, wanted) {
  const { version, model } = detector;
  const no = (why, error = null) => ({ why, gpu: null, error });
  if (wanted === "wasm") return no("asked");
  if (!version.gpu) return no("int8");
  let gpu = null;
  const closed = (why, error = null) => {
    gpu?.close(error ?? new Error(why));
    return no(why, error);
  };
  try {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter || (wanted !== "webgpu" && isSoftware(adapter))) return no("no_gpu");
    gpu = new GpuSession();
    await gpu.load(new URL(version.file, folder).href);
    const { looks } = model.metadata;
    const views = looks.framings.flatMap(() => (looks.mirrored ? [crop, mirrored(crop)] : [crop])); // as of a face
    const there = await timed(new Model(model.ort, gpu, model.metadata), views);
    const here = await detector.alone(() => timed(model, views));
    const { self_test: known, gpu: asked } = version;
    if (!agree(there.outputs, here.outputs, known.logits, asked.tolerance)) return closed("disagrees");
    if (wanted !== "webgpu" && there.ms > here.ms) return closed("slower");
    gpu.limit = Math.max(LEAST, TIMES * there.ms);
    model.session.use(gpu);
    return { why: wanted === "webgpu" ? "asked" : "fast", gpu, error: null };
  } catch (error) {
    return closed("failed", error);
  }
}

/** Whether an adapter is none of a card; browsers say so in one place or the other. */
const isSoftware = ({ info, isFallbackAdapter }) => info?.isFallbackAdapter ?? isFallbackAdapter ?? false;

/** What a model gives for crops, and the milliseconds of the second time. */
async function timed(model, crops) {
  await model.outputs(crops);
  const started = performance.now();
  const outputs = await model.outputs(crops);
  return { outputs, ms: performance.now() - started };
}

/** Whether all numbers of the graphics card are those of WebAssembly, and of the first crop those that are known. */
function agree(there, here, known, tolerance) {
  const near = (one, other) => one.every((value, n) => Math.abs(value - other[n]) <= tolerance);
  return (
    near(there[0].logits, known) &&
    there.every(({ logits, kinds }, n) => near(logits, here[n].logits) && near(kinds, here[n].kinds))
  );
}
