"use strict";

// Sending from the documentation is switched off: a trial would be a real report.
const place = document.getElementById("api");
window.SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  deepLinking: false,
  supportedSubmitMethods: [],
  validatorUrl: null,
});
