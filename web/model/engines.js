// Where the network runs: in WebAssembly, or on the graphics card while there is one that may.

/** Stands where onnxruntime's session does. */
export class Engines {
  /** @param {any} wasm onnxruntime's session in WebAssembly */
  constructor(wasm) {
    this.wasm = wasm;
    /** @type {import("./gpu.js").GpuSession | null} */
    this.gpu = null;
    /** @type {Set<"wasm" | "webgpu">} of all runs since it was emptied */
    this.used = new Set();
  }

  /** Let a session run the network as long as it lives. @param {import("./gpu.js").GpuSession} gpu */
  use(gpu) {
    this.gpu = gpu;
    gpu.lost.then(() => (this.gpu = null));
  }

  async run(feeds, names) {
    const { gpu } = this;
    if (gpu) {
      try {
        const given = finite(await gpu.run(feeds, names));
        this.used.add("webgpu");
        return given;
      } catch (error) {
        gpu.close(error); // which says so to whoever waits for `lost`
        this.gpu = null;
      }
    }
    this.used.add("wasm");
    return this.wasm.run(feeds, names);
  }
}

/** What a run gave, if all of it are numbers: a card that breaks down may give others without an error. */
function finite(given) {
  for (const [name, { data }] of Object.entries(given))
    if (!data.every(Number.isFinite)) throw new Error(`not every number of ${name} is finite`);
  return given;
}
