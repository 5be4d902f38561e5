// Lines of a basket or an order, with what they cost, as a table or nothing at all.

import { element } from "./dom.js";
import { amountText } from "./money.js";

/** The lines that the shop sells in one currency, with their total in minor units. */
export function priced(lines, products) {
  const known = lines.filter((line) => products.has(line.sku));
  const currency = known.length ? products.get(known[0].sku).currency : null;
  const kept = known.filter((line) => products.get(line.sku).currency === currency);
  const total = kept.reduce((sum, line) => sum + line.quantity * products.get(line.sku).price, 0);
  return { lines: kept, currency, total, dropped: lines.length - kept.length };
}

/** A table of names, quantities and amounts; a product no longer sold is shown by its sku. */
export function summary(lines, products, total, currency) {
  const row = (line) => {
    const product = products.get(line.sku);
    const amount = product
      ? amountText(product.price * line.quantity, product.currency, product.decimals)
      : "";
    return element("tr", {},
      element("th", { scope: "row" }, product?.name ?? line.sku,
        element("span", { class: "times" }, ` × ${line.quantity}`)),
      element("td", {}, amount));
  };
  return element("table", { class: "lines" },
    element("thead", { class: "unseen" },
      element("tr", {}, element("th", { scope: "col" }, "Product"), element("th", { scope: "col" }, "Amount"))),
    element("tbody", {}, ...lines.map(row)),
    element("tfoot", {},
      element("tr", { class: "total" },
        element("th", { scope: "row" }, "Total"), element("td", {}, amountText(total, currency)))));
}

/** What to show where there is nothing in the basket. */
export const nothingYet = () =>
  element("div", { class: "card empty" },
    element("p", {}, "There is nothing in your basket yet."),
    element("a", { class: "button primary", href: "/" }, "Look around the catalogue"));
