// Opens the form for one stop. Everything after `#` stays on the phone: it reaches no server and no log.
// Hand the address to the system browser (Android: Intent.ACTION_VIEW, iOS: UIApplication.open), never to a web view.

export function formAddress(service, stop, language = "") {
  const given = { pc: stop.postcode, hn: String(stop.houseNumber), ad: stop.addition ?? "" };
  const fragment = new URLSearchParams(Object.entries(given).filter(([, value]) => value));
  const page = new URL("/m", service);
  if (language) page.searchParams.set("lang", language);
  page.hash = fragment.toString();
  return page.href;
}
