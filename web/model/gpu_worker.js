// onnxruntime-web's build with WebGPU; see gpu.js for what it is asked.

let [ort, session] = [null, null];

/** @param {{module: string, wasm: ArrayBuffer, model: ArrayBuffer}} files the build: its address and WebAssembly */
async function load({ module, wasm, model }) {
  ort = await import(module);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("./", module).href;
  ort.env.wasm.wasmBinary = wasm;
  const options = { executionProviders: ["webgpu"], logSeverityLevel: 4 };
  session = await ort.InferenceSession.create(new Uint8Array(model), options);
  const device = await ort.env.webgpu.device;
  device.lost.then(({ message }) => postMessage({ lost: message }));
}

/** What onnxruntime gives, as far as it can be sent: {name: {data, dims}}. */
async function run({ data, dims, names }) {
  const found = await session.run({ pixel_values: new ort.Tensor("float32", data, dims) }, names);
  return Object.fromEntries(names.map((name) => [name, { data: found[name].data, dims: found[name].dims }]));
}

onmessage = ({ data: { id, ...asked } }) => {
  (asked.module ? load(asked) : run(asked)).then(
    (given) => postMessage({ id, given }),
    (error) => postMessage({ id, error: String(error?.message ?? error) }),
  );
};
