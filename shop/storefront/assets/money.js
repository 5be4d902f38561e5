// Amounts are whole minor units; decimals appear only in what people read.

/** 1250, "EUR", 2 → €12.50; 1980, "JPY", 0 → ¥1,980; 4250, "KWD", 3 → KWD 4.250. */
export function amountText(amountMinor, currency, decimals = decimalsOf(currency)) {
  const form = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return form.format(amountMinor / 10 ** decimals);
}

/** "EUR" → euros. */
export function currencyName(currency) {
  const form = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "name" });
  return form.formatToParts(2).find((part) => part.type === "currency").value;
}

function decimalsOf(currency) {
  const form = new Intl.NumberFormat("en", { style: "currency", currency });
  return form.resolvedOptions().maximumFractionDigits;
}
