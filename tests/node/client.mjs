// Calls one endpoint as any JavaScript program does and prints the answer as JSON.
// node client.mjs URL ENDPOINT PARAMETER FILE... (several files make a list)
import { File } from "node:buffer";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Client } from "@gradio/client";

const [url, endpoint, parameter, ...paths] = process.argv.slice(2);
const files = await Promise.all(paths.map(async (path) => new File([await readFile(path)], basename(path))));
const client = await Client.connect(url, { events: ["data", "status"] });
let answer;
try {
  const { data } = await client.predict(endpoint, { [parameter]: endpoint === "/analyze_batch" ? files : files[0] });
  answer = data[0];
} catch (error) {
  answer = { error: error.message };
}
console.log(JSON.stringify(answer));
process.exit(0);
