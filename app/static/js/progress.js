// Looks in every two seconds while something is being made. Without this file the link on the page does it.
(function () {
  "use strict";

  var box = document.querySelector("[data-progress]");
  if (!box || !window.fetch) return;

  function again(seconds) { window.setTimeout(look, seconds * 1000); }

  function show(text) {
    var page = new DOMParser().parseFromString(text, "text/html");
    var fresh = page.querySelector("[data-progress]");
    if (!fresh) {
      window.location.reload();
      return;
    }
    box.querySelector("progress").value = fresh.querySelector("progress").value;
    box.querySelector("[data-words]").replaceChildren.apply(
      box.querySelector("[data-words]"), Array.from(fresh.querySelector("[data-words]").childNodes)
    );
    again(2);
  }

  function look() {
    window.fetch(window.location.href, { credentials: "same-origin" })
      .then(function (answer) { return answer.text(); })
      .then(show, function () { again(5); });
  }

  again(2);
})();
