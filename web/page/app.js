// The page: files in, one after the other through the worker, cards out.

import { table } from "../table.js";
import { fill } from "../verdict/reasons.js";
import { busyCard, failedCard, judgedCard, released, uncheckedCard, waitingCard } from "./card.js";
import { keep } from "./offline.js";
import { openInPrint } from "./record.js";

const { page, sentences } = table;
const at = (id) => document.getElementById(id);
const waiting = []; // {id, file, name, thorough, again, card, progress, remove}
// version: null while no worker can judge; stopped: why none ever will
let [worker, version, current, count, stopped] = [null, null, null, 0, ""];

const say = (text) => (at("status").textContent = text);

function state(text, share = null) {
  at("state").textContent = text;
  at("loading").hidden = share === null;
  if (share !== null) at("loading").value = share;
}

/** Nothing can be judged any more, which each photograph that waits is told. */
function fault(text) {
  state("");
  at("alert").textContent = stopped = text;
  if (current) failed(text);
  else next();
}

async function start() {
  const { kept, changed } = await keep((share) => state(page.starting, share));
  if (changed) return fault(fill(sentences.ASSET_CHANGED, changed));
  at("offline").textContent = kept ? page.offline : page.not_offline;
  run();
}

function run() {
  worker = new Worker(new URL(`./worker.js${location.search}`, import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => heard(data);
  worker.onerror = (event) => {
    event.preventDefault();
    crashed(event.message ?? "");
  };
}

/** A worker that broke down takes the picture at hand with it; the others go on with a new one. */
function crashed(text) {
  worker.terminate();
  const judging = version && current;
  version = null; // before anything else: what waits is for the next worker
  if (!judging) return fault(fill(sentences.NO_START, text));
  failed(fill(sentences.FAILED, text));
  run();
}

/** Where the network runs, and why there. */
function engineSaid(name, why) {
  at("engine").textContent = fill(page.engine, page.engines[name], page.engine_why[why]);
  at("engine").dataset.why = why;
}

function heard(data) {
  if (data.fault) return fault(data.fault.text);
  if (data.ready) {
    version = data.ready;
    engineSaid("wasm", "first");
    at("version").textContent = fill(page.version, version.version, version.file, version.sha256);
    for (const id of ["files", "camera"]) at(id).disabled = false;
    state(page.ready);
    say(page.ready);
    return next();
  }
  if (data.engine) return engineSaid(data.engine, data.why);
  if (data.loaded) return state(page.starting, null);
  if (!current || data.id !== current.id) return; // of a picture that was removed meanwhile
  if (data.progress) return current.progress(data.progress);
  if (data.error) return failed(data.error.text);
  const { verdict, faces } = data.result;
  done((each) => {
    each.again = () => again(each);
    judgedCard(each.card, { ...each, result: data.result, version });
  }, page.said[faces.length ? verdict.label : "no_face"]);
}

/** The picture at hand could not be judged. One that has a verdict already keeps it. */
function failed(text) {
  const said = current.again ? fill(page.thorough_failed, text) : text;
  done(({ card, name, remove, again }) => {
    if (again) uncheckedCard(card, said);
    else failedCard(card, name, said, remove);
  }, said);
}

function done(show, said) {
  const each = current;
  current = null;
  if (each.card.isConnected) show(each);
  say(fill(page.done, each.name, said));
  next();
}

function next() {
  if (current || !(version || stopped) || !waiting.length) return;
  current = waiting.shift();
  if (stopped) return failed(stopped);
  say(fill(page.judging, current.name));
  worker.postMessage({ id: current.id, file: current.file, thorough: current.thorough });
}

function add(files) {
  for (const file of files) {
    const [id, name] = [++count, file.name || page.pasted];
    const each = { id, file, name, thorough: table.detector.THOROUGH, remove: () => removed(each) };
    Object.assign(each, waitingCard(name, each.remove));
    at("cards").append(each.card);
    waiting.push(each);
  }
  at("clear").hidden = !at("cards").children.length;
  next();
}

/** Judge a photograph once more, with its faces scored again after small changes. */
function again(each) {
  waiting.push(Object.assign(each, { thorough: true, progress: busyCard(each.card, each.name) }));
  next();
}

function drop(card) {
  released(card);
  card.remove();
}

function removed(each) {
  const place = waiting.indexOf(each);
  if (place >= 0) waiting.splice(place, 1);
  drop(each.card);
  at("clear").hidden = !at("cards").children.length;
  at("files").focus();
}

for (const id of ["files", "camera"])
  at(id).addEventListener("change", ({ target }) => {
    add(target.files);
    target.value = ""; // so that the same file can be chosen again
  });
at("clear").addEventListener("click", () => {
  waiting.length = 0;
  for (const card of [...at("cards").children]) drop(card);
  at("clear").hidden = true;
  at("files").focus();
});
document.addEventListener("paste", ({ clipboardData }) => add(clipboardData.files));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("choose").classList.add("over");
});
document.addEventListener("dragleave", () => at("choose").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("choose").classList.remove("over");
  add(event.dataTransfer.files);
});
openInPrint();
start().catch((error) => fault(fill(sentences.NO_START, error.message)));
