// The queue works without this file; with it, one key decides: A, R, J/↓, K/↑, U, ?.
(function () {
  "use strict";

  var KEYS = { KeyA: "a", KeyR: "r", KeyJ: "j", KeyK: "k", KeyU: "u", ArrowDown: "j", ArrowUp: "k" };
  var dialog = document.getElementById("keys");
  var help = document.querySelector("[data-help]");
  var heading = document.getElementById("opened");
  var reject = document.getElementById("reject");
  var asked = new URLSearchParams(window.location.search).has("open");

  document.documentElement.classList.add("keys");

  // The list shows where one is; what is read aloud begins with the open request.
  var here = document.querySelector("tr.here");
  if (here) here.scrollIntoView({ block: "nearest" });
  if (heading && asked && document.activeElement === document.body) heading.focus({ preventScroll: true });

  if (dialog && help && dialog.showModal) {
    help.hidden = false;
    help.addEventListener("click", function () { dialog.showModal(); });
  }

  function typing(target) {
    if (target.isContentEditable || /^(SELECT|TEXTAREA)$/.test(target.tagName)) return true;
    return target.tagName === "INPUT" && !/^(checkbox|button|submit)$/.test(target.type);
  }

  // In the Russian layout the key of A gives «ф»: then the place on the keyboard counts.
  function meant(event) {
    if (event.key === "?") return "?";
    if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
    return KEYS[event.code] || "";
  }

  // Two quick taps on A must not decide the next request unseen.
  function tooQuick() {
    try {
      var now = Date.now(), last = Number(sessionStorage.getItem("queue-approved"));
      sessionStorage.setItem("queue-approved", String(now));
      return now - last < 300;
    } catch (error) {
      return false; // no storage in this browser
    }
  }

  function press(key) {
    if (key === "a" && tooQuick()) return true;
    var target = document.querySelector('[data-key="' + key + '"]');
    if (!target) return false;
    if (/^(INPUT|SELECT)$/.test(target.tagName)) target.focus();
    else target.click();
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (dialog && dialog.open) return;
    var inForm = event.target.closest && event.target.closest(".decide");
    if (typing(event.target)) {
      if (event.key === "Escape" && inForm) leave(event);
      if (event.key === "Enter" && !event.shiftKey && reject && reject.contains(event.target)) {
        event.preventDefault();
        if (!event.repeat) reject.requestSubmit();
      }
      return;
    }
    var key = meant(event);
    if (!key || event.repeat) return;
    if (key === "?") { if (help && !help.hidden) { event.preventDefault(); help.click(); } return; }
    if ("arjku".indexOf(key) >= 0 && press(key)) event.preventDefault();
  });

  function leave(event) {
    event.preventDefault();
    event.target.blur();
    if (heading) heading.focus({ preventScroll: true });
  }

  // Ticking.
  var all = document.querySelector("[data-tick-page]");
  if (all) {
    all.hidden = false;
    all.addEventListener("change", function () {
      document.querySelectorAll("td.pick input[name=pick]").forEach(function (box) { box.checked = all.checked; });
    });
  }

  // The seconds that a decision can still be undone. Nobody is read a countdown aloud.
  var left = document.querySelector("[data-seconds]");
  if (left) {
    var until = Date.now() + Number(left.dataset.seconds) * 1000;
    left.setAttribute("aria-live", "off");
    var timer = window.setInterval(function () {
      var seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      left.textContent = seconds ? left.dataset.words.replace("#", seconds) : left.dataset.over;
      if (!seconds) {
        window.clearInterval(timer);
        var button = left.parentNode.querySelector("button");
        button.disabled = true;
        button.removeAttribute("data-key");
      }
    }, 500);
  }
})();
