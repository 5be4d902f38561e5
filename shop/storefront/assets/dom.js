// Builds elements from texts. Texts only ever become text nodes, so nothing that the shop or a
// customer says can turn into markup.

export const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

/** An element with these attributes (true: present, false or null: absent) and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, String(value));
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const DRAWN = new Set([
  "mug", "notebook", "poster", "sticker", "pencils", "candle", "tote", "vase",
  "ramen-bowl", "chopsticks", "teapot", "wrapping-cloth", "incense", "coffee-pot", "dates",
]);

/** The drawing of a product; a parcel for one that nobody has drawn yet. */
export function drawing(sku) {
  const image = document.createElementNS(SVG, "svg");
  image.setAttribute("viewBox", "0 0 64 64");
  image.setAttribute("aria-hidden", "true");
  image.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/assets/art.svg#${DRAWN.has(sku) ? sku : "parcel"}`);
  image.append(use);
  return image;
}

/** Replace what an element holds, and say that it is complete. */
export function show(holder, ...children) {
  holder.replaceChildren(...children);
  holder.removeAttribute("aria-busy");
}

/** Show a sentence about what went wrong; without one, take it away. */
export function complain(sentence = "") {
  const place = byId("problem");
  if (place.textContent === sentence) return;
  place.replaceChildren(...(sentence ? [element("p", { class: "notice problem" }, sentence)] : []));
}

let hiding;

/** Say something in passing, to eyes and to screen readers. */
export function announce(sentence) {
  const place = byId("announcement");
  place.textContent = sentence;
  place.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => place.classList.remove("shown"), 4000);
}
