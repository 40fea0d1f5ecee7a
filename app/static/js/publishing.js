// The matrix works without this file; with it, arrow keys walk the cells, rows and columns are copied, sums are shown.
(function () {
  "use strict";

  var form = document.querySelector("[data-matrix]");
  var table = form && form.querySelector("table.matrix");
  if (!table) return;
  var rows = Array.prototype.map.call(table.tBodies[0].rows, function (row) {
    return Array.prototype.slice.call(row.querySelectorAll("input.cell"));
  });

  function at(cell) {
    for (var y = 0; y < rows.length; y += 1) {
      var x = rows[y].indexOf(cell);
      if (x >= 0) return { x: x, y: y };
    }
    return null;
  }

  // Up and down as in a table of numbers; left and right stay with the text.
  table.addEventListener("keydown", function (event) {
    var step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    var place = step && at(event.target);
    if (!place || event.altKey || event.ctrlKey || event.metaKey) return;
    var next = rows[place.y + step];
    if (!next) return;
    event.preventDefault();
    next[place.x].focus();
    next[place.x].select();
  });
  var keys = form.querySelector("[data-keys]");
  if (keys) keys.classList.remove("hidden-words");

  // Copy a row into the one below, a column into the one to its right.
  function button(words, label, act) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "copy";
    made.textContent = words;
    made.setAttribute("aria-label", label);
    made.title = label;
    made.addEventListener("click", function () { act(); sum(); });
    return made;
  }
  rows.forEach(function (row, y) {
    if (y + 1 >= rows.length || !row.length) return;
    var head = row[0].closest("tr").querySelector("th");
    var name = head.textContent.trim();
    var label = name + ": " + form.dataset.rowWords;
    head.append(" ", button("↓", label, function () {
      row.forEach(function (cell, x) { rows[y + 1][x].value = cell.value; });
      rows[y + 1][0].focus();
    }));
  });
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, x) {
    if (x < 1 || x >= table.tHead.rows[0].cells.length - 1) return;
    var name = head.textContent.trim();
    var label = name + ": " + form.dataset.columnWords;
    head.append(" ", button("→", label, function () {
      rows.forEach(function (row) { row[x].value = row[x - 1].value; });
      rows[0][x].focus();
    }));
  });

  // How many places the cells make on one day in one branch.
  var place = form.querySelector("[data-sum]");
  function sum() {
    var total = 0;
    rows.forEach(function (row) {
      row.forEach(function (cell) {
        if (/^[0-9]{1,6}$/.test(cell.value.trim())) total += Number(cell.value.trim());
      });
    });
    place.hidden = total === 0;
    place.querySelector("strong").textContent = String(total);
  }
  table.addEventListener("input", sum);
  sum();
})();
