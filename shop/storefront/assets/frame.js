// What all pages share: which page this is, and how much is in the basket.

import { byId } from "./dom.js";
import { basket, countOf } from "./kept.js";

function showCount() {
  const count = countOf(basket());
  const place = byId("basket-count");
  place.textContent = count;
  place.hidden = count === 0;
}

for (const link of document.querySelectorAll("nav a")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}
showCount();
addEventListener("kept", showCount);
// Another tab has changed the basket, or the page comes back from the browser's memory.
addEventListener("storage", showCount);
addEventListener("pageshow", showCount);
