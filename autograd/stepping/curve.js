"use strict";
// The losses of a training as the time line of its passes.
const curve = (() => {
  const get = (id) => document.getElementById(id), wide = 320, high = 96, edge = 12;
  let places = []; // of the points, from left to right

  function part(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, each] of Object.entries(attributes)) element.setAttribute(name, each);
    return element;
  }

  // Draw the losses, and mark the pass that is shown.
  function show(given, shown) {
    const losses = given.map(numbers.parse), finite = losses.filter(Number.isFinite);
    const low = Math.min(...finite), tall = Math.max(...finite) - low || 1;
    const right = (i) => edge + ((wide - 2 * edge) * i) / Math.max(1, losses.length - 1);
    const up = (loss) => (Number.isFinite(loss) ? high - edge - ((high - 2 * edge) * (loss - low)) / tall : edge / 2);
    places = losses.map((_, i) => right(i));
    const line = losses.map((loss, i) => `${i ? "L" : "M"}${right(i).toFixed(1)},${up(loss).toFixed(1)}`).join("");
    const points = losses.map((loss, i) => part("circle", { cx: right(i), cy: up(loss), r: i === shown ? 6 : losses.length > 60 ? 1.5 : 3.5, class: i === shown ? "point shown" : "point" }));
    get("curve").replaceChildren(part("path", { class: "curve", d: line }), ...points, points[shown]);
    const text = (i) => `pass ${i + 1} of ${losses.length}, loss ${twin.format(losses[i])}`;
    get("curve").setAttribute("aria-label", `the loss from ${twin.format(losses[0])} to ${twin.format(losses.at(-1))}; shown is ${text(shown)}`);
    get("passed").textContent = text(shown);
    get("pass").max = losses.length;
    get("pass").value = shown + 1;
    get("pass").setAttribute("aria-valuetext", text(shown));
  }

  get("curve").addEventListener("click", (event) => {
    const box = get("curve").getBoundingClientRect(), x = ((event.clientX - box.left) * wide) / box.width;
    const distances = places.map((place) => Math.abs(place - x));
    self.choose(distances.indexOf(Math.min(...distances)));
  });

  const self = { show, choose: () => {} };
  return self;
})();
