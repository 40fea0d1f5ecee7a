// The map of institutions. It says nothing that the page does not say in words: without this script,
// or if Leaflet does not come, there is no map and nothing is missing. Marks are made from elements
// with data-at="latitude,longitude"; their cards are copies of what stands on the page.
(function () {
  "use strict";
  const part = document.querySelector(".map-part");
  if (!part) return;
  const box = part.querySelector(".map");
  const words = box.dataset;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const places = Array.from(document.querySelectorAll("[data-at]"));
  const marks = new Map();
  let waiting = null;
  let started = null;

  const link = document.querySelector(".to-map");

  part.hidden = false;
  if (link) link.hidden = false;
  part.parentElement.classList.add("has-map");
  for (const place of places) {
    const button = place.querySelector("[data-show]");
    if (!button) continue;
    button.hidden = false;
    button.addEventListener("click", function () {
      part.scrollIntoView({ block: "center" });
      start(function () {
        show([place], true);
      });
    });
  }
  // Leaflet is fetched when the map is about to be seen: a phone that stays on the list saves it.
  if (window.IntersectionObserver) {
    const eye = new IntersectionObserver(
      function (seen) {
        if (!seen.some((each) => each.isIntersecting)) return;
        eye.disconnect();
        start(function () {});
      },
      { rootMargin: "200px" }
    );
    eye.observe(box);
  } else {
    start(function () {});
  }

  function start(then) {
    if (started) return then();
    if (waiting) return void waiting.push(then);
    waiting = [then];
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = words.style;
    const script = document.createElement("script");
    script.src = words.script;
    let missing = 2;
    for (const each of [style, script]) {
      each.addEventListener("load", function () {
        missing -= 1;
        if (missing) return;
        started = draw(window.L);
        for (const each of waiting) each();
      });
      each.addEventListener("error", function () {
        part.hidden = true;
        part.parentElement.classList.remove("has-map");
        for (const each of document.querySelectorAll("[data-show], .to-map")) each.hidden = true;
      });
      document.head.prepend(each); // our own colours come after Leaflet's
    }
  }

  function at(text) {
    return text.split(",").map(Number);
  }

  function draw(L) {
    const map = L.map(box, {
      attributionControl: false, // it stands below the map, in the page's own words
      zoomControl: false,
      scrollWheelZoom: false, // the wheel and one finger scroll the page
      dragging: !L.Browser.mobile,
      zoomAnimation: !calm,
      fadeAnimation: !calm,
      markerZoomAnimation: !calm,
      inertia: !calm,
      maxZoom: 18,
    });
    L.control.zoom({ zoomInTitle: words.in, zoomOutTitle: words.out, position: "bottomright" }).addTo(map);
    const scale = L.control.scale({ imperial: false });
    const update = scale._updateScale;
    scale._updateScale = function (line, text, ratio) {
      const [number, unit] = text.split(" ");
      update.call(scale, line, number + " " + (unit === "km" ? words.kilometres : words.metres), ratio);
    };
    if (words.tiles) L.tileLayer(words.tiles, { maxZoom: 18 }).addTo(map);
    const points = places.map((place) => at(place.dataset.at));
    if (words.address) points.push(at(words.address));
    if (points.length > 1) {
      // room for the marks themselves and for the buttons in the corner
      map.fitBounds(points, { paddingTopLeft: [30, 30], paddingBottomRight: [70, 40], maxZoom: 16 });
    } else map.setView(points[0], 15);
    scale.addTo(map); // needs to know where the map looks
    if (words.address) {
      const pin = L.marker(at(words.address), {
        icon: L.divIcon({ className: "mark-address", iconSize: [28, 40], iconAnchor: [14, 40] }),
        interactive: false,
        keyboard: false,
        zIndexOffset: -1000, // its head looks out above a mark at the same place
      }).addTo(map);
      pin.getElement().setAttribute("role", "img");
      pin.getElement().setAttribute("aria-label", words.addressWords);
    }
    const layer = L.layerGroup().addTo(map);
    stand(L, map, layer);
    map.on("zoomend", function () {
      const focused = Array.from(marks).find((each) => each[1].getElement() === document.activeElement);
      stand(L, map, layer);
      if (focused) marks.get(focused[0]).getElement().focus();
    });
    box.addEventListener("keydown", function (event) {
      if (event.key === "Escape") map.closePopup();
    });
    return { L: L, map: map };
  }

  // Marks that would hide one another share one: «1–4».
  function stand(L, map, layer) {
    const groups = [];
    layer.clearLayers();
    marks.clear();
    for (const place of places) {
      const point = map.latLngToLayerPoint(at(place.dataset.at));
      const near = groups.find((each) => each.point.distanceTo(point) < 38);
      if (near) near.here.push(place);
      else groups.push({ point: point, here: [place] });
    }
    for (const group of groups) add(L, map, layer, group.here);
  }

  function add(L, map, layer, here) {
    const text = numbers(here);
    const icon = L.divIcon({ className: "mark", iconSize: text.length > 2 ? [60, 36] : [36, 36], html: "" });
    const mark = L.marker(at(here[0].dataset.at), { icon: icon, riseOnHover: true }).addTo(layer);
    const shown = mark.getElement();
    shown.textContent = text;
    shown.setAttribute("aria-label", here.map(name).join("; "));
    mark.on("click", () => press(here, false));
    shown.addEventListener("keydown", function (event) {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      press(here, true);
    });
    for (const place of here) marks.set(place, mark);
  }

  function numbers(here) {
    const all = here.map((place) => place.dataset.number || "").filter(Boolean);
    if (all.length < 3) return all.join(", ");
    const last = all[all.length - 1];
    return Number(last) - Number(all[0]) === all.length - 1 ? all[0] + "–" + last : all[0] + "…" + last;
  }

  function name(place) {
    const head = place.querySelector("h2 a, strong");
    return [place.dataset.number, head.textContent.trim()].filter(Boolean).join(". ");
  }

  // A shared mark is looked at from nearer; where that parts nothing, it shows all its cards.
  function press(here, byKeys) {
    const map = started.map;
    const points = here.map((place) => place.dataset.at);
    const apart = points.some((point) => point !== points[0]);
    if (apart && map.getZoom() < map.getMaxZoom()) {
      map.closePopup();
      map.fitBounds(points.map(at), { padding: [70, 70] });
    } else {
      show(here, byKeys);
    }
  }

  function show(here, byKeys) {
    const content = document.createElement("div");
    for (const place of here) content.append(copy(place));
    const popup = started.L.popup({
      offset: [0, -14],
      maxWidth: 260,
      minWidth: 180,
      maxHeight: Math.max(160, box.clientHeight - 160),
      autoPanPadding: [10, 10],
    });
    popup.setLatLng(at(here[0].dataset.at)).setContent(content).openOn(started.map);
    const card = popup.getElement();
    card.setAttribute("role", "dialog");
    card.setAttribute("aria-label", here.map(name).join("; "));
    card.tabIndex = -1;
    const close = card.querySelector(".leaflet-popup-close-button");
    close.setAttribute("aria-label", words.close);
    close.title = words.close;
    let within = false; // what has the focus when the card goes is asked too late
    card.addEventListener("focusin", () => (within = true));
    card.addEventListener("focusout", (event) => (within = within && !event.relatedTarget));
    popup.once("remove", function () {
      if (within) marks.get(here[0]).getElement().focus();
    });
    if (byKeys) card.focus();
  }

  function copy(place) {
    const source = place.matches(".place-card") ? place : place.querySelector(".place-card");
    const card = source.cloneNode(true);
    card.removeAttribute("data-at");
    for (const each of card.querySelectorAll(".full-name, [data-show]")) each.remove();
    const head = card.querySelector("h2");
    if (head) {
      const line = document.createElement("p");
      line.className = "place-name";
      line.append(...head.childNodes);
      head.replaceWith(line);
    }
    return card;
  }
})();
