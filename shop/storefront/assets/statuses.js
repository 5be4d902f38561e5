// What the states of an order mean, in words for the customer.

const KNOWN = {
  pending: ["Waiting for the payment", "We have your order and are waiting to hear that it is paid."],
  paid: ["Paid", "Thank you! The warehouse is being told to pack it."],
  fulfilled: ["On its way", "Paid and handed over to the warehouse. Nothing is left to do."],
  partially_refunded: ["Partly refunded", "Part of what you paid is on its way back to you."],
  refunded: ["Refunded", "All that you paid is on its way back to you."],
  disputed: ["Disputed", "The payment is disputed. We wait for the bank's decision."],
  reversed: ["Payment taken back", "The payment was taken back after it had gone through."],
  failed: ["Not paid", "The payment did not go through."],
};

const STEPS = ["pending", "paid", "fulfilled"];
const STEP_NAMES = { pending: "Ordered", paid: "Paid", fulfilled: "On its way" };

const plain = (word) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ");

/** A few words for a status; one that is new to this page is shown as it is. */
export const statusName = (status) => KNOWN[status]?.[0] ?? plain(status);

/** Whether nothing more is expected soon; what rests can still move, only later. */
export const isResting = (status) => !["pending", "paid"].includes(status);

export const statusText = (status) => KNOWN[status]?.[1] ?? "";

/** The steps of an order as {name, state}: done, current, to come or failed. */
export function stepsOf(status) {
  if (status === "failed") {
    return [{ name: "Ordered", state: "done" }, { name: "Not paid", state: "failed" }];
  }
  const reached = STEPS.indexOf(status);
  if (reached < 0) return [];
  return STEPS.map((step, index) => {
    if (index <= reached) return { name: STEP_NAMES[step], state: "done" };
    return { name: STEP_NAMES[step], state: index === reached + 1 ? "current" : "to come" };
  });
}

export { plain };
