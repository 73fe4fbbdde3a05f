import { Editor } from "./editor.js";
import { Engine } from "./engine.js";
import examples from "./examples.json";
import * as links from "./link.js";
import { Sliders } from "./sliders.js";
import { Training } from "./training.js";

const get = (id) => document.getElementById(id);
const TYPING = 120; // milliseconds without a key, after which the program runs

let trusted = false; // whether the program may run by itself: not one that came with a link, until its reader runs it
let typing = 0;
let link = null; // what the address asked for, until the first run has shown it
let shown = ""; // the variable that the reader chose; "" for the program's own choice
let place = { step: 0, view: 0 };
let pending = 0;
let ran = ""; // the program that was run last
let lines = {}; // of the gates, by the place of what they compute
let playing = null; // resolves when the player's frame can be given something

// The player ------------------------------------------------------------------------------------------------

const opened = new Promise((resolve) => { playing = resolve; });
addEventListener("message", ({ source, data }) => {
  if (source !== get("player").contentWindow || !data) return;
  if (data.kind === "waiting") playing();
  if (data.kind === "wanted" && Number.isInteger(data.view)) {
    status("drawing ...");
    engine.ask({ view: data.view });
  }
  if (data.kind === "step") {
    const count = (number) => (Number.isInteger(number) && number >= 0 ? number : 0);
    place = { step: count(data.step), view: count(data.view) };
    editor.made(lines[String(data.gate).slice(1)] ?? null);
  }
});
get("player").src = "player.html"; // only now, so that it is heard

async function tell(message) {
  await opened;
  get("player").contentWindow.postMessage(message, "*");
}

// Running ---------------------------------------------------------------------------------------------------

function run(dragging = false) {
  clearTimeout(typing);
  if (!trusted) return;
  busy(true);
  status(engine.state === "loading" ? "Python is being loaded" : "");
  ran = editor.text;
  engine.ask({ source: ran, show: shown, dragging, view: place.view, train: training.begin(link?.train) });
  soon();
}

// Only what takes long is said to run: a word that flashes at each key would be in the way.
function soon() {
  clearTimeout(pending);
  pending = setTimeout(() => {
    if (engine.state !== "busy") return;
    status("running ...");
    get("stop").disabled = false;
  }, 400);
}

// For those who wait for the page, such as its tests.
function busy(is) {
  document.documentElement.dataset.state = is ? "busy" : "idle";
}

function status(text) {
  if (get("status").textContent !== text) get("status").textContent = text;
}

function settle() {
  clearTimeout(pending);
  get("stop").disabled = true;
}

const engine = new Engine(get("engine"), {
  progress(share) {
    get("progress").value = share;
    status(`loading Python: ${Math.round(100 * share)}%`);
    if (share >= 1) status("starting Python");
  },
  ready() {
    get("progress").hidden = true;
    settle();
    status(trusted ? "" : "Python is ready");
    if (!trusted) busy(false);
  },
  async answer(request, answer, seconds) {
    settle();
    status("");
    if (!("source" in request)) return answer.error ? run() : tell({ kind: "view", number: request.view, view: answer });
    const { error, output, player } = answer;
    get("error").hidden = !error;
    get("error").textContent = error ? `${error.line ? `line ${error.line}: ` : ""}${error.message}` : "";
    if (request.source === editor.text) editor.error(error);
    get("output").hidden = !output;
    get("output").textContent = output;
    if (error) training.halt();
    else training.show(answer.training);
    if (!error && answer.values) {
      choose(answer);
      if (request.source === editor.text) sliders.show(answer.numbers);
      if (player) await show(player);
      else if (answer.moved) await tell({ kind: "numbers", numbers: answer.moved });
      else status("no Value to show: the program computes none at its top level");
    }
    document.documentElement.dataset.seconds = seconds.toFixed(4);
    if (request.source === editor.text && !engine.waiting && engine.state !== "busy") busy(false);
  },
  failed(text) {
    settle();
    busy(false);
    get("error").hidden = false;
    get("error").textContent = text;
  },
});

async function show(player) {
  lines = Object.fromEntries(Object.entries(player.nodes).map(([k, { line }]) => [k, line?.[0]]));
  behind(false);
  await tell({ kind: "load", player });
  if (link) await tell({ kind: "go", step: link.step, view: link.view });
  link = null;
}

// While a training goes on, the graph in the player is one of an earlier step.
function behind(is) {
  get("player").classList.toggle("left-behind", is);
  get("player").inert = is;
}

function choose({ values, shown: now }) {
  const options = [new Option("the last value", ""), ...values.map((name) => new Option(name))];
  get("show").replaceChildren(...options);
  get("show").value = shown && values.includes(shown) ? shown : "";
  options[0].text = now && !shown ? `${now} (the last)` : "the last value";
}

get("show").addEventListener("change", () => {
  shown = get("show").value;
  run();
});

const training = new Training(
  (train) => {
    busy(true);
    engine.ask({ source: ran, show: shown, view: place.view, train });
    soon();
  },
  () => behind(true),
);

// The program -----------------------------------------------------------------------------------------------

const editor = new Editor(get("editor"), {
  edited(changes, byReader) {
    sliders.follow(changes);
    if (!byReader || !trusted) return;
    busy(true);
    clearTimeout(typing);
    typing = setTimeout(run, TYPING);
  },
  run: allowed,
  line: (line) => tell({ kind: "line", line }),
});
const sliders = new Sliders(get("numbers"), editor, run);

function allowed() {
  trusted = true;
  get("notice").hidden = true;
  run();
}

get("run").addEventListener("click", allowed);
get("stop").addEventListener("click", () => {
  settle();
  engine.stop();
  training.halt();
  busy(false);
  get("error").hidden = false;
  get("error").textContent = "The program was stopped. Python starts anew.";
  status("starting Python");
});

for (const [title, group] of Object.entries(examples)) {
  const list = document.createElement("optgroup");
  list.label = title;
  list.append(...group.map(({ name, title }) => new Option(title, name)));
  get("examples").append(list);
}
const programs = new Map(Object.values(examples).flat().map(({ name, code }) => [name, code]));

function example(name) {
  editor.text = programs.get(name);
  get("examples").value = name;
  shown = "";
  allowed();
}

get("examples").addEventListener("change", () => {
  link = null;
  history.replaceState(null, "", `#example=${get("examples").value}`);
  example(get("examples").value);
});

// Sharing ---------------------------------------------------------------------------------------------------

get("share").addEventListener("click", async () => {
  const facts = { code: editor.text, show: shown, train: training.step, ...place };
  const base = location.href.replace(/#.*/, "");
  const here = await links.write(facts);
  history.replaceState(null, "", here);
  get("link").value = base + here;
  const address = (base + (await links.write({ ...facts, embed: true }))).replaceAll("&", "&amp;");
  get("embed").value = `<iframe src="${address}" title="computation graph, step by step" width="100%" height="560" style="border:0" loading="lazy"></iframe>`;
  get("copied").textContent = "";
  get("sharing").showModal();
});

for (const name of ["link", "embed"]) {
  get(`copy-${name}`).addEventListener("click", async () => {
    get(name).select();
    try {
      await navigator.clipboard.writeText(get(name).value);
      get("copied").textContent = "Copied.";
    } catch {
      get("copied").textContent = "Select it and press Ctrl+C; this browser does not let a page copy.";
    }
  });
}

// The address -----------------------------------------------------------------------------------------------

async function visit() {
  link = await links.read(location.hash);
  shown = link.show;
  document.body.classList.toggle("embedded", link.embed);
  get("whole").hidden = !link.embed;
  get("whole").href = location.href.replace("&embed", "");
  if (link.code !== null) {
    trusted = false;
    editor.text = link.code;
    get("examples").selectedIndex = -1;
    notice(link.embed ? "Press Run to start." : "This program came with the link. It runs when you press Run.");
  } else {
    if (link.broken) notice("The link is damaged: the program in it cannot be read. Here is an example instead.");
    const wanted = programs.has(link.example) ? link.example : [...programs.keys()][0];
    const { broken } = link;
    example(wanted);
    if (broken) get("notice").hidden = false;
  }
}

function notice(text) {
  get("notice").textContent = text;
  get("notice").hidden = false;
}

addEventListener("hashchange", visit);
visit();
