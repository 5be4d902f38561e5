// Talks to the shop's own API. An error is the sentence that the API gives as its `detail`.

export class ShopProblem extends Error {
  /** `code` is the API's, `definite` whether the request surely had no effect. */
  constructor(detail, code, definite) {
    super(detail);
    this.code = code;
    this.definite = definite;
  }
}

const PATIENCE_MS = 10000;

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      ...options,
      headers: { accept: "application/json", ...options.headers },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new ShopProblem("The shop does not answer at the moment.", "no_answer", false);
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const detail = body.detail ?? `The shop answered ${answer.status}.`;
  throw new ShopProblem(detail, body.code ?? "unknown", body.definite === true);
}

/** Every product, by its sku, in the shop's order. */
export async function readProducts() {
  const { data } = await call("/products");
  return new Map(data.map((product) => [product.sku, product]));
}

/** One order. */
export const readOrder = (id) => call(`/orders/${encodeURIComponent(id)}`);

/** Place an order; the shop knows its prices, so they are not sent. */
export function placeOrder(items, email, currency) {
  return call("/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ items, email, currency }),
  });
}
