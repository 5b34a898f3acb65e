// Where the network runs: in WebAssembly, or on the graphics card while there is one that may.

/** Stands where onnxruntime's session does. */
export class Engines {
  /** @param {any} wasm onnxruntime's session in WebAssembly */
  constructor(wasm) {
    this.wasm = wasm;
    /** @type {import("./gpu.js").GpuSession | null} */
    this.gpu = null;
    /** @type {"wasm" | "webgpu"} of the last run */
    this.last = "wasm";
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
        const given = await gpu.run(feeds, names);
        this.last = "webgpu";
        return given;
      } catch (error) {
        gpu.close(error); // which says so to whoever waits for `lost`
        this.gpu = null;
      }
    }
    this.last = "wasm";
    return this.wasm.run(feeds, names);
  }
}
