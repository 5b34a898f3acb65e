"""When the graphics card is tried and when it takes over, with a worker and a network whose pace is chosen."""

import json
import subprocess

import pytest
from waiting import LONG

# A worker in the browser's place, and a clock that runs alone move on, however busy the machine is: run number 1,
# 2, ... of the card takes DELAYS[that] milliseconds, or none; one in WebAssembly takes 20. `[` and `]` are where a
# picture or a part of the trial has the networks for itself.
PROGRAM = """
import { Detector } from "SITE/detector.js";
import { Engines } from "SITE/model/engines.js";
import { tryGpu } from "SITE/model/gpu.js";
import { Model } from "SITE/model/model.js";

const delays = DELAYS;
const [events, pictures] = [[], []];
let [count, clock] = [0, 0];
Object.defineProperty(performance, "now", { value: () => clock });
const after = async (ms) => {
  await new Promise((resolve) => setImmediate(resolve));
  clock += ms;
};
const given = ([crops]) => ({ logits: { data: new Float32Array(2 * crops), dims: [crops, 2] } });
globalThis.fetch = async () => new Response(new Uint8Array(4));
Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter: async () => ({ info: {} }) } } });
globalThis.Worker = class {
  async postMessage({ id, dims }) {
    if (dims) {
      events.push("webgpu");
      await after(delays[++count] ?? 0);
    }
    this.onmessage({ data: { id, given: dims && given(dims) } });
  }
  terminate() {}
};
const wasm = {
  async run({ pixel_values: { dims } }) {
    events.push("wasm");
    await after(20);
    return given(dims);
  },
};
const Tensor = class { constructor(type, data, dims) { Object.assign(this, { data, dims }); } };
const model = new Model({ Tensor }, new Engines(wasm), {
  size: 8, kinds: null, looks: { framings: [1], mirrored: true },
});
const version = {
  file: "model.onnx", self_test: { logits: [0, 0] }, gpu: { tolerance: 0.001, files: ["a.mjs", "b.mjs", "c.wasm"] },
};
const detector = new Detector(version, model, null);
const alone = detector.alone.bind(detector);
detector.alone = (work) =>
  alone(async () => {
    events.push("[");
    const found = await work();
    events.push("]");
    return found;
  });
const crop = { data: new Uint8Array(8 * 8 * 3), width: 8, height: 8 };
let tried = null;
async function judgeOn() {
  for (let more = 2; more; tried && more--)
    await detector.alone(async () => {
      const { used } = model.session;
      used.clear();
      for (let run = 0; run < 3; run++) await model.outputs([crop]);
      pictures.push([...used]);
    });
}
const trial = tryGpu(detector, crop, "http://here/", null).then(({ why }) => (tried = why));
if (JUDGING) await Promise.all([judgeOn(), judgeOn()]);
console.log(JSON.stringify({ why: await trial, events: events.join(" "), pictures }));
process.exit(0); // whatever limits still run
"""
RACE = "[ webgpu wasm webgpu wasm webgpu wasm ]"


def tried(site, tmp_path, delays: dict[int, int], judging: bool = False) -> dict:
    values = {"SITE": site.as_posix(), "DELAYS": json.dumps(delays), "JUDGING": json.dumps(judging)}
    program = PROGRAM
    for name, value in values.items():
        program = program.replace(name, value)
    (tmp_path / "program.mjs").write_text(program)
    done = subprocess.run(["node", "program.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Four runs, two for each size of batch, come before those that are timed
@pytest.mark.parametrize(
    ("delays", "why"),
    [({}, "fast"), ({5: 300, 7: 300}, "fast"), ({5: 300, 6: 300, 7: 300}, "slower")],
)
def test_card_and_processor_are_timed_in_turns_and_the_best_of_three_counts(site, tmp_path, delays, why):
    found = tried(site, tmp_path, delays)
    assert found["why"] == why and found["events"].endswith(RACE)


def test_no_picture_is_disturbed_by_the_trial_or_changes_hands(site, tmp_path):
    """Photographs are judged one after the other all the while."""
    found = tried(site, tmp_path, {}, judging=True)
    assert found["why"] == "fast" and RACE in found["events"]
    assert found["pictures"][0] == ["wasm"] and found["pictures"][-1] == ["webgpu"]
    assert all(len(engines) == 1 for engines in found["pictures"])
