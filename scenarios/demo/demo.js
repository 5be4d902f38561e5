"use strict";
// Lanes, counters, knobs and the tour; fed by the server, or by a recording in the page.
(async () => {
  const QUIET_MS_MAX = 5000, AGAIN_AFTER_MS = 2000;
  const recorded = document.getElementById("recording");
  const recording = recorded && JSON.parse(recorded.textContent);
  const script = recording ? recording.script : await (await fetch("/script")).json();
  const at = (id) => document.getElementById(id);
  let step = null, began = null, player = null;

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
  const cells = {};
  script.lanes.forEach((lane) => {
    cells[lane.name] = {};
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
  window.Charts.prepare(script.lanes);

  function asText(key, value) {
    if (value === null) return "–";
    return key === "staleness_s" ? value.toFixed(value < 10 ? 2 : 1) : String(value);
  }

  function count(name, lane) {
    for (const [key] of COUNTERS) {
      const [cell, mood] = cells[name][key];
      const text = asText(key, lane[key]);
      if (cell.textContent !== text) cell.textContent = text;
      cell.className = mood && lane[key] > 0 ? mood : "";
    }
  }

  // -- what is sent ---------------------------------------------------------------------------
  async function post(path, body) {
    try {
      const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      at("note").textContent = answer.ok ? "" : (await answer.json()).detail;
    } catch {
      lose();
    }
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
  // wanted is where the presenter is going; what the server tells in the meantime is older.
  let wanted = null, underway = 0, sending = Promise.resolve();
  script.tour.forEach((one, n) => {
    const button = make("button", { type: "button", title: one.title }, String(n + 1));
    button.addEventListener("click", () => take(n));
    at("steps").append(make("li", {}, button));
  });

  function take(n) {
    if (player) { player.step(n); return; }
    wanted = n;
    showStep(n);
    underway += 1;
    // One after the other, since two calls at once may arrive in any order.
    sending = sending.then(() => post("/step", { step: n })).then(() => { underway -= 1; });
  }

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

  function hearStep(told) {
    if (told === wanted || !underway) wanted = null;
    showStep(wanted === null ? told : wanted);
  }

  function go(by) {
    const to = step === null ? (by > 0 ? 0 : script.tour.length - 1) : step + by;
    if (to >= 0 && to < script.tour.length) take(to);
  }
  at("next").addEventListener("click", () => go(1));
  at("back").addEventListener("click", () => go(-1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    // A presenter's clicker says Page Down, and whatever has the focus is not meant.
    const isArrow = event.key.startsWith("Arrow"), isKnob = event.target instanceof HTMLInputElement && event.target.type === "range";
    if (isArrow && isKnob) return;
    if (["ArrowRight", "PageDown"].includes(event.key)) go(1);
    else if (["ArrowLeft", "PageUp"].includes(event.key)) go(-1);
    else if (event.key >= "1" && event.key <= "9" && Number(event.key) <= script.tour.length) take(Number(event.key) - 1);
    else if (event.key === " " && player && !(event.target instanceof HTMLButtonElement)) player.toggle();
    else return;
    event.preventDefault();
  });

  // -- what is told ---------------------------------------------------------------------------
  function hear(message, now, quietly = false) {
    if (!quietly) for (const [lane, direction, outcome] of message.packets || []) window.Wires.send(lane, direction, outcome);
    const numbers = message.numbers;
    if (!numbers) return;
    began = began === null ? now : began;
    for (const [name, lane] of Object.entries(numbers.lanes)) { count(name, lane); window.Charts.add(name, lane, now - began); }
    at("outage").hidden = !numbers.outage;
    if (numbers.note || at("note").dataset.told) at("note").textContent = at("note").dataset.told = numbers.note;
    showKnobs(numbers.knobs); hearStep(numbers.step);
    if (!quietly) window.Charts.draw(now - began);
  }

  let heardAt = 0;
  function lose() {
    if (!at("lost").hidden) return;
    at("lost").hidden = false;
    document.body.classList.add("stale");
    window.Charts.interrupt();
  }

  function connect() {
    const source = new EventSource("/messages");
    source.onmessage = (event) => {
      heardAt = performance.now();
      at("lost").hidden = true;
      document.body.classList.remove("stale");
      hear(JSON.parse(event.data), heardAt / 1000);
    };
    source.onerror = () => {
      lose();
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_AFTER_MS);
    };
  }

  function playRecording() {
    document.body.classList.add("recorded");
    at("recorded").hidden = at("play").hidden = false;
    at("recorded").textContent = recording.label;
    at("play").addEventListener("click", () => player.toggle());
    const shown = ({ second, end, isPlaying, isOver }) => {
      const text = isOver ? "again" : isPlaying ? "pause" : "play";
      if (at("play").textContent !== text) at("play").textContent = text;
      at("clock").textContent = `${second.toFixed(0)} of ${end.toFixed(0)} s`;
    };
    const clear = () => { began = 0; window.Charts.clear(); };
    clear();
    player = window.Player.start(recording.messages, { hear, clear, draw: window.Charts.draw, shown });
  }

  if (recording) {
    playRecording();
  } else {
    connect();
    setInterval(() => { if (heardAt && performance.now() - heardAt > QUIET_MS_MAX) lose(); }, 1000);
  }
})();
