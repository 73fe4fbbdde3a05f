// The page's side of the engine: fetches what Python needs, and asks it one thing at a time.
import manifest from "./manifest.json";

async function bytes({ url, packed, integrity }, told) {
  const response = await fetch(url, { integrity }).catch((error) => { throw new Error(`${url}: ${error.message}`); });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const whole = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    whole.push(value);
    told(value.length);
  }
  const blob = new Blob(whole);
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const gzip = packed && first === 0x1f && second === 0x8b; // some servers unpack on the way
  return new Response(gzip ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob).arrayBuffer();
}

// Python's memory after its start, kept between visits: nothing but a cache, under a name that changes with what is in it.
const SNAPSHOT = `snapshot-${["python", "stdlib", "packages", "worker"].map((name) => manifest[name].integrity.slice(7, 17)).join("-").replace(/[^\w-]/g, "_")}`;

async function recall() {
  try {
    const found = await (await caches.open("chainrule")).match(SNAPSHOT);
    return found ? new Uint8Array(await found.arrayBuffer()) : null;
  } catch {
    return null; // some browsers keep nothing, such as for a page in another's frame
  }
}

async function remember(snapshot) {
  try {
    await caches.delete("chainrule");
    await (await caches.open("chainrule")).put(SNAPSHOT, new Response(snapshot));
  } catch {
    // The next visit takes longer.
  }
}

export class Engine {
  // on: what to do when it is `progress(share)`, `ready()`, `answer(request, answer, seconds)` or `failed(text)`.
  constructor(frame, on) {
    this.frame = frame;
    this.on = on;
    this.state = "loading"; // then ready, busy, or failed
    this.waiting = null; // the next request: only the latest counts
    this.id = 0;
    const opened = new Promise((resolve) => {
      addEventListener("message", ({ source, data }) => {
        if (source !== frame.contentWindow || !data) return;
        if (data.kind === "waiting") resolve();
        else this.hear(data);
      });
    });
    frame.src = "engine.html";
    this.load(opened);
  }

  async load(opened) {
    const names = Object.keys(manifest), total = names.reduce((sum, name) => sum + manifest[name].bytes, 0);
    let got = 0;
    const told = (more) => this.on.progress((got += more) / total);
    try {
      const [files, snapshot] = await Promise.all([Promise.all(names.map((name) => bytes(manifest[name], told))), recall(), opened]);
      const message = { kind: "files", ...Object.fromEntries(names.map((name, k) => [name, files[k]])) };
      message.snapshot = snapshot;
      message.lock = JSON.parse(new TextDecoder().decode(message.lock));
      this.frame.contentWindow.postMessage(message, "*", snapshot ? [...files, snapshot.buffer] : files);
    } catch (error) {
      this.state = "failed";
      const elsewhere = /^https:/.test(error.message) ? " Python comes from another server here, which must be reached, and hand out just the file that this page was built with; chainrule site without --cdn builds a page that needs none." : "";
      this.on.failed(`Python could not be loaded (${error.message}).${elsewhere} Load the page again.`);
    }
  }

  hear(data) {
    if (data.kind === "ready") {
      this.state = "ready";
      this.on.ready();
      this.next();
    } else if (data.kind === "answer" && data.id === this.id && this.state === "busy") {
      const request = this.asked;
      this.state = "ready";
      this.on.answer(request, JSON.parse(data.text), (performance.now() - this.began) / 1000);
      this.next();
    } else if (data.kind === "snapshot") {
      remember(data.snapshot);
    } else if (data.kind === "failed") {
      const began = this.state === "loading"; // what cannot even start is not started again
      this.state = "failed";
      this.on.failed(String(data.text));
      if (!began) this.restart();
    }
  }

  ask(request) {
    this.waiting = request;
    if (this.state === "busy" && performance.now() - this.began > 2000) this.restart(); // what it does is out of date
    else this.next();
  }

  next() {
    if (this.state !== "ready" || !this.waiting) return;
    this.asked = this.waiting;
    this.waiting = null;
    this.state = "busy";
    this.began = performance.now();
    this.frame.contentWindow.postMessage({ kind: "run", id: ++this.id, request: JSON.stringify(this.asked) }, "*");
  }

  restart() {
    this.state = "loading";
    this.frame.contentWindow.postMessage({ kind: "restart" }, "*");
  }

  stop() {
    this.waiting = null;
    if (this.state === "busy") this.restart();
  }
}
