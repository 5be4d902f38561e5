// The basket: quantities can be changed, and the total follows.

import "./frame.js";
import { readProducts } from "./api.js";
import { announce, byId, complain, drawing, element, show } from "./dom.js";
import { QUANTITY_MAX, basket, setQuantity } from "./kept.js";
import { nothingYet, priced } from "./lines.js";
import { amountText, currencyName } from "./money.js";

let products = new Map();

function change(product, quantity, focused) {
  setQuantity(product.sku, quantity);
  draw();
  const line = basket().find((one) => one.sku === product.sku);
  announce(line ? `${product.name}: ${line.quantity}.` : `${product.name} is no longer in your basket.`);
  // The lines are drawn anew, so the focus has to be put back to where it was.
  (byId(focused) ?? byId("content")).focus();
}

function stepper(product, quantity) {
  const id = (part) => `${part}-${product.sku}`;
  const step = (part, sign, by, label) =>
    element("button",
      {
        type: "button",
        id: id(part),
        class: "step",
        "aria-label": `${label} ${product.name}`,
        "aria-disabled": quantity + by > QUANTITY_MAX || quantity + by < 1 ? "true" : null,
        onclick: () => {
          const next = quantity + by;
          if (next >= 1 && next <= QUANTITY_MAX) change(product, next, id(part));
        },
      },
      sign);
  return element("div", { class: "stepper", role: "group", "aria-label": `Quantity of ${product.name}` },
    step("less", "−", -1, "One less:"),
    element("input", {
      id: id("quantity"),
      type: "number",
      inputmode: "numeric",
      min: 1,
      max: QUANTITY_MAX,
      value: quantity,
      "aria-label": `Quantity of ${product.name}`,
      onchange: (event) => change(product, Math.max(1, event.target.valueAsNumber || 1), id("quantity")),
    }),
    step("more", "+", 1, "One more:"));
}

function lineOf({ sku, quantity }) {
  const product = products.get(sku);
  return element("li", { class: "basket-line" },
    element("div", { class: "art small" }, drawing(sku)),
    element("div", { class: "what" },
      element("h2", {}, product.name),
      element("p", { class: "quiet" }, `${amountText(product.price, product.currency, product.decimals)} each`)),
    stepper(product, quantity),
    element("p", { class: "price" }, amountText(product.price * quantity, product.currency, product.decimals)),
    element("button",
      {
        type: "button",
        class: "plain",
        "aria-label": `Take ${product.name} out of the basket`,
        onclick: () => change(product, 0, "checkout"),
      },
      "Remove"));
}

function draw() {
  const { lines, currency, total, dropped } = priced(basket(), products);
  complain(dropped ? "Something in your basket cannot be ordered with the rest, and was left out." : "");
  if (!lines.length) return show(byId("basket"), nothingYet());
  show(byId("basket"),
    element("ul", { class: "card basket", role: "list" }, ...lines.map(lineOf)),
    element("div", { class: "sum" },
      element("p", { class: "quiet" }, `One order, one currency: this one is in ${currencyName(currency)}.`),
      element("p", { class: "grand" }, "Total ",
        element("strong", { id: "total" }, amountText(total, currency, products.get(lines[0].sku).decimals))),
      element("a", { class: "button primary", id: "checkout", href: "/checkout" }, "Go to checkout")));
}

try {
  products = await readProducts();
  draw();
} catch (problem) {
  complain(problem.message);
  show(byId("basket"));
}
