// Passes a concern on straight from the device. Make the key once for each report and keep it with the report:
// the same key on every try means that nothing is lost and nothing is doubled.

export function newReport(body) {
  return { key: crypto.randomUUID(), body };
}

// One try. `sent`: forget the report, show the receipt. `mend`: show it to the carrier again. `later`: keep it, try
// again after `seconds`, for seven days at most. Never log what goes in or comes out.
export async function sendReport(service, report, language = "nl") {
  let response;
  let content = {};
  try {
    response = await fetch(new URL("/api/v1/signals", service), {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": report.key, "Accept-Language": language },
      body: JSON.stringify(report.body),
      redirect: "error",
      signal: AbortSignal.timeout(20_000),
    });
    content = await response.json();
  } catch {
    if (!response) return { outcome: "later", seconds: 30 };
  }
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0];
  // A sign-in page of somebody's Wi-Fi answers 200, a proxy 403: neither of them is our answer.
  if (response.status === 201 && type === "application/json" && content.receipt && response.headers.has("API-Version")) {
    return { outcome: "sent", receipt: content.receipt, organisation: content.organisation.name };
  }
  if ([400, 409, 413, 415].includes(response.status) && type === "application/problem+json" && content.title) {
    return { outcome: "mend", title: content.title, errors: content.errors ?? [] };
  }
  const seconds = Number(response.headers.get("Retry-After"));
  return { outcome: "later", seconds: seconds > 0 ? seconds : 30 };
}
