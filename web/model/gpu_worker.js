// onnxruntime-web's build with WebGPU; see gpu.js for what it is asked.

const vendor = new URL("../vendor/", import.meta.url);
let [ort, session] = [null, null];

async function load(address) {
  ort = await import(new URL("ort.webgpu.min.mjs", vendor).href);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = vendor.href;
  session = await ort.InferenceSession.create(address, { executionProviders: ["webgpu"], logSeverityLevel: 4 });
  const device = await ort.env.webgpu.device;
  device.lost.then(({ message }) => postMessage({ lost: message }));
}

/** What onnxruntime gives, as far as it can be sent: {name: {data, dims}}. */
async function run({ data, dims, names }) {
  const found = await session.run({ pixel_values: new ort.Tensor("float32", data, dims) }, names);
  return Object.fromEntries(names.map((name) => [name, { data: found[name].data, dims: found[name].dims }]));
}

onmessage = ({ data: { id, address, ...asked } }) => {
  (address ? load(address) : run(asked)).then(
    (given) => postMessage({ id, given }),
    (error) => postMessage({ id, error: String(error?.message ?? error) }),
  );
};
