// What moved an order: what the shop tells of it, or else what this page has seen.

import { element } from "./dom.js";
import { plain, statusName } from "./statuses.js";

const WHEN = ["at", "time", "timestamp", "occurred", "created", "received"];
const WHAT = ["event", "type", "what", "name", "status", "to"];

const firstOf = (entry, keys) => keys.find((key) => typeof entry[key] === "string");

/** A moment as people read it; a text that is not one is left as it is. */
export function momentText(value) {
  const moment = new Date(value);
  if (Number.isNaN(moment.getTime())) return String(value);
  const time = moment.toLocaleTimeString("en-GB");
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? time : `${moment.toLocaleDateString("en-GB", { dateStyle: "medium" })}, ${time}`;
}

// The name of an event, such as payment.succeeded, is what it is called everywhere else too.
const named = (what) => (what.includes(".") ? what : plain(what));

const detailText = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function told(entry) {
  if (typeof entry !== "object" || entry === null) return element("li", {}, String(entry));
  const [when, what] = [firstOf(entry, WHEN), firstOf(entry, WHAT)];
  const details = Object.entries(entry)
    .filter(([key, value]) => key !== when && key !== what && value !== null && value !== "")
    .map(([key, value]) => `${plain(key)}: ${key === "status" ? statusName(value) : detailText(value)}`);
  return element("li", {},
    when ? element("time", { datetime: entry[when] }, momentText(entry[when])) : null,
    element("strong", {}, what ? named(entry[what]) : "Changed"),
    details.length ? element("span", { class: "quiet" }, details.join(" · ")) : null);
}

const seen = ({ at, status }) =>
  element("li", {},
    element("time", { datetime: at }, momentText(at)),
    element("strong", {}, statusName(status)));

/** The entries to list, and a sentence on where they come from. */
export function historyOf(order, changes) {
  if (Array.isArray(order.history)) return { entries: order.history.map(told), hint: "" };
  const placed = { at: order.created, status: "ordered" };
  return { entries: [placed, ...changes].map(seen), hint: "Times as seen by this page." };
}
