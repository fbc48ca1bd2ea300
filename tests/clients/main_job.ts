// The main job by a client that openapi-ts makes: report, sign in, find, claim, try, conclude, and hand over.
import * as api from "./made";
import { client } from "./made/client.gen";

declare const process: { env: Record<string, string> };

async function main(): Promise<void> {
  const { SITE, EMAIL, PASSWORD, TOTP } = process.env;
  client.setConfig({ baseUrl: `${SITE}/api/v1` });
  const { data: form } = await api.publicForm({ throwOnError: true });
  const concern: api.ConcernType = "frail";
  if (!form.concern_types.some(({ code }) => code === concern)) throw new Error("no such concern");

  const { data: sent } = await api.publicReceive({
    throwOnError: true,
    headers: { "Idempotency-Key": crypto.randomUUID() },
    body: { postcode: "1012AB", house_number: 14, concern_types: [concern], seen: "once" },
  });
  const { data: progress } = await api.publicReceiptStatus({ throwOnError: true, body: { receipt: sent.receipt } });

  const { data: session } = await api.staffOpenSession({
    throwOnError: true,
    body: { email: EMAIL!, password: PASSWORD!, totp: TOTP! },
  });
  client.setConfig({ auth: session.token });
  const found = await arrived();
  const path = { signal_id: found.id };
  const { data: claimed } = await api.staffClaim({
    throwOnError: true, path, headers: { "If-Match": `"${found.version}"` },
  });
  const open: api.Outcome | null = claimed.outcome;
  await api.staffRecordAttempt({
    throwOnError: true, path, body: { kind: "visit", result: "contact", attempted_at: new Date().toISOString() },
  });
  const { data: concluded } = await api.staffConclude({
    throwOnError: true, path, body: { outcome: "help_accepted", newly_known: true, notified_by: "in_person" },
  });
  const { data: paper } = await api.handoverAsPdf({ throwOnError: true, path });
  const { error: refused } = await api.staffClaim({ path });
  console.log(JSON.stringify({
    progress: progress.state,
    role: session.role,
    open,
    state: concluded.state,
    outcome: concluded.outcome,
    paper: (await (paper as Blob).text()).slice(0, 5),
    refused: refused?.type,
  }));
}

async function arrived(): Promise<api.QueueItem> {
  for (;;) {
    const { data: queue } = await api.staffQueue({ throwOnError: true, query: { state: "new", limit: 1 } });
    if (queue.items[0]) return queue.items[0];
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

void main();
