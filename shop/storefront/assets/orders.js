// The orders of this browser, each as the shop knows it now.

import "./frame.js";
import { readOrder } from "./api.js";
import { byId, complain, element, show } from "./dom.js";
import { forgetOrder, orderIds } from "./kept.js";
import { amountText } from "./money.js";
import { isResting, statusName } from "./statuses.js";

const AGAIN_MS = 5000;

async function asked(id) {
  try {
    return { id, order: await readOrder(id) };
  } catch (problem) {
    return { id, problem };
  }
}

const dateText = (created) =>
  new Date(created).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

function known({ id, order }) {
  const count = order.items.reduce((sum, item) => sum + item.quantity, 0);
  return element("li", { "data-status": order.status },
    element("a", { href: `/my-orders/${encodeURIComponent(id)}` },
      element("span", { class: "badge" }, statusName(order.status)),
      element("span", { class: "what" },
        element("strong", {}, `${count} ${count === 1 ? "thing" : "things"}`),
        element("time", { class: "quiet", datetime: order.created }, dateText(order.created))),
      element("span", { class: "price" }, amountText(order.amount, order.currency))));
}

const unknown = ({ id, problem }) =>
  element("li", { class: "unknown" },
    element("span", { class: "what" }, element("strong", {}, problem.message)),
    problem.definite
      ? element("button",
          { type: "button", class: "plain", "aria-label": `Take ${id} off the list`,
            onclick: () => { forgetOrder(id); look(); byId("content").focus(); } },
          "Take off the list")
      : null);

let drawn = "";

async function look() {
  const found = await Promise.all(orderIds().map(asked));
  const text = JSON.stringify(found.map(({ id, order, problem }) => [id, order, problem?.message]));
  if (text !== drawn) draw(found);
  drawn = text;
  return found.some(({ order }) => order && !isResting(order.status));
}

function draw(found) {
  complain();
  if (!found.length) {
    return show(byId("orders"), element("div", { class: "card empty" },
      element("p", {}, "You have not ordered anything with this browser yet."),
      element("a", { class: "button primary", href: "/" }, "Look around the catalogue")));
  }
  // Drawing anew while somebody is on a line would take the focus away.
  const focused = document.activeElement?.getAttribute("href");
  show(byId("orders"),
    element("ul", { class: "card orders", role: "list" }, ...found.map((one) => (one.order ? known(one) : unknown(one)))));
  if (focused) byId("orders").querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function lookAgain() {
  const moves = document.hidden || (await look());
  if (moves) setTimeout(lookAgain, AGAIN_MS);
}

await lookAgain();
