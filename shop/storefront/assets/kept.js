// What this browser keeps: the basket, and the ids of the orders that were placed with it.

export const QUANTITY_MAX = 100;
const LINES_MAX = 20;
const ORDERS_KEPT_MAX = 100;

function read(name, empty) {
  try {
    const value = JSON.parse(localStorage.getItem(name));
    return Array.isArray(value) ? value : empty;
  } catch {
    return empty;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is full or switched off: the shop stays usable within this page.
  }
  dispatchEvent(new CustomEvent("kept"));
}

const whole = (number) => Number.isInteger(number) && number >= 1 && number <= QUANTITY_MAX;

/** The basket as a list of {sku, quantity}; what is not one is left out. */
export function basket() {
  return read("basket", []).filter((line) => typeof line?.sku === "string" && whole(line.quantity));
}

/** Have this many of a product in the basket; none takes the line out. */
export function setQuantity(sku, quantity) {
  const lines = basket();
  const line = lines.find((one) => one.sku === sku);
  const wanted = Math.min(Math.max(Math.trunc(quantity) || 0, 0), QUANTITY_MAX);
  if (line) line.quantity = wanted;
  else if (lines.length < LINES_MAX) lines.push({ sku, quantity: wanted });
  keep("basket", lines.filter((one) => one.quantity > 0));
}

/** Put in one more. */
export function add(sku) {
  setQuantity(sku, (basket().find((line) => line.sku === sku)?.quantity ?? 0) + 1);
}

export const emptyBasket = () => keep("basket", []);

/** Fill the basket with these lines and nothing else. */
export const fillBasket = (lines) =>
  keep("basket", lines.map(({ sku, quantity }) => ({ sku, quantity })));

/** How many things are in the basket. */
export const countOf = (lines) => lines.reduce((count, line) => count + line.quantity, 0);

/** The ids of the orders of this browser, newest first. */
export const orderIds = () => read("orders", []).filter((id) => typeof id === "string");

export function rememberOrder(id) {
  keep("orders", [id, ...orderIds().filter((one) => one !== id)].slice(0, ORDERS_KEPT_MAX));
}

export const forgetOrder = (id) => keep("orders", orderIds().filter((one) => one !== id));
