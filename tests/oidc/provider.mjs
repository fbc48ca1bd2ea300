// The certified provider as a peer of the tests: `node provider.mjs PLAN`, one provider for each port of the plan.
// The plan is a file in JSON that a test may change meanwhile: its accounts are read again for every question.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const plan = () => JSON.parse(readFileSync(process.argv[2], "utf8"));

function key() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" };
}

function configuration(port) {
  const client = plan().clients[port];
  return {
    clients: [{ grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], ...client }],
    jwks: { keys: [key()] },
    cookies: { keys: ["of the tests"] },
    scopes: ["openid", "email", "offline_access"],
    claims: { openid: ["sub", "amr"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 3600 },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => { ctx.body = `<!doctype html>${form}<button form="op.logoutForm" name="logout" value="yes">Out</button>`; },
        postLogoutSuccessSource: (ctx) => { ctx.body = "out"; },
      },
    },
    findAccount: (_ctx, id) => {
      const account = plan().accounts[id];
      if (!account || account.disabled) return undefined;
      return { accountId: id, claims: () => ({ sub: id, ...account }) };
    },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
      grant.addOIDCScope("openid email offline_access");
      await grant.save();
      return grant;
    },
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options), // this machine is no public address
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  };
}

async function interact(provider, request, response) {
  if (request.method === "GET") {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>Provider</title><form method="post"><label>Name <input name="login"></label><button>Sign in</button></form>`);
    return;
  }
  let body = "";
  for await (const piece of request) body += piece;
  const login = new URLSearchParams(body).get("login");
  const { amr, acr } = plan().accounts[login] ?? {};
  await provider.interactionFinished(request, response, { login: { accountId: login, amr, acr } });
}

for (const port of Object.keys(plan().clients)) {
  const provider = new Provider(`http://127.0.0.1:${port}`, configuration(port));
  const answer = provider.callback();
  createServer((request, response) => {
    if (request.url.startsWith("/interaction/")) {
      interact(provider, request, response).catch(() => { response.statusCode = 400; response.end(); });
    } else answer(request, response);
  }).listen(Number(port), "127.0.0.1");
}
