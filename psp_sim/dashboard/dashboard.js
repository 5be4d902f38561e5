// Polls a cheap cursor and draws again when it has changed. All that comes from outside becomes
// text nodes: nothing is ever parsed as HTML.

const POLL_MS = 1000;
const VIEWS = ["payments", "events", "deliveries", "endpoints", "faults"];
const GOOD = ["succeeded", "delivered", "enabled", "authorized"];
const BAD = ["failed", "exhausted", "disabled", "expired"];
const BUSY = ["processing", "scheduled", "sending", "waiting", "requires_action"];
const byId = (id) => document.getElementById(id);

const state = {
  view: "payments", open: null, filter: "", rows: [], next: null, chosen: null,
  cursor: null, drawing: 0, faults: null, expanded: new Map(), known: new Set(),
};

function h(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// --- talking to the provider

function token() {
  const given = /^#token=(.+)$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem("token", decodeURIComponent(given[1]));
    location.replace("#/payments");
  }
  return sessionStorage.getItem("token");
}

async function ask(method, path, body) {
  const headers = {};
  if (token()) headers.authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(`/_dashboard/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const document_ = await answer.json();
  if (!answer.ok) throw new Error(document_.detail || document_.title);
  return document_;
}

function notify(text, isBad) {
  const notice = byId("notice");
  notice.textContent = text;
  notice.className = isBad ? "bad" : "";
  clearTimeout(notify.timer);
  notify.timer = setTimeout(() => { notice.textContent = ""; }, isBad ? 8000 : 3000);
}

async function attempt(work) {
  try { return await work(); } catch (problem) { notify(problem.message, true); return null; }
}

// --- small pieces

function badge(word) {
  const kind = GOOD.includes(word) ? "good" : BAD.includes(word) ? "bad" : BUSY.includes(word) ? "busy" : "";
  return h("span", { class: `badge ${kind}` }, word);
}

function outcome(row) {
  if (row.status) return h("span", { class: `badge ${row.status >= 200 && row.status < 300 ? "good" : "bad"}` }, String(row.status));
  return row.error ? h("span", { class: "badge bad" }, "no answer") : "";
}

const faultBadges = (faults) => faults.map((name) => h("span", { class: "badge fault" }, name));
const clock = (iso) => h("time", { class: "time", datetime: iso, title: iso }, new Date(iso).toLocaleTimeString("en-GB") + "." + iso.slice(20, 23).padEnd(3, "0"));
const link = (view, id, text) => h("a", { href: `#/${view}/${encodeURIComponent(id)}` }, text || id);
const duration = (ms) => (ms === null ? "" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const fact = (name, ...value) => [h("dt", {}, name), h("dd", {}, ...value)];

function money(row) {
  try {
    const format = new Intl.NumberFormat("en-GB", { style: "currency", currency: row.currency });
    return format.format(row.amount / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch { return `${row.amount} ${row.currency}`; }
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text || "(empty)"; }
}

// --- lists

const cell = (content, kind) => h("td", { class: kind }, content);
const COLUMNS = {
  payments: [
    ["time", (r) => clock(r.created)], ["reference", (r) => r.reference, "wide"], ["status", (r) => badge(r.status)],
    ["amount", money, "number"], ["method", (r) => r.payment_method, "minor less"],
    ["on its way", (r) => (r.open_deliveries ? `${r.open_deliveries}` : ""), "number minor less"],
    ["id", (r) => h("span", { class: "id" }, r.id), "minor less"],
  ],
  events: [
    ["time", (r) => clock(r.created)], ["type", (r) => r.type, "wide"], ["sequence", (r) => r.sequence, "number minor"],
    ["reference", (r) => (r.body.data && r.body.data.reference) || ""], ["id", (r) => h("span", { class: "id" }, r.id), "minor less"],
  ],
  deliveries: [
    ["time", (r) => clock(r.created)], ["event", (r) => r.type], ["state", (r) => badge(r.state)],
    ["answer", outcome], ["tries", (r) => r.attempts, "number"], ["took", (r) => duration(r.duration_ms), "number minor less"],
    ["faults", (r) => h("span", {}, faultBadges(r.faults)), "wide minor"], ["reference", (r) => r.reference, "less"],
    ["to", (r) => h("span", { class: "id" }, r.url), "minor less"],
  ],
  endpoints: [
    ["URL", (r) => r.url, "wide"], ["status", (r) => badge(r.status)],
    ["delivered", (r) => r.deliveries.delivered || 0, "number"],
    ["on its way", (r) => ["scheduled", "sending", "waiting"].reduce((sum, s) => sum + (r.deliveries[s] || 0), 0), "number"],
    ["exhausted", (r) => r.deliveries.exhausted || 0, "number"],
    ["events", (r) => r.events.join(", "), "minor less"], ["id", (r) => h("span", { class: "id" }, r.id), "minor less"],
  ],
};
const EMPTY = {
  payments: "POST /v1/payments makes the first one.", events: "Every change of a payment makes an event.",
  deliveries: "Register an endpoint, then make a payment.", endpoints: "POST /v1/webhook_endpoints registers one.",
};

function drawList() {
  const list = byId("list");
  const top = list.scrollTop;
  if (state.view === "faults") return drawFaults(list);
  if (!state.rows.length) {
    const why = state.filter ? `Nothing matches “${state.filter}”.` : EMPTY[state.view];
    list.replaceChildren(h("div", { class: "empty" }, h("strong", {}, `No ${state.view}`), why));
    return;
  }
  const columns = COLUMNS[state.view];
  const body = h("tbody", {}, state.rows.map((row) => h(
    "tr",
    { "data-id": row.id, tabindex: row.id === state.chosen ? 0 : -1, "aria-selected": row.id === state.chosen,
      class: [row.id === state.chosen ? "chosen" : "", state.known.size && !state.known.has(row.id) ? "fresh" : ""].join(" ").trim(),
      onclick: () => { state.chosen = row.id; openRow(row.id); } },
    columns.map(([, draw, kind]) => cell(draw(row), kind)),
  )));
  const hadFocus = list.contains(document.activeElement);
  list.replaceChildren(
    h("table", {}, h("thead", {}, h("tr", {}, columns.map(([name, , kind]) => h("th", { class: kind, scope: "col" }, name)))), body),
    state.next ? h("button", { class: "older", type: "button", onclick: () => older() }, "Show older") : "",
  );
  state.rows.forEach((row) => state.known.add(row.id));
  list.scrollTop = top;
  if (hadFocus) focusRow();
}

function focusRow() {
  const row = byId("list").querySelector("tr.chosen");
  if (row) { row.focus({ preventScroll: true }); row.scrollIntoView({ block: "nearest" }); }
}

function choose(step) {
  if (!state.rows.length) return;
  const at = state.rows.findIndex((row) => row.id === state.chosen);
  const to = at < 0 ? 0 : Math.min(state.rows.length - 1, Math.max(0, at + step));
  state.chosen = state.rows[to].id;
  drawList();
  focusRow();
  if (state.open) openRow(state.chosen);
}

function openRow(id) { location.hash = `#/${state.view}/${encodeURIComponent(id)}`; }

async function older() {
  const page = await attempt(() => ask("GET", listPath(state.next)));
  if (page) { state.rows.push(...page.data); state.next = page.next; drawList(); }
}

function listPath(before) {
  const query = new URLSearchParams();
  if (state.filter) query.set("filter", state.filter);
  if (before) query.set("before", before);
  return `${state.view}?${query}`;
}

// --- details

const DETAILS = {
  async payments(id) {
    const p = await ask("GET", `payments/${encodeURIComponent(id)}`);
    return [
      head(`${money(p)} for ${p.reference}`, badge(p.status)),
      h("dl", { class: "facts" }, fact("id", h("code", {}, p.id)), fact("method", p.payment_method), fact("created", clock(p.created)),
        Object.keys(p.metadata).length ? fact("metadata", h("code", {}, JSON.stringify(p.metadata))) : ""),
      h("h3", {}, "Events"),
      h("table", {}, h("tbody", {}, p.events.map((e) => row("events", e.id, [clock(e.created)], [String(e.sequence), "number"], [e.type, "wide"])))),
      h("h3", {}, "Deliveries"),
      p.deliveries.length ? deliveryTable(p.deliveries) : h("p", { class: "faint" }, "No endpoint was registered when they happened."),
    ];
  },
  async events(id) {
    const e = state.rows.find((one) => one.id === id) || (await ask("GET", `events?filter=${encodeURIComponent(id)}`)).data[0];
    if (!e) throw new Error(`there is no event ${id}`);
    const sent = (await ask("GET", `deliveries?filter=${encodeURIComponent(id)}`)).data;
    return [
      head(e.type, badge(`sequence ${e.sequence}`)),
      h("dl", { class: "facts" }, fact("id", h("code", {}, e.id)), e.payment ? fact("payment", link("payments", e.payment)) : "", fact("happened", clock(e.created))),
      h("h3", {}, "Deliveries"), sent.length ? deliveryTable(sent) : h("p", { class: "faint" }, "No endpoint wanted it."),
      h("h3", {}, "Body"), h("pre", {}, JSON.stringify(e.body, null, 2)),
    ];
  },
  async deliveries(id) {
    const d = await ask("GET", `deliveries/${encodeURIComponent(id)}`);
    const slowest = Math.max(1, ...d.tries.map((one) => one.duration_ms || 0));
    const again = h("button", { type: "button", class: "first", onclick: () => redeliver(d.id), title: "Send it again now (r)" }, "Redeliver");
    return [
      head(d.type, badge(d.state), again),
      h("dl", { class: "facts" }, fact("to", h("code", {}, d.url || d.endpoint)), fact("event", link("events", d.event)),
        d.payment ? fact("payment", link("payments", d.payment, d.reference || d.payment)) : "",
        d.due ? fact("next attempt", clock(d.due)) : ""),
      h("h3", {}, d.tries.length === 1 ? "1 attempt" : `${d.tries.length} attempts`),
      d.tries.length ? d.tries.slice().reverse().map((one, at) => drawTry(d, one, at === 0, slowest)) : h("p", { class: "faint" }, "Nothing has been sent yet."),
    ];
  },
  async endpoints(id) {
    const e = state.rows.find((one) => one.id === id) || (await ask("GET", `endpoints?filter=${encodeURIComponent(id)}`)).data[0];
    if (!e) throw new Error(`there is no endpoint ${id}`);
    const sent = (await ask("GET", `deliveries?filter=${encodeURIComponent(e.url)}`)).data;
    return [
      head(e.url, badge(e.status)),
      h("dl", { class: "facts" }, fact("id", h("code", {}, e.id)), fact("listens to", e.events.join(", ")), fact("registered", clock(e.created)),
        Object.entries(e.deliveries).map(([name, number]) => fact(name, String(number)))),
      h("h3", {}, "Latest deliveries"), deliveryTable(sent.slice(0, 20)),
    ];
  },
};

function head(title, mark, ...actions) {
  const close = h("button", { type: "button", onclick: closeDetail, title: "Close (Esc)" }, "Close");
  return h("div", { class: "head" }, h("div", {}, h("h2", {}, title), mark), h("div", { class: "actions" }, ...actions, close));
}

function row(view, id, ...cells) {
  const go = () => { location.hash = `#/${view}/${encodeURIComponent(id)}`; };
  return h("tr", { tabindex: 0, onclick: go, onkeydown: (event) => { if (event.key === "Enter") { event.stopPropagation(); go(); } } }, cells.map(([content, kind]) => cell(content, kind)));
}

function deliveryTable(rows) {
  return h("table", {}, h("tbody", {}, rows.map((d) => row("deliveries", d.id,
    [clock(d.created), "minor"], [d.type, ""], [badge(d.state)], [outcome(d)], [d.attempts === 1 ? "1 try" : `${d.attempts} tries`, "number minor"], [h("span", {}, faultBadges(d.faults)), "wide"]))));
}

function drawTry(d, one, isLatest, slowest) {
  const key = `${d.id}/${one.number}/${one.copy}/${one.started}`;
  const isOpen = state.expanded.has(key) ? state.expanded.get(key) : isLatest;
  const headers = Object.entries(one.request_headers).map(([name, value]) => `${name}: ${value}`).join("\n");
  const answer = one.status ? `${one.status}\n\n${pretty(one.answer)}` : one.error;
  const title = `Attempt ${one.number}${one.copy > 1 ? `, copy ${one.copy}` : ""}`;
  const gauge = h("progress", { max: slowest, value: one.duration_ms || 0, "aria-label": "time taken" });
  return h("details", { class: "try", open: isOpen, ontoggle: (event) => state.expanded.set(key, event.target.open) },
    h("summary", {}, h("strong", {}, title), outcome(one), faultBadges(one.faults), h("span", { class: "time" }, duration(one.duration_ms), " · ", clock(one.started))),
    h("div", { class: "pair" },
      h("div", {}, h("h4", {}, `Answer after ${duration(one.duration_ms)}`), gauge, h("pre", {}, answer)),
      h("div", {}, h("h4", {}, `Request: POST ${d.url}`), h("pre", {}, headers, "\n\n", pretty(one.request_body)),
        one.is_body_altered ? h("p", { class: "faint" }, "A fault altered this body: the event’s own differs.") : "")));
}

async function redeliver(id) {
  if (await attempt(() => ask("POST", `deliveries/${encodeURIComponent(id)}/redeliver`))) {
    notify("On its way again");
    await refresh();
  }
}

async function drawDetail() {
  const detail = byId("detail");
  const wanted = state.open;
  document.querySelector("main").classList.toggle("open", Boolean(wanted));
  detail.hidden = !wanted;
  if (!wanted) { detail.replaceChildren(); return; }
  let drawn;
  try { drawn = await DETAILS[state.view](wanted); } catch (problem) { drawn = [head(problem.message, "")]; }
  if (state.open !== wanted) return;
  const top = detail.dataset.id === wanted ? detail.scrollTop : 0;
  const hadFocus = detail.contains(document.activeElement);
  detail.dataset.id = wanted;
  detail.replaceChildren(...drawn.flat().filter((part) => part !== ""));
  detail.scrollTop = top;
  if (hadFocus) detail.focus({ preventScroll: true });
}

function closeDetail() { location.hash = `#/${state.view}`; setTimeout(focusRow); }

// --- faults

function drawFaults(list) {
  const { data, fired, vocabulary, choices } = state.faults;
  let form = list.querySelector("form");
  if (!form) form = faultForm(vocabulary, choices);
  const totals = Object.entries(fired).map(([kind, number]) => h("span", { class: "badge fault" }, `${kind} × ${number}`));
  const inForce = h("div", { class: "card" },
    h("div", { class: "head" }, h("h2", {}, "In force"), data.length ? h("button", { type: "button", class: "danger", onclick: () => lift() }, "Lift all") : ""),
    data.length ? data.map(faultRow) : h("p", { class: "faint" }, "None. Every webhook and every call goes through untouched."),
    totals.length ? [h("h3", {}, "Fired so far"), ...totals] : "");
  const kept = list.querySelector(".faults");
  if (kept) replaceKeepingFocus(kept.lastChild, inForce);
  else list.replaceChildren(h("div", { class: "faults" }, h("div", { class: "card" }, h("h2", {}, "Turn a fault on"), form), inForce));
}

/** Whoever is on a button by keyboard stays on its successor, if there is one. */
function replaceKeepingFocus(old, fresh) {
  const nameOf = (button) => button.getAttribute("aria-label") || button.textContent;
  const name = old.contains(document.activeElement) && nameOf(document.activeElement);
  old.replaceWith(fresh);
  if (name) [...fresh.querySelectorAll("button")].find((button) => nameOf(button) === name)?.focus({ preventScroll: true });
}

function faultRow(fault) {
  const { id, object, kind, fired, installed, ...fields } = fault;
  const aim = Object.entries(fields).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  return h("div", { class: "fault-row" }, h("div", { class: "what" }, h("strong", {}, kind), h("div", { class: "faint" }, aim || "every time")),
    h("div", { class: "fired" }, h("b", {}, String(fired)), " fired"), h("button", { type: "button", onclick: () => lift(id), "aria-label": `Lift ${kind}` }, "Lift"));
}

async function lift(id) {
  if (await attempt(() => ask("DELETE", id ? `faults/${encodeURIComponent(id)}` : "faults"))) { notify("Lifted"); await refresh(); }
}

function faultForm(vocabulary, choices) {
  const kinds = h("select", { name: "kind", id: "kind" }, [...new Set(vocabulary.map((kind) => kind.on))].map((on) =>
    h("optgroup", { label: on }, vocabulary.filter((kind) => kind.on === on).map((kind) => h("option", { value: kind.name }, kind.name)))));
  const sees = h("p", { class: "sees" });
  const inputs = h("div", { class: "two" });
  const field = (name) => h("label", {}, name, choices[name]
    ? h("select", { name }, h("option", { value: "" }, "any"), choices[name].map((one) => h("option", { value: one }, one)))
    : h("input", { name, placeholder: choices.examples[name] || "", autocomplete: "off" }));
  const show = () => {
    const kind = vocabulary.find((one) => one.name === kinds.value);
    sees.textContent = `The victim sees: ${kind.sees}.`;
    inputs.replaceChildren(...[...kind.fields, ...kind.selectors].map(field));
  };
  kinds.addEventListener("change", show);
  show();
  const form = h("form", { class: "form" }, h("label", {}, "kind", kinds), sees, inputs, h("button", { class: "first" }, "Turn on"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fault = {};
    for (const [name, value] of new FormData(form)) {
      const text = value.trim();
      if (text) fault[name] = /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    }
    if (await attempt(() => ask("POST", "faults", fault))) { notify(`${fault.kind} is on`); await refresh(); }
  });
  return form;
}

// --- the frame around it

function drawTabs(numbers) {
  const total = (part) => Object.values((numbers && numbers[part]) || {}).reduce((sum, one) => sum + one, 0);
  const shown = { payments: total("payments"), deliveries: total("deliveries"), faults: (numbers && numbers.faults.installed) || 0 };
  byId("tabs").replaceChildren(...VIEWS.map((view) => h("a", { href: `#/${view}`, "aria-current": view === state.view ? "page" : null }, view[0].toUpperCase() + view.slice(1),
    shown[view] ? h("span", { class: `count ${view === "faults" ? "hot" : ""}` }, String(shown[view])) : "")));
}

async function refresh() {
  const mine = ++state.drawing;
  const { view, filter } = state;
  const page = await attempt(() => ask("GET", view === "faults" ? "faults" : listPath()));
  if (!page || mine !== state.drawing || view !== state.view || filter !== state.filter) return;
  if (view === "faults") state.faults = page;
  else { state.rows = page.data; state.next = page.next; }
  drawList();
  await drawDetail();
}

async function poll() {
  const live = byId("live");
  try {
    const seen = await ask("GET", `changes?cursor=${encodeURIComponent(state.cursor || "")}`);
    live.textContent = "live";
    live.className = "live on";
    if (seen.cursor !== state.cursor) {
      state.cursor = seen.cursor;
      state.numbers = seen;
      drawTabs(seen);
      await refresh();
    }
  } catch (problem) {
    live.textContent = problem instanceof TypeError ? "not reachable" : problem.message;
    live.className = "live off";
  }
  setTimeout(poll, document.hidden ? 5 * POLL_MS : POLL_MS);
}

function route() {
  const [, view, id] = /^#\/(\w+)(?:\/(.+))?$/.exec(location.hash) || [];
  const next = VIEWS.includes(view) ? view : "payments";
  const changed = next !== state.view;
  if (changed) { state.rows = []; state.known.clear(); state.chosen = null; byId("list").replaceChildren(); }
  state.view = next;
  state.open = id && next !== "faults" ? decodeURIComponent(id) : null;
  if (state.open) state.chosen = state.open;
  drawTabs(state.numbers);
  refresh();
}

function toggleLarge() {
  const isLarge = document.documentElement.classList.toggle("large");
  byId("larger").setAttribute("aria-pressed", isLarge);
  localStorage.setItem("large", isLarge ? "1" : "");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  const filter = byId("filter");
  const isTyping = event.target.matches("input, select");
  if (event.key === "Escape") {
    if (isTyping) event.target.blur();
    else if (state.open) closeDetail();
    if (event.target === filter || (!isTyping && !state.open)) { filter.value = ""; applyFilter(); }
    return;
  }
  if (isTyping) {
    if (event.key === "Enter" && event.target === filter) { filter.blur(); choose(0); }
    return;
  }
  const keys = {
    j: () => choose(1), k: () => choose(-1), "/": () => filter.focus(), "?": () => byId("keys").showModal(), "+": toggleLarge,
    r: () => { if (state.view === "deliveries" && state.chosen) redeliver(state.chosen); },
    Enter: () => { if (state.chosen && !event.target.closest("button, a, summary, #detail")) openRow(state.chosen); else return false; return true; },
  };
  if (/^[1-5]$/.test(event.key)) location.hash = `#/${VIEWS[event.key - 1]}`;
  else if (!keys[event.key] || keys[event.key]() === false) return;
  event.preventDefault();
}

function applyFilter() {
  state.filter = byId("filter").value.trim();
  refresh();
}

byId("filter").addEventListener("input", () => { clearTimeout(applyFilter.timer); applyFilter.timer = setTimeout(applyFilter, 120); });
byId("help").addEventListener("click", () => byId("keys").showModal());
byId("larger").addEventListener("click", toggleLarge);
document.addEventListener("keydown", onKey);
addEventListener("hashchange", route);
token();
if (localStorage.getItem("large")) toggleLarge();
route();
poll();
