"use strict";
// Between the player and the page around it.
addEventListener("message", ({ source, data }) => {
  if (source !== parent) return;
  if (data.kind === "load") player.load(data.player);
  if (data.kind === "go") {
    if (data.view) player.view(data.view);
    player.go(data.step);
  }
});
document.getElementById("player").addEventListener("step", ({ detail: { step, view } }) => {
  parent.postMessage({ kind: "step", step, view }, "*");
});
parent.postMessage({ kind: "waiting" }, "*");
