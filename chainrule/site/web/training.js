// A training that is watched: the model in the plane, the losses so far, and the step that the player shows.

const get = (id) => document.getElementById(id);
const TURN = 0.15; // seconds of training between two pictures: in between, the reader is heard
const END = 1_000_000; // a step that no training in a page comes to
const HERE = -1; // the step at which it is when it hears of it
const SMOOTH = 25; // steps over which the losses are averaged

export class Training {
  // ask: called with how the engine is to go on; see Session.run. left: called when the player's graph is left behind.
  constructor(ask, left) {
    this.ask = ask;
    this.left = left;
    this.facts = null;
    this.goal = null; // the step to come to, or null
    get("train").addEventListener("click", () => (this.goal === null ? this.go(END) : this.pause()));
    get("once").addEventListener("click", () => this.go(this.facts.step + 1));
    get("restart").addEventListener("click", () => this.go(0));
    get("reached").addEventListener("input", () => this.tell(Number(get("reached").value)));
    get("reached").addEventListener("change", () => this.go(Number(get("reached").value)));
    get("losses").addEventListener("click", ({ offsetX, target }) => {
      const { length } = this.losses;
      this.go(Math.max(0, Math.min(length - 1, Math.round((offsetX / target.clientWidth) * (length - 1)))));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get step() {
    return this.facts?.step ?? 0;
  }

  // What a run begins with: a training that came with a link goes on to the link's step.
  begin(step) {
    this.facts = null;
    this.losses = [];
    this.goal = step || null;
    return step ? this.wanted() : null;
  }

  wanted() {
    return { to: this.goal, seconds: TURN, known: this.losses.length, open: this.goal < END };
  }

  go(step) {
    this.goal = step;
    this.left();
    this.told();
    this.ask(this.wanted());
  }

  pause() {
    this.goal = HERE; // what is on its way comes first
    this.told();
  }

  // The engine was stopped: nothing is on its way any more.
  halt() {
    this.goal = null;
    this.told();
  }

  // Show an answer's training; go on if it is not where it shall be.
  show(facts) {
    get("training").hidden = !facts;
    this.facts = facts;
    if (!facts) return this.begin(0);
    this.losses = [...this.losses.slice(0, facts.known), ...facts.losses];
    const arrived = this.goal === null || facts.ended || facts.step >= this.goal;
    const unseen = arrived && (this.goal === END || this.goal === HERE); // what was computed last is not shown yet
    if (arrived) this.goal = null;
    this.told();
    this.draw();
    if (unseen) this.go(facts.step);
    else if (!arrived) this.ask(this.wanted());
  }

  told() {
    const running = this.goal !== null, ended = this.facts?.ended ?? false;
    get("train").textContent = running ? "Pause" : "Train";
    get("train").setAttribute("aria-pressed", String(running));
    get("train").disabled = ended && !running;
    get("once").disabled = ended || running;
    get("restart").disabled = this.step === 0;
    if (!this.facts) return;
    get("reached").max = Math.max(this.losses.length - 1, this.step);
    get("reached").value = this.step;
    this.tell(this.step);
  }

  tell(step) {
    const loss = this.losses[step], { ended, right, scene } = this.facts;
    const parts = [`step ${step}`, loss === undefined ? "the training has ended" : `loss ${loss.toPrecision(4)}`];
    if (scene.points.length && step === this.step) parts.push(`${right} of ${scene.points.length} points on their side`);
    get("reached").setAttribute("aria-valuetext", parts.join(", "));
    get("course").textContent = parts.join(", ");
    get("plane").setAttribute("aria-label", `the model in the plane after ${step} steps: ${parts.at(-1)}`);
    get("losses").setAttribute("aria-label", `the losses of ${this.losses.length} steps, the last ${this.losses.at(-1)?.toPrecision(4)}`);
    get("ended").hidden = !ended;
  }

  draw() {
    if (!this.facts) return;
    get("plane").hidden = !this.facts.scores.length;
    if (this.facts.scores.length) plane(sized(get("plane")), this.facts);
    curve(sized(get("losses")), this.losses, this.step);
  }
}

// A canvas with as many dots as the screen has for it.
function sized(canvas) {
  const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas, context = canvas.getContext("2d");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.scale(ratio, ratio);
  return { context, width, height, colour: (name) => getComputedStyle(canvas).getPropertyValue(name).trim() };
}

function plane({ context, width, height, colour }, { scores, scene: { box, columns, rows, points, labels } }) {
  const [left, right, low, high] = box, at = (x, y) => [((x - left) / (right - left)) * width, ((high - y) / (high - low)) * height];
  const cells = new OffscreenCanvas(columns, rows), one = cells.getContext("2d");
  scores.forEach((score, k) => {
    if (!Number.isFinite(score)) return;
    one.fillStyle = colour(score > 0 ? "--above" : "--below");
    one.globalAlpha = 0.12 + 0.38 * Math.abs(Math.tanh(score));
    one.fillRect(k % columns, Math.floor(k / columns), 1, 1);
  });
  context.drawImage(cells, 0, 0, width, height);
  context.strokeStyle = colour("--ink");
  context.lineWidth = 2;
  context.stroke(boundary(scores, columns, rows, width / columns, height / rows));
  context.lineWidth = 1.5;
  points.forEach(([x, y], k) => {
    const [across, down] = at(x, y);
    context.beginPath();
    if (labels[k] > 0) context.arc(across, down, 4, 0, 7);
    else context.rect(across - 3.5, down - 3.5, 7, 7); // another form, not only another colour
    context.fillStyle = colour(labels[k] > 0 ? "--above" : "--below");
    context.strokeStyle = colour("--paper");
    context.fill();
    context.stroke();
  });
}

// Where the score is 0: a line through each square of four neighbouring scores whose signs differ.
function boundary(scores, columns, rows, wide, tall) {
  const path = new Path2D();
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const crossings = [];
      corners.forEach(([x, y], k) => {
        const [u, v] = corners[(k + 1) % 4], here = scores[y * columns + x], there = scores[v * columns + u];
        if (here > 0 === there > 0 || !Number.isFinite(here - there)) return;
        const part = here / (here - there);
        crossings.push([(x + 0.5 + part * (u - x)) * wide, (y + 0.5 + part * (v - y)) * tall]);
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        path.moveTo(...crossings[k]);
        path.lineTo(...crossings[k + 1]);
      }
    }
  }
  return path;
}

function curve({ context, width, height, colour }, losses, step) {
  const most = Math.max(...losses.filter(Number.isFinite), Number.MIN_VALUE), last = Math.max(1, losses.length - 1);
  const at = (k, loss) => [4 + ((width - 8) * k) / last, height - 6 - ((height - 12) * Math.min(loss, most)) / most];
  context.strokeStyle = colour("--line");
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  const line = (numbers) => {
    context.beginPath();
    numbers.forEach((number, k) => { if (Number.isFinite(number)) context.lineTo(...at(k, number)); });
    context.stroke();
  };
  context.strokeStyle = colour("--accent");
  context.globalAlpha = 0.3;
  line(losses);
  context.globalAlpha = 1;
  context.lineWidth = 2;
  let sum = 0;
  line(losses.map((loss, k) => {
    sum += loss - (k >= SMOOTH ? losses[k - SMOOTH] : 0);
    return sum / Math.min(k + 1, SMOOTH);
  }));
  context.fillStyle = colour("--accent");
  context.beginPath();
  if (losses.length) context.arc(...at(Math.min(step, losses.length - 1), losses[step] ?? losses.at(-1)), 4, 0, 7);
  context.fill();
}
