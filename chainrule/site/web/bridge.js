"use strict";
// Between the player and the page around it.
addEventListener("message", ({ source, data }) => {
  if (source !== parent) return;
  if (data.kind === "load") player.load(data.player);
  if (data.kind === "go") {
    if (data.view) player.change(data.view);
    player.go(data.step);
  }
  if (data.kind === "numbers") player.renumber(data.numbers);
  if (data.kind === "view") player.complete(data.number, data.view);
  if (data.kind === "line") player.line(data.line);
});
document.getElementById("player").addEventListener("step", ({ detail: { step, view, move } }) => {
  parent.postMessage({ kind: "step", step, view, gate: move?.gate }, "*");
});
document.getElementById("player").addEventListener("wanted", ({ detail: view }) => parent.postMessage({ kind: "wanted", view }, "*"));
parent.postMessage({ kind: "waiting" }, "*");
