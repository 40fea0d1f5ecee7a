// The countdown of a held place. Without this script the page says until when it is kept.
(function () {
  "use strict";
  const line = document.querySelector(".countdown[data-until]");
  if (!line) return;
  const text = line.querySelector(".countdown-text");
  // The server's clock counts: the difference to this device's is taken once.
  const skew = Date.parse(line.dataset.now) - Date.now();
  const until = Date.parse(line.dataset.until);
  let spoken = null;
  function tick() {
    const left = Math.max(0, Math.round((until - Date.now() - skew) / 1000));
    if (left === 0) {
      line.setAttribute("role", "alert");
      text.textContent = line.dataset.over;
      return;
    }
    const minutes = Math.floor(left / 60);
    if (minutes >= 60) { // the page says until when: seconds would only worry
      window.setTimeout(tick, 30000);
      return;
    }
    const seconds = String(left % 60).padStart(2, "0");
    // A screen reader hears it once a minute, not every second.
    line.setAttribute("aria-live", minutes === spoken ? "off" : "polite");
    spoken = minutes;
    text.textContent = line.dataset.left.replace("{time}", minutes + ":" + seconds);
    window.setTimeout(tick, 1000);
  }
  tick();
})();

// The end of a sign-in on a screen in a hall. Without this script the page itself goes on when it is time.
(function () {
  "use strict";
  const box = document.querySelector(".kiosk-end[data-seconds]");
  const form = document.getElementById("leave");
  if (!box || !form) return;
  const text = box.querySelector(".kiosk-text");
  const forms = box.dataset.forms.split("|").map(function (each) { return each.replace(/[0-9]+/, "{n}"); });
  const until = Date.now() + Number(box.dataset.seconds) * 1000;
  function words(n) {
    if (document.documentElement.lang !== "ru") return forms[n === 1 ? 0 : 1];
    if (n % 10 === 1 && n % 100 !== 11) return forms[0];
    if (n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20)) return forms[1];
    return forms[2];
  }
  function tick() {
    const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    text.textContent = box.dataset.left.replace("{seconds}", words(left).replace("{n}", left));
    if (left === 0) {
      form.submit();
      return;
    }
    window.setTimeout(tick, 250);
  }
  tick();
})();
