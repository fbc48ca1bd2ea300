/* The library with which a phone blinds its tokens: blind RSA (RFC 9474). */
export { RSABSSA } from "@cloudflare/blindrsa-ts";
