"use strict";
// Lanes, counters, charts, knobs and the tour; fed by the server, or by a recording in the page.
(async () => {
  const KEPT = 240, COLOURS = ["#0072b2", "#d55e00", "#009e73"];
  const recorded = document.getElementById("recording");
  const recording = recorded && JSON.parse(recorded.textContent);
  const script = recording ? recording.script : await (await fetch("/script")).json();
  const at = (id) => document.getElementById(id);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let step = null, began = 0;

  const COUNTERS = [
    ["questions", "questions"], ["wasted", "for nothing", "waste"], ["webhooks", "webhooks"], ["refused", "refused", "bad"],
    ["staleness_s", "late by (s)"], ["stuck", "stuck orders", "bad"], ["shipped", "shipped", "good"], ["shipped_twice", "shipped twice", "bad"],
  ];
  const KNOBS = [
    ["polling_interval_s", "polling every", "s", 0.5], ["settlement_s", "settles after", "s", 0.5], ["customers_per_minute", "customers", "/min", 5],
    ["drop_percent", "webhooks lost", "%", 5], ["duplicate_percent", "duplicated", "%", 5], ["delay_s", "delayed by", "s", 0.5],
  ];

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name in node && name !== "list") node[name] = value; else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  // -- lanes ----------------------------------------------------------------------------------
  const cells = {}, series = {};
  script.lanes.forEach((lane) => {
    cells[lane.name] = {};
    series[lane.name] = { x: [], late: [], rate: [], calls: null };
    const list = make("dl");
    for (const [key, label, mood] of COUNTERS) {
      const value = make("dd", {}, "0");
      value.dataset.count = `${lane.name}.${key}`;
      cells[lane.name][key] = [value, mood];
      list.append(make("div", {}, make("dt", {}, label), value));
    }
    const canvas = make("canvas", { role: "img" });
    canvas.setAttribute("aria-label", `what crosses the wire of ${lane.title}`);
    at("lanes").append(make("article", { className: "lane" }, make("h2", {}, lane.title), canvas, list));
    window.Wires.add(lane.name, canvas);
  });

  function count(name, lane) {
    for (const [key] of COUNTERS) {
      const [cell, mood] = cells[name][key];
      const text = key === "staleness_s" ? lane[key].toFixed(lane[key] < 10 ? 2 : 1) : String(lane[key]);
      if (cell.textContent !== text) cell.textContent = text;
      cell.className = mood && lane[key] > 0 ? mood : "";
    }
  }

  // -- charts ---------------------------------------------------------------------------------
  function extend(name, lane, now) {
    const one = series[name], calls = lane.questions + lane.webhooks;
    const last = one.x.length ? one.x[one.x.length - 1] : now;
    const rate = one.calls === null || now <= last ? 0 : (calls - one.calls) / (now - last);
    one.calls = calls;
    one.x.push(now); one.late.push(Math.max(lane.staleness_s, 0.001)); one.rate.push(Math.max(rate, 0));
    for (const key of ["x", "late", "rate"]) if (one[key].length > KEPT) one[key].shift();
  }

  function chart(id, key, axis) {
    const ink = dark.matches ? "#eceef1" : "#1b1d20", grid = dark.matches ? "#343b44" : "#dde1e7";
    const data = script.lanes.map((lane, n) => ({
      x: series[lane.name].x.slice(), y: series[lane.name][key].slice(), name: lane.title, mode: "lines",
      line: { color: COLOURS[n], width: 2.5 }, hoverinfo: "skip",
    }));
    const layout = {
      margin: { t: 4, r: 8, b: 24, l: 48 }, showlegend: true, legend: { orientation: "h", y: 1.2, font: { size: 11 } },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, size: 12 },
      xaxis: { gridcolor: grid, zeroline: false, ticksuffix: " s", nticks: 6 }, yaxis: { gridcolor: grid, zeroline: false, ...axis },
    };
    window.Plotly.react(at(id), data, layout, { responsive: true, displayModeBar: false, staticPlot: true });
  }

  let drawnAt = -1;
  function draw(now) {
    if (now - drawnAt < 1) return;
    drawnAt = now;
    chart("staleness", "late", { type: "log", tickvals: [0.001, 0.01, 0.1, 1, 10, 100], ticktext: ["1 ms", "10 ms", "0.1", "1", "10", "100"] });
    chart("rate", "rate", { rangemode: "tozero" });
    const { p50, p95 } = window.Wires.frameTimes();
    at("frames").textContent = `frames ${p50.toFixed(0)} ms, slowest twentieth ${p95.toFixed(0)} ms`;
    at("frames").dataset.p50 = p50.toFixed(1); at("frames").dataset.p95 = p95.toFixed(1);
  }

  // -- knobs ----------------------------------------------------------------------------------
  async function post(path, body) {
    if (recording) return;
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) at("sentence").textContent = (await answer.json()).detail;
  }

  const knobs = {};
  for (const [name, label, unit, by] of KNOBS) {
    const [low, high] = script.limits[name];
    const input = make("input", { type: "range", id: name, min: String(low), max: String(high), step: String(by) });
    const shown = make("output", {}, "");
    input.addEventListener("input", () => { shown.textContent = `${input.value} ${unit}`; });
    input.addEventListener("change", () => post("/knobs", { [name]: Number(input.value) }));
    knobs[name] = [input, shown, unit];
    at("knobs").append(make("label", { htmlFor: name }, label), input, shown);
  }
  const wrong = make("input", { type: "checkbox", id: "wrong_url" });
  wrong.addEventListener("change", () => post("/knobs", { wrong_url: wrong.checked }));
  const acts = make("div", { className: "acts" });
  for (const action of script.actions) {
    const button = make("button", { type: "button", id: `act-${action}` }, action);
    button.addEventListener("click", () => post("/act", { action }));
    acts.append(button);
  }
  acts.append(make("label", {}, wrong, " wrong URL"));
  at("knobs").append(acts);
  at("knobs").addEventListener("submit", (event) => event.preventDefault());

  function showKnobs(values) {
    for (const [name, [input, shown, unit]] of Object.entries(knobs)) {
      if (document.activeElement !== input || input.dataset.sent !== String(values[name])) {
        input.value = values[name]; input.dataset.sent = String(values[name]);
      }
      shown.textContent = `${input.value} ${unit}`;
    }
    wrong.checked = values.wrong_url;
  }

  // -- the tour -------------------------------------------------------------------------------
  script.tour.forEach((one, n) => {
    const button = make("button", { type: "button", title: one.title }, String(n + 1));
    button.addEventListener("click", () => post("/step", { step: n }));
    at("steps").append(make("li", {}, button));
  });

  function showStep(now) {
    if (now === step) return;
    step = now;
    [...at("steps").querySelectorAll("button")].forEach((button, n) => {
      if (n === step) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
    });
    if (step === null) return;
    at("title").textContent = `${step + 1}. ${script.tour[step].title}`;
    at("sentence").textContent = script.tour[step].sentence;
  }

  function go(by) {
    const wanted = step === null ? (by > 0 ? 0 : script.tour.length - 1) : step + by;
    if (wanted >= 0 && wanted < script.tour.length) post("/step", { step: wanted });
  }
  at("next").addEventListener("click", () => go(1));
  at("back").addEventListener("click", () => go(-1));
  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    if (["ArrowRight", "PageDown"].includes(event.key)) go(1);
    else if (["ArrowLeft", "PageUp"].includes(event.key)) go(-1);
    else if (event.key >= "1" && Number(event.key) <= script.tour.length) post("/step", { step: Number(event.key) - 1 });
    else return;
    event.preventDefault();
  });

  // -- what is told ---------------------------------------------------------------------------
  function hear(message, now) {
    for (const [lane, direction, outcome] of message.packets || []) window.Wires.send(lane, direction, outcome);
    const numbers = message.numbers;
    if (!numbers) return;
    began = began || now;
    for (const [name, lane] of Object.entries(numbers.lanes)) { count(name, lane); extend(name, lane, now - began); }
    at("outage").hidden = !numbers.outage;
    showKnobs(numbers.knobs); showStep(numbers.step); draw(now - began);
  }

  dark.addEventListener("change", () => { drawnAt = -1; });
  if (recording) {
    for (const [second, message] of recording.messages) setTimeout(() => hear(message, second + 1), second * 1000);
    return;
  }
  const source = new EventSource("/messages");
  source.onmessage = (event) => hear(JSON.parse(event.data), performance.now() / 1000);
})();
