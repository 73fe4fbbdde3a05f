"use strict";
// The player walks through the moves that were told when the page was made, or that a page around it gives (see
// load). A move says which texts to write, and the text before it is known from the moves before. Numbers are put
// into the texts here (see numbers.js): those of the walk, or when the reader changes an input, those that the
// graph's twin computes.
(() => {
  const get = (id) => document.getElementById(id);
  const graph = get("canvas"), root = get("player");

  let nodes, groups, views; // what there is to be shown: see take()
  let view = null; // what is on the page: see show()
  let at = 0; // how many moves were made
  let reached = 0; // how far a predicting reader may look
  let asked = null; // the question of the next move that waits for an answer: its number, what was said, the hint
  let score = new Score(); // of a predicting reader
  let exercises = null; // of a page that has several graphs, which of them is shown: see begin()
  let timer = 0;
  let chosen = null;
  let zoom = 0;
  let saving = 0;
  let graphs = null; // the graph's twin, see twin.py
  let shown = null; // the graph as it was given
  let all = null; // its numbers, see numbers.js
  let live = null; // the inputs that the reader has changed, by their places
  let training = null; // of a page that shows several passes: the graphs, the passes, and which of them is shown
  let kept = null; // the moment that changing the view keeps: see change()
  let scrolled = [0, 0]; // known without asking, because to ask is to lay out what a step has changed

  // What is shown ------------------------------------------------------------------------------------------

  function take(data) {
    ({ nodes, groups, views } = data);
    shown = data;
    all = numbers.pass(data, own());
    graphs = data.twin && twin.knows(data.twin) ? data.twin : null;
    live = null;
    get("live").hidden = predicting() || !graphs?.inputs.length;
    get("input").replaceChildren(...(graphs?.inputs ?? []).map(([k, name]) => new Option(name, k)));
    get("live").open &&= !get("live").hidden;
    for (const each of views) each.told = each.moves?.map((k) => data.moves[k]); // or it is told on demand
    get("views").hidden = views.length < 2;
    get("view").replaceChildren(...views.map((each, number) => new Option(each.title, number)));
    get("names").replaceChildren(...Array.from(new Set(Object.values(nodes).map((node) => node.name)), (name) => new Option(name)));
  }

  // The numbers to be told, if the reader changes none.
  const own = () => (training ? training.passes[training.shown].numbers : shown.numbers);

  // Show another run of the reader's program: the same step of the same view, with other numbers or another graph.
  // A view that comes without a picture keeps the one it has; so a graph whose numbers change need not be laid out.
  function load(data) {
    if (!view) {
      take(data);
      root.inert = false;
      return recall();
    }
    const before = views, group = views[view.number].group, step = at === view.moves.length ? Infinity : at, seen = reached, about = chosen;
    take(data);
    kept = null;
    views.forEach((each, number) => { if (each.told) each.svg ??= before[number].svg; });
    const same = views.findIndex((each) => each.group === group);
    show(views[same]?.told ? same : 0);
    if (same > view.number) change(same);
    reached = seen;
    point(view.elements.has(about) ? about : null);
    go(step, true);
    get("details").hidden = chosen === null;
    if (predicting()) predict(); // other numbers are other questions
  }

  // Showing a view -----------------------------------------------------------------------------------------

  function moves_of(number) {
    const moves = views[number].told.map((move) => numbers.filled(move, all));
    return training ? [...moves, training.passes[training.shown].update] : moves;
  }

  function show(number) {
    const { svg } = views[number], moves = moves_of(number);
    graph.innerHTML = svg;
    const picture = graph.querySelector("svg");
    const elements = new Map();
    for (const group of picture.querySelectorAll("g[id]")) {
      const texts = {};
      for (const text of group.querySelectorAll(":scope > text")) texts[text.classList[0]] = text;
      elements.set(group.id, { group, texts, title: group.querySelector(":scope > title") });
    }
    graph.classList.toggle("large", elements.size > 200); // to move would mean to paint all of it again
    view = { number, moves, picture, elements, lit: [], written: [], before: [], data: new Map(), grad: new Map() };
    view.size = { width: picture.viewBox.baseVal.width, height: picture.viewBox.baseVal.height };
    view.sent = new Map();
    look();
    view.computed = new Map(); // gates, by when they compute
    moves.forEach((move, time) => {
      if (move.kind === "forward") view.computed.set(move.gate, time + 1);
      if (move.kind === "forward") for (const edge of move.edges) view.computed.set(edge, time + 1);
    });
    for (const [id, { group, texts }] of elements) {
      if (/^n\d+$/.test(id)) {
        for (const kind of ["data", "grad"]) if (texts[kind]) texts[kind].replaceChildren("");
        describe(+id.slice(1), "", "");
      }
      if (/^[ngcb]\d+$/.test(id)) {
        group.setAttribute("role", "button");
        group.setAttribute("tabindex", "-1"); // the up and down arrows choose; four hundred tab stops would not help
      }
    }
    fit();
    locate();
    at = 0;
    get("slider").max = moves.length;
    get("view").value = number;
    for (const [id, { group }] of elements) group.classList.toggle("empty", !/^(graph|(b|line)\d+)$/.test(id));
  }

  // What each change replaces, and when each number is first written and final; the local derivatives at the gates.
  function look() {
    const now = new Map();
    view.before = view.moves.map((move, time) => {
      const edge = move.edges?.at(-1);
      if (move.kind === "backward" && edge) view.sent.set(edge, time + 1);
      const text = view.elements.get(edge)?.texts.local;
      if (text && move.local !== undefined) text.firstChild.data = `local ${move.local}`;
      return move.changes.map(([k, kind, ...texts]) => {
        const old = now.get(kind + k) || ["", ""];
        now.set(kind + k, texts);
        if (kind === "grad") view.grad.set(k, time + 1);
        else if (!view.data.has(k)) view.data.set(k, time + 1);
        return old;
      });
    });
  }

  // A graph of the same form, whose numbers are being dragged: nothing but the numbers changes.
  function follow_along(given) {
    shown.numbers = given;
    live = null;
    for (const node of Object.values(nodes)) delete node.why; // it was told with other numbers
    renumber(given);
    announce();
  }

  // The same step of the same view with other numbers.
  function renumber(given) {
    all = numbers.pass(shown, given);
    view.moves = moves_of(view.number);
    look();
    const written = new Map();
    for (const move of view.moves.slice(0, at)) for (const change of move.changes) written.set(change[1] + change[0], change);
    for (const change of written.values()) write(change, change.slice(2));
    tell(view.moves[at - 1], true);
    if (chosen !== null) detail(chosen);
  }

  function describe(k, data, grad) {
    const element = view.elements.get("n" + k), node = nodes[k];
    const parts = [data && "data " + data, grad && "grad " + grad].filter(Boolean);
    element.title.textContent = node.name + (parts.length ? ": " + parts.join(", ") : ": not computed yet");
    element.told = [data, grad];
  }

  // The text stands beside the picture or, below a long one, where the picture is then larger.
  function fit() {
    const { clientWidth, clientHeight } = graph.parentElement, { width, height } = view.size;
    const side = presenting() ? 0.36 * clientWidth : 360; // as the style sheet has it, also the next
    const text = presenting() ? 0.4 * clientHeight : Math.min(264, 0.55 * clientHeight);
    const beside = Math.min((clientWidth - side - 26) / width, (clientHeight - 26) / height);
    const below = Math.min((clientWidth - 26) / width, (clientHeight - text - 26) / height);
    root.classList.toggle("wide", below > beside);
    const whole = Math.max(beside, below); // what must be scrolled all the same may be read with ease
    view.scale = zoom || (whole < 0.8 ? 1 : Math.min(presenting() ? 4 : 1.9, whole));
    view.picture.setAttribute("width", width * view.scale);
    view.picture.setAttribute("height", height * view.scale);
  }

  // Where the gates and wires are is read once, so that a step need not ask the layout.
  function locate() {
    const frame = view.picture.getBoundingClientRect();
    for (const [id, element] of view.elements) {
      if (!/^[ngcb]\d+$/.test(id)) continue;
      const box = element.group.getBoundingClientRect();
      element.x = (box.left + box.width / 2 - frame.left) / view.scale;
      element.y = (box.top + box.height / 2 - frame.top) / view.scale;
    }
    view.room = [graph.clientWidth, graph.clientHeight];
    scrolled = [graph.scrollLeft, graph.scrollTop];
  }

  // What is not well in sight is brought to the middle.
  function follow(id) {
    const element = view.elements.get(id);
    if (!element || element.x === undefined) return;
    const place = [element.x * view.scale + 12, element.y * view.scale + 12];
    const hidden = place.some((x, i) => Math.abs(x - scrolled[i] - view.room[i] / 2) > 0.38 * view.room[i]);
    if (!hidden) return;
    scrolled = place.map((x, i) => Math.max(0, x - view.room[i] / 2));
    graph.scrollTo(...scrolled);
  }

  // Stepping -----------------------------------------------------------------------------------------------

  function write([k, kind], [text, full]) {
    const element = view.elements.get("n" + k);
    if (!element) return;
    if (element.texts[kind]) element.texts[kind].firstChild.data = text; // the same node, with new letters
    const [data, grad] = element.told;
    if (kind === "data") {
      describe(k, full, grad);
      element.group.classList.toggle("empty", !full);
    } else describe(k, data, full);
  }

  function mark(id, name, on) {
    const element = view.elements.get(id);
    if (element) element.group.classList.toggle(name, on);
  }

  function gone(move, done) { // what a move leaves behind, beside its numbers
    if (move.kind === "forward") {
      for (const id of [move.gate, ...move.edges]) mark(id, "empty", !done);
      for (const id of move.edges) mark(id + "-name", "empty", !done); // where a wire is cut
    }
    if (move.kind === "backward" && move.edges.length) mark(move.edges[move.edges.length - 1], "sent", done);
  }

  function go(target, quiet) {
    const { moves, before } = view;
    target = Math.max(0, Math.min(moves.length, target));
    const numbers = new Map(); // of each text only the last number is written
    const put = (change, number) => numbers.set(change[1] + change[0], [change, number]);
    for (; at < target; at++) {
      const move = moves[at];
      for (const change of move.changes) put(change, change.slice(2));
      gone(move, true);
    }
    for (; at > target; at--) {
      const move = moves[at - 1];
      move.changes.forEach((change, i) => put(change, before[at - 1][i]));
      gone(move, false);
    }
    for (const [change, number] of numbers.values()) write(change, number);
    reached = Math.max(reached, at);
    asked = null;
    light(moves[at - 1]);
    tell(moves[at - 1], quiet);
    if (chosen !== null) detail(chosen);
    remember();
    announce();
  }

  function announce() {
    root.dispatchEvent(new CustomEvent("step", { detail: { step: at, view: view.number, move: view.moves[at - 1] } }));
  }

  function light(move) {
    for (const [id, name] of view.lit) mark(id, name, false);
    for (const text of view.written) text.classList.remove("changed");
    view.lit = [];
    view.written = [];
    const backward = Boolean(move) && (move.kind === "backward" || move.kind === "seed");
    graph.classList.toggle("backward", backward);
    if (!move) return follow(view.moves.find(({ gate }) => gate)?.gate); // of a large picture what comes first
    if (move.gate) view.lit.push([move.gate, "active"], ...move.edges.map((id) => [id, "told"]));
    for (const [id, name] of view.lit) mark(id, name, true);
    for (const [k, kind] of move.changes) {
      const text = view.elements.get("n" + k)?.texts[kind];
      if (text) view.written.push(text);
    }
    if (move.kind !== "inputs") for (const text of view.written) text.classList.add("changed");
    follow(move.gate || (move.kind === "seed" ? "n" + move.changes[0][0] : ""));
  }

  function tell(move, quiet) {
    const total = view.moves.length;
    get("slider").value = at;
    get("slider").setAttribute("aria-valuetext", `step ${at} of ${total}: ${move ? move.title : "start"}`);
    get("count").textContent = `${at} / ${total}`;
    get("first").disabled = at === 0;
    get("back").disabled = at === 0 && !training?.shown;
    get("last").disabled = at === total;
    get("next").disabled = at === total && !more();
    const phase = phases[move?.kind] ?? "before the start";
    get("phase").textContent = phase + (live ? ", your numbers" : "");
    get("title").textContent = move ? move.title.replace(/^(forward|backward|update): /, "") : "Press \u25b6 or the right arrow key";
    const facts = get("facts");
    facts.replaceChildren();
    for (const [i, [term, text]] of (move ? move.facts : []).entries()) {
      facts.append(make("dt", term), make("dd", text, i === move.facts.length - 1 && move.kind !== "inputs" ? "changed" : ""));
    }
    get("guess").hidden = true;
    get("verdict").textContent = "";
    get("waiting").textContent = waiting(move);
    if (!quiet) get("sentence").textContent = move ? `${phase[0].toUpperCase()}${phase.slice(1)}: ${move.sentence}.` : "Nothing is computed yet.";
  }

  const phases = { inputs: "forward pass", forward: "forward pass", seed: "backward pass", backward: "backward pass", update: "update" };

  function waiting(move) {
    if (!move) return "";
    if (move.kind === "update") return more() ? "the next step begins the next pass" : "the last pass is over";
    const backward = move.kind === "backward" || move.kind === "seed";
    const when = backward ? view.grad : view.data;
    const names = [];
    for (const [k, time] of when) if (time > at) names.push(nodes[k].name);
    if (!names.length) return backward ? "every gradient is complete" : "every value is computed";
    const shown = names.length > 12 ? [...names.slice(0, 12), `and ${names.length - 12} more`] : names;
    return `${backward ? "waiting for messages" : "waiting"}: ${shown.join(", ")}`;
  }

  function make(tag, text, name) {
    const element = document.createElement(tag);
    element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  // Predicting ---------------------------------------------------------------------------------------------

  const predicting = () => get("predict").checked;

  function next() {
    const move = view.moves[at];
    if (!move) {
      if (training && more()) return turn_over(training.shown + 1, 1);
      return predicting() && exercises ? begin(exercises.shown + 1) : stop();
    }
    if (!predicting() || !move.questions || at < reached) return go(at + 1);
    if (asked) return get("number").focus();
    stop();
    ask(0, "");
  }

  // What was asked in another view is not asked again.
  const key = (move, number) => `${exercises?.shown ?? 0}:${move.events}:${move.questions[number][0]}`;

  function ask(number, verdict) {
    const { questions } = view.moves[at];
    while (number < questions.length && score.has(key(view.moves[at], number))) number++;
    if (number === questions.length) return reveal(verdict);
    const [, text, , , hint] = questions[number];
    asked = { number, said: [], hinted: false };
    get("question").textContent = text;
    get("hint").disabled = !hint;
    get("guess").hidden = false;
    get("verdict").textContent = verdict;
    get("number").value = "";
    get("number").focus();
    get("guess").scrollIntoView({ block: "nearest" });
    get("sentence").textContent = `${verdict} Predict. ${text}`.trim();
  }

  function say(verdict) {
    get("verdict").textContent = get("sentence").textContent = verdict;
    get("number").select();
    get("number").focus();
  }

  function judge(event) {
    event.preventDefault();
    const typed = get("number").value.trim(), guess = answers.read(typed);
    const [, , shown, full, hint] = view.moves[at].questions[asked.number];
    if (guess === null) return say("Enter a number, a fraction or a formula, such as -0.25, -1/4, 2*3, exp(1) or inf.");
    asked.said.push(typed);
    if (answers.right(guess, answers.read(full))) return settle(true, `\u2713 Right: ${shown}.`);
    if (asked.said.length === 1) return say(`\u2717 Not yet. ${hint ? `Hint: ${hint}. ` : ""}Try once more.`);
    settle(false, `\u2717 You said ${typed}; it is ${shown}.`);
  }

  function hint() {
    asked.hinted = true;
    say(`Hint: ${view.moves[at].questions[asked.number][4]}.`);
  }

  function settle(right, verdict) {
    const move = view.moves[at], [, text, shown] = move.questions[asked.number];
    score.add(key(move, asked.number), exercises?.all[exercises.shown].task ?? "", text, shown, asked.said, right, asked.hinted);
    count();
    ask(asked.number + 1, verdict);
  }

  function reveal(verdict) {
    const move = view.moves[at];
    go(at + 1, true);
    get("verdict").textContent = verdict;
    get("sentence").textContent = `${verdict} ${move.sentence}.`.trim();
    const last = at === view.moves.length, more = exercises && exercises.shown + 1 < exercises.all.length;
    if (last && more) get("waiting").textContent = "the next step begins the next exercise";
    if (!last || more) return get("next").focus();
    get("results").open = true;
    get("summary").focus();
    get("summary").setSelectionRange(0, 0);
    get("summary").scrollTop = 0;
  }

  // The score as it is now.
  function count() {
    const { points, count } = score;
    get("score").textContent = count ? `${points} of ${count} points` : "";
    get("results").hidden = !predicting() || !count;
    get("summary").value = score.summary(exercises?.title ?? document.title);
    get("copied").textContent = "";
  }

  async function copy() {
    get("summary").select();
    try {
      await navigator.clipboard.writeText(get("summary").value);
      get("copied").textContent = "Copied.";
    } catch {
      get("copied").textContent = "Select it and press Ctrl+C; this browser does not let a page copy.";
    }
  }

  function predict() {
    restore();
    get("live").hidden = predicting() || !graphs?.inputs.length;
    reached = at;
    asked = null;
    get("guess").hidden = true;
    get("verdict").textContent = "";
    score = new Score();
    count();
    if (chosen !== null) detail(chosen);
  }

  // An exercise of a page that has several.
  function begin(number) {
    if (number >= exercises.all.length) return stop();
    exercises.shown = number;
    const { task, graph } = exercises.all[number];
    take(graph);
    root.inert = false;
    show(0);
    point(null);
    get("details").hidden = true;
    reached = 0;
    go(0);
    get("task").textContent = exercises.all.length > 1 ? `${number + 1} of ${exercises.all.length}: ${task}` : task;
    get("task").hidden = false;
  }

  // Predicting readers see what they have reached and no more.
  const allowed = (target) => (predicting() ? Math.min(target, reached) : target);

  // Playing, views, details --------------------------------------------------------------------------------

  function play() {
    if (timer) return stop();
    if (at === view.moves.length && !more()) go(0);
    get("play").textContent = "pause";
    get("play").setAttribute("aria-pressed", "true");
    timer = setInterval(() => (at < view.moves.length || (training && more()) ? next() : stop()), 1200);
    next();
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    get("play").textContent = "play";
    get("play").setAttribute("aria-pressed", "false");
  }

  // The same moment in another view, as same_moment() in moves.py finds it. Until the reader steps, it is the one
  // from which the views were changed: so that to look at another view and back changes nothing.
  function change(number) {
    if (!views[number].told) { // the page around the player is asked for it, and answers with complete()
      get("view").value = view.number;
      return root.dispatchEvent(new CustomEvent("wanted", { detail: number }));
    }
    if (!kept || kept.number !== view.number || kept.at !== at) kept = { made: view.moves.slice(0, at) };
    const happened = new Set(kept.made.flatMap(steps));
    show(number);
    let differing = happened.size, nearest = differing, target = 0;
    view.moves.forEach((move, time) => {
      for (const step of steps(move)) differing += happened.has(step) ? -1 : 1;
      if (differing <= nearest) [nearest, target] = [differing, time + 1];
    });
    kept = { made: kept.made, number, at: target };
    reached = target;
    go(target);
  }

  function complete(number, { moves, svg }) {
    Object.assign(views[number], { told: moves, svg });
    change(number);
  }

  function steps({ events }) {
    const all = [];
    for (let i = 0; i < events.length; i += 2) for (let step = events[i]; step < events[i + 1]; step++) all.push(step);
    return all;
  }

  function open(group) {
    const number = views.findIndex((each) => each.group === group);
    if (number >= 0) change(number);
    else get("verdict").textContent = "This group is too large to be opened here; raise the limit.";
  }

  function choose(id) {
    if (/^[bc]/.test(id)) return toggle(id);
    point("n" + id.slice(1));
    detail(chosen);
    if (graphs?.inputs.some(([k]) => "n" + k === chosen)) { // an input: it is the one to be changed
      get("input").value = chosen.slice(1);
      pick();
    }
  }

  // A group's gate opens it, its frame closes it.
  function toggle(id) {
    if (id[0] === "c") return open(id);
    const parent = groups["c" + id.slice(1)][1];
    return parent === null ? change(0) : open(parent);
  }

  function turn(id) { // and choose what it has become, so that the same key turns it back
    toggle(id);
    const other = (id[0] === "c" ? "b" : "c") + id.slice(1);
    if (view.elements.has(other)) arrive(other);
  }

  function point(id) {
    const names = (chosen) => (chosen[0] === "n" ? [chosen, "g" + chosen.slice(1)] : [chosen]);
    if (chosen !== null) for (const each of names(chosen)) mark(each, "chosen", false);
    chosen = id;
    if (chosen !== null) for (const each of names(chosen)) mark(each, "chosen", true);
  }

  // The next or previous value or group, for those who do not click.
  function browse(direction) {
    const all = [...view.elements.keys()].filter((id) => /^[ncb]\d+$/.test(id));
    const place = all.indexOf(chosen);
    arrive(all[(place + direction + all.length + (place < 0 && direction < 0 ? 1 : 0)) % all.length]);
  }

  function arrive(id) {
    point(id);
    detail(id);
    get("sentence").textContent = [...get("details").querySelectorAll("h2, p, li")].map((each) => each.textContent).join(". ");
    follow(id);
  }

  // The next value whose name contains what was typed; if the view does not show it, in the first that does.
  function find(text) {
    const wanted = text.trim().toLowerCase();
    const fitting = Object.keys(nodes).filter((k) => nodes[k].name.toLowerCase().includes(wanted));
    fitting.sort((k, l) => (nodes[l].name.toLowerCase() === wanted) - (nodes[k].name.toLowerCase() === wanted));
    if (!wanted || !fitting.length) {
      get("sentence").textContent = wanted ? `There is no value whose name contains "${text.trim()}".` : "";
      return;
    }
    const id = "n" + fitting[(fitting.indexOf(String(chosen).slice(1)) + 1) % fitting.length];
    if (!view.elements.has(id)) change(showing(id));
    if (view.elements.has(id)) arrive(id);
  }

  // The first picture that shows a value; without one, the innermost group that the value is in.
  function showing(id) {
    const drawn = views.findIndex((each) => each.svg?.includes(`id="${id}"`)), k = +id.slice(1);
    const within = (ends = []) => ends.some((end, i) => i % 2 === 1 && ends[i - 1] <= k && k < end);
    return drawn >= 0 ? drawn : Math.max(0, views.findLastIndex((each) => within(groups[each.group]?.[2])));
  }

  function detail(id) {
    const about = get("about"), element = view.elements.get(id);
    get("details").hidden = !element;
    if (!element) return;
    about.replaceChildren();
    const say = (text) => about.append(make("p", text));
    if (id[0] !== "n") {
      get("name").textContent = groups["c" + id.slice(1)][0];
      return say(id[0] === "c" ? "a closed group; Enter opens it" : "an opened group; Enter closes it");
    }
    const k = +id.slice(1), node = nodes[k];
    const [data, grad] = element.told, known = at >= (view.grad.get(k) ?? 0);
    get("name").textContent = node.name;
    const list = (title, lines) => {
      const items = make("ul", "");
      for (const line of lines) items.append(make("li", line));
      about.append(make("h3", title), items);
    };
    if (node.formula) say(node.formula);
    if (node.definition) say(node.definition);
    if (node.line) say(`line ${node.line[0]}: ${node.line[1]}`);
    if (node.constant) say("a constant: it receives no gradient");
    say(data ? `data = ${data}` : "not computed yet");
    if (grad) say(`${node.name}.grad = ${grad}${known ? "" : " so far"}`);
    if (node.local) {
      // Inside of a closed group an edge is not told; its local derivative is once the gradient is known.
      const told = node.local.filter(([i]) => at >= (view.sent.get(`e${k}-${i}`) ?? view.grad.get(k)));
      const shown = predicting() ? told : node.local;
      if (shown.length) list("local derivatives", shown.map(([, text]) => numbers.fill(text, all)));
    }
    if (live || training?.shown) return; // the paths are told with the numbers of the walk
    if (node.why && (known && grad)) list(node.why[0], node.why.slice(1));
    else if (node.why) say("why it has its gradient is told when the backward pass has passed it");
  }

  // Changing an input -------------------------------------------------------------------------------------

  const changed = () => +get("input").value; // the chosen input

  function number_of(k) { // of an input, as it is now
    return live?.[k] ?? twin.forward(graphs, inputs())[k];
  }

  // The numbers of all inputs: what the reader has put in, and of a pass its own parameters.
  function inputs(changed) {
    return { ...(training && Object.fromEntries(graphs.inputs.map(([k]) => [k, numbers.parse(own().values[k])]))), ...changed };
  }

  // Another input is chosen, or the numbers are those of the walk again.
  function pick() {
    if (!get("live").open) return;
    const x = number_of(changed()), room = Math.max(1, 2 * Math.abs(x));
    get("drag").min = x - room;
    get("drag").max = x + room;
    get("drag").value = get("given").value = x;
    plot();
  }

  function turn_to(x) {
    if (!Number.isFinite(x)) return;
    stop();
    live = { ...live, [changed()]: x };
    const walk = twin.walk(graphs, inputs(live), shown.edges), { values } = walk;
    if (!at) go(view.moves.length, true); // all numbers follow, those that are shown already
    renumber(walk);
    const last = values.length - 1, name = get("input").selectedOptions[0].text;
    get("sentence").textContent = `Your numbers: ${name} = ${twin.format(x)}, ${nodes[last].name} = ${twin.format(values[last])}.`;
    plot();
  }

  function restore() {
    if (!live) return;
    live = null;
    renumber(own());
    pick();
  }

  // The last value against the chosen input, with its tangent there: the gradient as a slope.
  function plot() {
    const k = changed(), last = graphs.graph.length - 1, here = number_of(k);
    const from = Math.min(here, +get("drag").min), to = Math.max(here, +get("drag").max), count = graphs.graph.length > 2000 ? 15 : 81;
    const walk = twin.walk(graphs, inputs({ ...live, [k]: here }), shown.edges), y = walk.values[last], slope = numbers.pass(shown, walk).a[k] ?? 0;
    const points = Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1)).map((x) => [x, twin.forward(graphs, inputs({ ...live, [k]: x }))[last]]);
    const finite = points.map((point) => point[1]).concat(y).filter(Number.isFinite);
    const low = Math.min(...finite), high = Math.max(...finite), tall = high - low || 1;
    const right = (x) => 8 + (304 * (x - from)) / (to - from), up = (v) => 132 - (118 * (v - low)) / tall;
    const curve = points.map(([x, v], i) => (Number.isFinite(v) ? `${i && Number.isFinite(points[i - 1][1]) ? "L" : "M"}${right(x).toFixed(1)},${up(v).toFixed(1)}` : "")).join("");
    const part = (tag, attributes, text = "") => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, each] of Object.entries(attributes)) element.setAttribute(name, each);
      element.textContent = text;
      return element;
    };
    const parts = [part("line", { class: "axis", x1: 8, x2: 312, y1: 132, y2: 132 }), part("path", { class: "curve", d: curve })];
    if (Number.isFinite(y) && Number.isFinite(slope)) {
      const reach = (to - from) / 5;
      parts.push(part("line", { class: "tangent", x1: right(here - reach), y1: up(y - slope * reach), x2: right(here + reach), y2: up(y + slope * reach) }));
      parts.push(part("circle", { cx: right(here), cy: up(y), r: 4 }));
    }
    parts.push(part("text", { x: 8, y: 146 }, twin.format(from)), part("text", { x: 312, y: 146, "text-anchor": "end" }, twin.format(to)));
    get("plot").replaceChildren(...parts);
    const name = get("input").selectedOptions[0].text, root_name = nodes[last].name;
    get("slope").textContent = `d${root_name}/d${name} = ${twin.format(slope)}: the slope of ${root_name} against ${name} at ${twin.format(here)}, where ${root_name} = ${twin.format(y)}`;
    get("plot").setAttribute("aria-label", get("slope").textContent);
  }

  // Several passes -------------------------------------------------------------------------------------------

  const more = () => (training ? training.shown + 1 < training.passes.length : exercises && exercises.shown + 1 < exercises.all.length);

  // Show another pass of the training at a step.
  function turn_over(number, step) {
    training.shown = Math.max(0, Math.min(training.passes.length - 1, Number.isInteger(number) ? number : 0));
    const { graph } = training.passes[training.shown], other = training.graphs[graph];
    live = null;
    kept = null;
    if (other === shown) renumber(own());
    else {
      const group = views[view.number].group;
      take(other);
      show(Math.max(0, views.findIndex((each) => each.group === group)));
      point(null);
      get("details").hidden = true;
    }
    if (predicting()) predict();
    reached = 0;
    go(step);
    curve.show(training.passes.map(({ loss }) => loss), training.shown);
    if (get("live").open) pick();
  }

  // Presenting ------------------------------------------------------------------------------------------------

  const presenting = () => root.classList.contains("presenting");

  // Full screen with large type; where there is no full screen, as in some notebooks, the page is all there is.
  function present(on) {
    root.classList.toggle("presenting", on);
    get("present").setAttribute("aria-pressed", on);
    get("blank").hidden = true;
    if (on && !document.fullscreenElement) document.documentElement.requestFullscreen?.().catch(() => {});
    if (!on && document.fullscreenElement) document.exitFullscreen();
    zoom = 0;
    fit();
    locate();
    if (at) light(view.moves[at - 1]);
    graph.focus();
  }

  // The address --------------------------------------------------------------------------------------------

  function remember() {
    if (!/^(file|https?):$/.test(location.protocol)) return; // in a notebook the page has no address
    clearTimeout(saving); // browsers are slow at it, and refuse to do it often
    saving = setTimeout(() => history.replaceState(null, "", `#step=${at}` + (view.number ? `&view=${view.number}` : "") + (training?.shown ? `&pass=${training.shown + 1}` : "")), 100);
  }

  function recall() {
    if (!views) return;
    const wanted = new URLSearchParams(location.hash.slice(1));
    const number = Number(wanted.get("view") || 0), step = Number(wanted.get("step") || 0);
    if (predicting()) return go(allowed(Number.isInteger(step) ? step : 0)); // an address shows nothing before its time
    show(views[number] ? number : 0);
    reached = 0;
    if (training) turn_over(Number(wanted.get("pass") || 1) - 1, at);
    go(Number.isInteger(step) ? step : 0);
  }

  // Wiring -------------------------------------------------------------------------------------------------

  const clicks = {
    first: () => go(0),
    back: () => (training?.shown && at <= 1 ? turn_over(training.shown - 1, Infinity) : go(at - 1)),
    next,
    last: () => go(allowed(view.moves.length)),
    play,
    reveal: () => settle(false, `It is ${view.moves[at].questions[asked.number][2]}.`),
    hint,
    copy,
    close: () => { point(null); get("details").hidden = true; },
    smaller: () => { zoom = view.scale / 1.2; fit(); },
    larger: () => { zoom = view.scale * 1.2; fit(); },
    present: () => present(!presenting()),
  };
  for (const [id, action] of Object.entries(clicks)) {
    get(id).addEventListener("click", () => { if (!["next", "reveal", "hint", "copy", "smaller", "larger", "play", "present"].includes(id)) stop(); action(); });
  }
  get("live").addEventListener("toggle", pick);
  get("input").addEventListener("change", pick);
  get("drag").addEventListener("input", (event) => { get("given").value = event.target.value; turn_to(+event.target.value); });
  get("given").addEventListener("input", (event) => { if (event.target.value.trim()) { turn_to(+event.target.value); get("drag").value = event.target.value; } });
  get("pass").addEventListener("input", (event) => { stop(); turn_over(event.target.value - 1, at); });
  curve.choose = (number) => { stop(); turn_over(number, at); };
  get("restore").addEventListener("click", restore);
  get("slider").addEventListener("input", (event) => { stop(); go(allowed(Number(event.target.value))); });
  get("guess").addEventListener("submit", judge);
  get("predict").addEventListener("change", predict);
  get("local").addEventListener("change", (event) => graph.classList.toggle("locals", event.target.checked));
  get("view").addEventListener("change", (event) => { stop(); change(Number(event.target.value)); });
  graph.addEventListener("click", (event) => {
    const group = event.target.closest("g[role=button]");
    if (group && !dragged) { stop(); choose(group.id); }
  });
  // The picture is moved by dragging it; a finger does so without our help.
  let grip = null, dragged = false;
  graph.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.pointerType === "mouse" && event.button === 0 && event.target !== graph) grip = [event.clientX, event.clientY, ...scrolled];
  });
  window.addEventListener("pointermove", (event) => {
    if (!grip || !(event.buttons & 1)) { grip = null; return; }
    const [dx, dy] = [event.clientX - grip[0], event.clientY - grip[1]];
    if (!dragged && Math.hypot(dx, dy) < 5) return;
    dragged = true;
    graph.classList.add("panning");
    graph.scrollTo(grip[2] - dx, grip[3] - dy);
  });
  window.addEventListener("pointerup", () => { grip = null; graph.classList.remove("panning"); });
  get("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") { stop(); find(event.target.value); }
    else if (event.key === "Escape") graph.focus();
  });
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && presenting()) present(false); });
  get("blank").addEventListener("click", blank);
  window.addEventListener("hashchange", recall);
  graph.addEventListener("scroll", () => { scrolled = [graph.scrollLeft, graph.scrollTop]; }, { passive: true });
  window.addEventListener("resize", () => { if (view) { fit(); locate(); } });
  // A notebook that scrolls by a script, as VS Code's does, hears no wheel over a frame: it is told of each turn
  // that moves nothing here. A turn that began by moving something here is not the notebook's.
  let moved = -Infinity;
  window.addEventListener("wheel", (event) => {
    const pane = event.target.closest(".canvas, .side");
    const room = !pane ? 0 : event.deltaY < 0 ? pane.scrollTop : pane.scrollHeight - pane.clientHeight - pane.scrollTop;
    if (room >= 1 || event.timeStamp - moved < 300) moved = event.timeStamp;
    else if (!event.ctrlKey) window.frameElement?.dispatchEvent(new WheelEvent("wheel", event));
  }, { passive: true });

  const keys = {
    ArrowRight: next, n: next, " ": next,
    ArrowLeft: clicks.back, b: clicks.back,
    ArrowDown: () => browse(1), ArrowUp: () => browse(-1),
    Enter: () => { if (/^[bc]/.test(chosen)) turn(chosen); },
    "/": () => get("search").select(),
    "]": () => { if (training) turn_over(training.shown + 1, at); },
    "[": () => { if (training) turn_over(training.shown - 1, at); },
    Home: clicks.first, End: clicks.last,
    p: play,
    g: () => { if (!exercises) get("predict").click(); },
    l: () => get("local").click(),
    f: clicks.present,
    Escape: () => (presenting() ? present(false) : clicks.close()),
  };
  // What a clicker sends.
  const clicker = { PageDown: next, PageUp: clicks.back, b: blank, ".": blank, B: blank };

  function blank() {
    get("blank").hidden = !get("blank").hidden;
  }
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input[type=text], input[type=number], textarea, select, summary")) return;
    if (target.matches("input[type=range]") && key.startsWith("Arrow")) return;
    if (target.matches("button, input[type=checkbox]") && (key === " " || key === "Enter")) return;
    if (key === "Enter" && target.matches("g[role=button]")) { choose(target.id); return; }
    const act = (presenting() && clicker[key]) || keys[key];
    if (key === "Tab" || !act) return;
    event.preventDefault();
    if (!get("blank").hidden && act !== blank) return blank(); // the first key brings the page back
    if (key !== "p" && act !== next) stop();
    act();
  });

  graph.classList.add("running");
  const given = JSON.parse(get("data").textContent);
  root.inert = !given;
  if (given?.passes) {
    training = { ...given, shown: 0 };
    given.graphs[0].views[0].svg = graph.innerHTML;
    get("training").hidden = false;
    load(given.graphs[0]);
  } else if (given?.exercises) {
    exercises = { title: given.title, all: given.exercises, shown: 0 };
    get("predict").checked = true;
    get("predict").closest("label").hidden = true;
    begin(0);
  } else if (given) {
    given.views[0].svg = graph.innerHTML;
    load(given);
  }
  // Mark the gates that were made by a line of the program; a closed group for those in it.
  function madeBy(line) {
    for (const { group } of view.elements.values()) group.classList.remove("made");
    const made = Object.keys(nodes).filter((k) => nodes[k].line?.[0] === line).map((k) => "g" + k).filter((id) => view.elements.has(id));
    for (const id of made) mark(id, "made", true);
    if (made.length) follow(made[0]);
    return made.length;
  }

  window.player = { go, next, open, load, change, complete, renumber: follow_along, line: madeBy, get at() { return at; }, get moves() { return view.moves; } };
})();
