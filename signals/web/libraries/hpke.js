/* The libraries with which a phone seals: HPKE (RFC 9180), with X25519 of the browser or in script, and Ed25519. */
export { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256 as BrowserKem, HkdfSha256 } from "@hpke/core";
export { DhkemX25519HkdfSha256 as ScriptKem } from "@hpke/dhkem-x25519";
export { verifyAsync } from "@noble/ed25519";
