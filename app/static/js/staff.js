// The back office works without this file; with it, questions come in a dialog, Esc closes, the menu opens in place.
(function () {
  "use strict";

  // A page that answers a POST stands in the history as one that can be opened again: Back sends nothing twice.
  var wayBack = document.body.dataset.wayBack;
  if (wayBack) history.replaceState(null, "", wayBack);

  // Errors first: the summary takes the focus, so that it is read aloud.
  var summary = document.querySelector("[data-focus]");
  if (summary) summary.focus();

  // The menu of a narrow window.
  var way = document.querySelector("[data-menu]");
  var side = document.getElementById("menu");
  if (way && side) {
    way.setAttribute("role", "button");
    way.setAttribute("aria-controls", "menu");
    var show = function (open) {
      side.classList.toggle("open", open);
      way.setAttribute("aria-expanded", String(open));
    };
    show(false);
    way.addEventListener("click", function (event) {
      event.preventDefault();
      show(!side.classList.contains("open"));
    });
    way.addEventListener("keydown", function (event) {
      if (event.key === " ") { event.preventDefault(); way.click(); }
    });
    side.addEventListener("click", function (event) {
      if (event.target.closest(".menu-shut")) { event.preventDefault(); show(false); way.focus(); }
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && side.classList.contains("open")) { show(false); way.focus(); }
    });
  }

  // Little boxes that open from a word: Esc or a click elsewhere shuts them.
  document.querySelectorAll("details.me").forEach(function (box) {
    document.addEventListener("click", function (event) {
      if (box.open && !box.contains(event.target)) box.open = false;
    });
    box.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && box.open) { box.open = false; box.querySelector("summary").focus(); }
    });
  });

  // Tick all rows of the page.
  var all = document.querySelector("[data-tick-all]");
  if (all) {
    all.hidden = false;
    all.addEventListener("change", function () {
      document.querySelectorAll("td.pick input[type=checkbox]").forEach(function (box) { box.checked = all.checked; });
    });
  }

  // The question before an act: the page's own form, shown here. If anything fails, the page itself opens.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-ask]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || !window.HTMLDialogElement) return;
    event.preventDefault();
    fetch(link.href, { credentials: "same-origin", headers: { Accept: "text/html" } })
      .then(function (response) {
        if (!response.ok || response.redirected) throw new Error("no question");
        return response.text();
      })
      .then(function (text) { ask(new DOMParser().parseFromString(text, "text/html"), link); })
      .catch(function () { window.location.assign(link.href); });
  });

  function ask(page, link) {
    var question = page.querySelector("form[data-question]");
    var heading = page.querySelector("h1");
    if (!question || !heading) throw new Error("no question");
    var dialog = document.createElement("dialog");
    var title = document.createElement("h2");
    title.id = "question-title";
    title.textContent = heading.textContent;
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.append(title, document.adoptNode(question));
    document.body.append(dialog);
    dialog.addEventListener("close", function () { dialog.remove(); link.focus(); });
    dialog.addEventListener("click", function (event) {
      if (event.target.closest("[data-shut]")) { event.preventDefault(); dialog.close(); }
    });
    dialog.showModal();
    var safe = dialog.querySelector("[data-shut]");
    if (safe) safe.focus();
  }

  // One press is one request.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || form.classList.contains("export")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });
})();
