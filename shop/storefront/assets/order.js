// One order, which is asked for again and again: what is shown is at most seconds old.

import "./frame.js";
import { readOrder, readProducts } from "./api.js";
import { byId, complain, element, show } from "./dom.js";
import { historyOf, momentText } from "./history.js";
import { fillBasket } from "./kept.js";
import { summary } from "./lines.js";
import { amountText } from "./money.js";
import { isResting, statusName, statusText, stepsOf } from "./statuses.js";

const QUICK_MS = 1000;
const SLOW_MS = 10000;

const id = decodeURIComponent(location.pathname.split("/").pop());
const changes = [];
let products = new Map();
let drawn = "";
let waitMs = QUICK_MS;

function drawSteps(status) {
  const steps = stepsOf(status).map(({ name, state }) =>
    element("li", { class: state.replace(" ", "-"), "aria-current": state === "current" ? "step" : null },
      name, element("span", { class: "unseen" }, ` (${state})`)));
  byId("steps").hidden = steps.length === 0;
  byId("steps").replaceChildren(...steps);
}

function drawAgain(order) {
  if (order.status !== "failed") return byId("again").replaceChildren();
  byId("again").replaceChildren(
    element("a", { class: "button primary", href: "/checkout", onclick: () => fillBasket(order.items) },
      "Try again with the same things"));
}

function draw(order) {
  if (changes.at(-1)?.status !== order.status) {
    changes.push({ at: new Date().toISOString(), status: order.status });
  }
  byId("state").dataset.status = order.status;
  byId("status").textContent = statusName(order.status);
  byId("status-text").textContent = [statusText(order.status), order.failure && `Reason: ${order.failure}.`]
    .filter(Boolean).join(" ");
  document.title = `${statusName(order.status)} · Paper & Clay`;
  drawSteps(order.status);
  show(byId("items"), summary(order.items, products, order.amount, order.currency),
    order.amount_refunded > 0
      ? element("p", {}, `Refunded: ${amountText(order.amount_refunded, order.currency)}`)
      : "",
    element("p", { class: "hint" }, `For ${order.email}`));
  const { entries, hint } = historyOf(order, changes);
  byId("history").replaceChildren(...entries);
  byId("history-hint").textContent = hint;
  drawAgain(order);
  byId("order").hidden = false;
}

function drawUpdated(status) {
  const now = new Date();
  byId("updated").dateTime = now.toISOString();
  byId("updated").textContent = momentText(now);
  byId("pulse").classList.toggle("resting", isResting(status));
}

async function look() {
  try {
    const order = await readOrder(id);
    complain();
    // Drawing only what has changed leaves screen readers and selections in peace.
    const text = JSON.stringify(order);
    if (text !== drawn) draw(order);
    waitMs = isResting(order.status) ? SLOW_MS : QUICK_MS;
    drawn = text;
    drawUpdated(order.status);
  } catch (problem) {
    complain(problem.message);
    waitMs = Math.min(waitMs * 2, SLOW_MS);
    if (problem.definite) return;
  }
  setTimeout(lookIfSeen, waitMs);
}

/** A page in the background asks nothing; it looks at once when it is seen again. */
function lookIfSeen() {
  if (!document.hidden) return look();
  document.addEventListener("visibilitychange", look, { once: true });
}

byId("order-id").textContent = id;
try {
  products = await readProducts();
} catch {
  // Names are a comfort: without them the lines are shown by their sku.
}
await look();
