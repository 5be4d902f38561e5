// The catalogue, grouped by currency, since an order has one.

import "./frame.js";
import { readProducts } from "./api.js";
import { announce, byId, complain, drawing, element, show } from "./dom.js";
import { add, basket, emptyBasket } from "./kept.js";
import { amountText, currencyName } from "./money.js";

let products = new Map();

const basketCurrency = () =>
  basket().map((line) => products.get(line.sku)?.currency).find((currency) => currency);

function putIn(product) {
  add(product.sku);
  const { quantity } = basket().find((line) => line.sku === product.sku);
  announce(`${product.name} is in your basket${quantity > 1 ? `, ${quantity} times` : ""}.`);
}

function choose(product) {
  const currency = basketCurrency();
  if (currency === undefined || currency === product.currency) return putIn(product);
  const [has, wants] = [currencyName(currency), currencyName(product.currency)];
  byId("other-currency-text").textContent =
    `Your basket is in ${has}, and “${product.name}” is sold in ${wants}. ` +
    "An order has one currency, so that you pay exactly the price you see. " +
    "Order what is in your basket first, or start a new one.";
  const startOver = byId("start-over");
  startOver.textContent = `New basket in ${wants}`;
  startOver.onclick = () => {
    byId("other-currency").close();
    emptyBasket();
    putIn(product);
  };
  byId("other-currency").showModal();
}

const card = (product) =>
  element("li", { class: "card product" },
    element("div", { class: "art" }, drawing(product.sku)),
    element("h3", {}, product.name),
    element("p", { class: "maker" }, product.maker),
    element("p", { class: "price" }, amountText(product.price, product.currency, product.decimals)),
    element("button",
      {
        type: "button",
        "data-sku": product.sku,
        "aria-label": `Add ${product.name} to the basket`,
        onclick: () => choose(product),
      },
      "Add to basket"));

function group(currency) {
  const sold = [...products.values()].filter((product) => product.currency === currency);
  return element("section", { "aria-labelledby": `in-${currency}` },
    element("h2", { id: `in-${currency}` }, `In ${currencyName(currency)}`,
      element("span", { class: "code", "aria-hidden": "true" }, currency)),
    element("ul", { class: "products", role: "list" }, ...sold.map(card)));
}

byId("keep-basket").addEventListener("click", () => byId("other-currency").close());

try {
  products = await readProducts();
  const currencies = new Set([...products.values()].map((product) => product.currency));
  show(byId("catalogue"), ...[...currencies].map(group));
} catch (problem) {
  complain(problem.message);
  show(byId("catalogue"));
}
