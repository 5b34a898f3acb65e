// The model repository in transformers.js, as its users run it.
// node client.mjs REPOSITORY CROPS OUT: REPOSITORY and CROPS are folders, OUT a JSON file; see scripts/clients.py
import { readFile, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { env, pipeline, RawImage, Tensor } from "@huggingface/transformers";

const [repository, crops, out] = process.argv.slice(2);
const { resize } = await import(pathToFileURL(join(resolve(repository), "resize.mjs")));
env.allowRemoteModels = false;
env.localModelPath = dirname(resolve(repository)) + "/";

const files = (await readdir(crops)).filter((name) => name.endsWith(".png")).sort();
const pictures = await Promise.all(files.map((name) => RawImage.read(join(crops, name))));
const values = new Float32Array((await readFile(join(crops, "pixels.f32"))).buffer);
const answer = { versions: { "transformers.js": env.version, node: process.version }, logits: {}, scores: {} };
for (const dtype of ["fp32", "q8"]) {
  const classify = await pipeline("image-classification", basename(repository), { dtype });
  const side = classify.processor.image_processor.size.width;
  const pixel_values = new Tensor("float32", values, [values.length / (3 * side * side), 3, side, side]);
  answer.logits[dtype] = (await classify.model({ pixel_values })).logits.tolist();
  if (dtype === "fp32") {
    answer.scores.own = await scores(classify, pictures);
    answer.scores.resized = await scores(classify, pictures.map((picture) => resize(picture, side)));
  }
}
await writeFile(out, JSON.stringify(answer));

/** [real, fake] of every picture, as the pipeline gives them. */
async function scores(classify, pictures) {
  const rows = [];
  for (const picture of pictures) {
    const found = Object.fromEntries((await classify(picture, { top_k: 2 })).map((one) => [one.label, one.score]));
    rows.push([found.real, found.fake]);
  }
  return rows;
}
