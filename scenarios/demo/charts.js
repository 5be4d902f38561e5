"use strict";
// What each shop's curves are made of, and how they are drawn.
window.Charts = (() => {
  const KEPT = 240, SHORTEST_S = 0.001, SHORTEST_AXIS_S = 10;
  // Lines that lie on each other are told apart: the first is broad, the next are broken and narrower.
  const LOOKS = [["solid", 6], ["dash", 4], ["dot", 2.5]];
  const LATE = {
    0.001: "1 ms", 0.003: "3 ms", 0.01: "10 ms", 0.03: "30 ms", 0.1: "0.1", 0.3: "0.3", 1: "1", 3: "3", 10: "10", 30: "30", 100: "100",
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const at = (id) => document.getElementById(id);
  let lanes = [], series = {}, drawnAt = -1;

  function clear() {
    series = Object.fromEntries(lanes.map((lane) => [lane.name, { x: [], late: [], rate: [], calls: null }]));
    drawnAt = -1;
  }

  function sample(n) {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    line.setAttribute("class", `sample lane-${n}`);
    line.setAttribute("viewBox", "0 0 34 10");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", "M0 5H34");
    path.setAttribute("stroke-width", String(LOOKS[n][1]));
    path.setAttribute("stroke-dasharray", { solid: "none", dash: "9 5", dot: "3 3" }[LOOKS[n][0]]);
    line.append(path);
    return line;
  }

  function prepare(given) {
    lanes = given;
    clear();
    for (const legend of document.querySelectorAll(".legend")) {
      lanes.forEach((lane, n) => {
        const one = document.createElement("span");
        one.append(sample(n), lane.title);
        legend.append(one);
      });
    }
  }

  function add(name, lane, now) {
    const one = series[name], calls = lane.questions + lane.webhooks;
    const last = one.x.length ? one.x[one.x.length - 1] : now;
    const rate = one.calls === null || now <= last ? null : Math.max((calls - one.calls) / (now - last), 0);
    one.calls = calls;
    one.x.push(now); one.rate.push(rate);
    one.late.push(lane.staleness_s === null ? null : Math.max(lane.staleness_s, SHORTEST_S));
    for (const key of ["x", "late", "rate"]) if (one[key].length > KEPT) one[key].shift();
  }

  // Where nothing was heard there is no line.
  function interrupt() {
    for (const one of Object.values(series)) {
      if (!one.x.length) continue;
      one.calls = null;
      one.x.push(one.x[one.x.length - 1]); one.late.push(null); one.rate.push(null);
    }
  }

  function chart(id, key, axis) {
    const style = getComputedStyle(document.documentElement), em = Math.max(parseFloat(style.fontSize), 16);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const data = lanes.map((lane, n) => ({
      x: series[lane.name].x.slice(), y: series[lane.name][key].slice(), name: lane.title, mode: "lines",
      line: { color: colour(`lane-${n}`), dash: LOOKS[n][0], width: LOOKS[n][1] }, hoverinfo: "skip",
    }));
    const times = series[lanes[0].name].x, from = times.length ? times[0] : 0;
    const to = Math.max(times.length ? times[times.length - 1] : 0, from + SHORTEST_AXIS_S);
    const grid = { gridcolor: colour("line"), zeroline: false };
    const layout = {
      margin: { t: em * 0.5, r: em * 0.8, b: em * 1.9, l: em * 3.4 }, showlegend: false, autosize: true,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("ink"), size: em },
      xaxis: { ...grid, range: [from, to], ticksuffix: " s", nticks: 6 }, yaxis: { ...grid, ...axis },
    };
    window.Plotly.react(at(id), data, layout, { responsive: true, displayModeBar: false, staticPlot: true });
  }

  function draw(now) {
    if (drawnAt >= 0 && Math.abs(now - drawnAt) < 1) return;
    drawnAt = now;
    chart("staleness", "late", { type: "log", tickvals: Object.keys(LATE).map(Number), ticktext: Object.values(LATE) });
    chart("rate", "rate", { rangemode: "tozero" });
    const { p50, p95 } = window.Wires.frameTimes();
    at("frames").textContent = `frames ${p50.toFixed(0)} ms, slowest twentieth ${p95.toFixed(0)} ms`;
    at("frames").dataset.p50 = p50.toFixed(1); at("frames").dataset.p95 = p95.toFixed(1);
  }

  dark.addEventListener("change", () => { drawnAt = -1; });
  return { prepare, clear, add, interrupt, draw };
})();
