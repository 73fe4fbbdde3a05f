// Mathematics in the notebooks is written between dollar signs.
addEventListener("DOMContentLoaded", () => {
  const delimiters = [["$$", "$$", true], ["\\[", "\\]", true], ["$", "$", false], ["\\(", "\\)", false]];
  renderMathInElement(document.body, {
    delimiters: delimiters.map(([left, right, display]) => ({ left, right, display })),
    throwOnError: false,
  });
});
