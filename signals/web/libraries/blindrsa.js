/* The library with which a phone blinds its tokens: blind RSA (RFC 9474). */
export { BlindRSA, PrepareType } from "@cloudflare/blindrsa-ts/lib/src/blindrsa.js";
