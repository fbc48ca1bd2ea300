"use strict";

// The viewer has a dark theme of its own, behind a class.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// The viewer brings a <main> of its own, so ours makes room: a page has one.
const place = document.getElementById("api");
place.closest("main").replaceWith(place);

// Sending from the documentation is switched off: a trial would be a real report.
window.SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  deepLinking: false,
  supportedSubmitMethods: [],
  validatorUrl: null,
  onComplete: mendStructure,
});

// The viewer's headings go from the first level to the third, and its title stands outside every landmark.
function mendStructure() {
  const title = place.querySelector(".information-container");
  title?.setAttribute("role", "region");
  title?.setAttribute("aria-label", document.title);
  place.querySelectorAll("h3, h4").forEach((heading) => heading.setAttribute("aria-level", "2"));
}
