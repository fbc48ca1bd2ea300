// Passes a concern on straight from the device. Make the key once for each report and keep it with the report:
// the same key on every try means that nothing is lost and nothing is doubled.
// Needs nothing that phones of 2020 lack.

const PATIENCE = 20_000; // milliseconds for one try

export function newReport(body) {
  return { key: newKey(), body };
}

// One try. `sent`: forget the report, show the receipt. `mend`: show it to the carrier again. `later`: keep it, try
// again after `seconds`, for seven days at most. Never log what goes in or comes out.
export async function sendReport(service, report, language = "nl") {
  let response;
  let text;
  try {
    [response, text] = await ask(new URL("/api/v1/signals", service).href, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": report.key, "Accept-Language": language },
      body: JSON.stringify(report.body),
      redirect: "error",
    });
  } catch {
    return { outcome: "later", seconds: 30 };
  }
  const content = parsed(text);
  const type = (response.headers.get("Content-Type") || "").split(";")[0];
  // A sign-in page of somebody's Wi-Fi answers 200, a proxy 403: neither of them is our answer.
  const isOurs = response.headers.has("API-Version") && type === "application/json";
  if (response.status === 201 && isOurs && content.receipt) {
    return { outcome: "sent", receipt: content.receipt, organisation: (content.organisation || {}).name };
  }
  if ([400, 409, 413, 415].includes(response.status) && type === "application/problem+json" && content.title) {
    return { outcome: "mend", title: content.title, errors: content.errors || [] };
  }
  const seconds = Number(response.headers.get("Retry-After"));
  return { outcome: "later", seconds: seconds > 0 ? seconds : 30 };
}

// The answer with its text. By a timer of our own: phones of some years ago have no AbortSignal.timeout.
async function ask(url, options) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), PATIENCE);
  try {
    const response = await fetch(url, { ...options, signal: control.signal });
    return [response, await response.text()];
  } finally {
    clearTimeout(timer);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text) || {};
  } catch {
    return {};
  }
}

// A UUID (RFC 9562, version 4). By hand where there is no crypto.randomUUID, never by Math.random: two phones
// with the same key would lose a report.
function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
