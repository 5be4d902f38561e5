// The checkout: an e-mail address, and the order is placed once.

import "./frame.js";
import { placeOrder, readProducts } from "./api.js";
import { byId, complain, show } from "./dom.js";
import { basket, emptyBasket, rememberOrder } from "./kept.js";
import { nothingYet, priced, summary } from "./lines.js";

const [form, email, button] = [byId("checkout"), byId("email"), byId("place-order")];
let order = { lines: [], currency: null, total: 0 };

function refuse(sentence, isAboutEmail) {
  complain(sentence);
  email.setAttribute("aria-invalid", String(isAboutEmail));
  if (isAboutEmail) email.focus();
}

async function place(event) {
  event.preventDefault();
  if (button.disabled) return;
  refuse("", false);
  if (!email.checkValidity()) {
    return refuse("Please give an e-mail address, such as ada@example.com.", true);
  }
  // Pressed twice is ordered once.
  button.disabled = true;
  button.textContent = "Placing the order…";
  try {
    const placed = await placeOrder(order.lines, email.value.trim(), order.currency);
    rememberOrder(placed.id);
    emptyBasket();
    location.assign(`/my-orders/${encodeURIComponent(placed.id)}`);
  } catch (problem) {
    button.disabled = false;
    button.textContent = "Place the order";
    if (problem.definite) return refuse(problem.message, problem.code === "invalid_order");
    // No answer is not a no.
    refuse(`${problem.message} Your order may or may not have been placed; your basket is kept.`, false);
  }
}

form.addEventListener("submit", place);

try {
  const products = await readProducts();
  order = priced(basket(), products);
  if (order.lines.length) {
    show(byId("summary"), summary(order.lines, products, order.total, order.currency));
    button.disabled = false;
  } else {
    show(byId("summary"), nothingYet());
  }
} catch (problem) {
  complain(problem.message);
  show(byId("summary"));
}
