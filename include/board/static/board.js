// Draws the charts of a page in its own colours, and copies ids. Everything else works without it.
"use strict";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function drawn(place) {
  const figure = JSON.parse(place.dataset.figure);
  const [ink, line] = [colour("ink"), colour("line")];
  for (const trace of figure.data) {
    const own = colour(trace.colour);
    trace.marker = { color: own, opacity: 0.85 };
    if (trace.type === "scatter") trace.line = { color: own, width: 2, dash: trace.dash || "solid" };
    delete trace.colour;
    delete trace.dash;
  }
  const axis = (given) => ({ gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true, ...given });
  const { xaxis, yaxis, yaxis2, ...rest } = figure.layout;
  const layout = {
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink, family: "inherit", size: 13 },
    margin: { l: 50, r: 50, t: 16, b: 36 }, height: 340, hovermode: "closest", legend: { orientation: "h", y: 1.12, x: 0 },
    ...rest, xaxis: axis({ ...xaxis }), yaxis: axis({ ...yaxis }),
  };
  if (yaxis2) layout.yaxis2 = axis({ ...yaxis2 });
  if (place.clientWidth < 480) {
    layout.margin = { l: 40, r: 40, t: 16, b: 30 };
    if (layout.yaxis.title) delete layout.yaxis.title;
    if (layout.yaxis2) delete layout.yaxis2.title;
  }
  return Plotly.react(place, figure.data, layout, { displayModeBar: false, responsive: true, locale: "en" });
}

function drawAll() {
  if (typeof Plotly === "undefined") return;
  for (const place of document.querySelectorAll(".chart")) drawn(place);
}

async function copied(button) {
  const text = document.querySelector(button.dataset.copy).textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "已复制";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(button.dataset.copy));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "已选中,请按 Ctrl+C";
  }
}

document.addEventListener("DOMContentLoaded", () => {
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", () => copied(button));
  }
});
