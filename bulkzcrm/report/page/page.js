// The table of rows: filtered, searched and turned over page by page. Texts become text, never markup.
"use strict";
(() => {
  const AT_ONCE = 100;
  const PRINTED = 500;
  const [NUMBER, STATUS, CODE, FIELD, CELL, MESSAGE, FIX, RECORD, BATCH, ATTEMPTS, CAUSE, MARKED, CELLS] = Array(13).keys();
  const find = (id) => document.getElementById(id);
  const settings = JSON.parse(find("settings").textContent);
  const rows = [];
  for (const slab of document.querySelectorAll("script.slab")) {
    for (const row of JSON.parse(slab.textContent)) rows.push(row);
    slab.remove();
  }
  const words = [];
  const chosen = { text: "", code: "", statuses: new Set(), cause: null };
  let shown = rows;
  let first = 0;

  const number = (count) => count.toLocaleString("en");
  const said = (count) => `${number(count)} ${count === 1 ? "row" : "rows"}`;

  function made(name, className, text) {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function icon(status) {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("class", `icon ${status}`);
    drawing.setAttribute("viewBox", "0 0 16 16");
    drawing.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#is-${status}`);
    drawing.append(use);
    return drawing;
  }

  function drawHead() {
    const heads = [["number", "Row"], ["status", "Status"], ["wrong", "What is wrong, and what to do"]];
    const head = document.querySelector("#table thead tr");
    for (const [className, text] of heads) head.append(made("th", className, text));
    settings.columns.forEach((name, place) => {
      const cell = made("th", "");
      cell.append(made("span", "letter", settings.letters[place]), name);
      head.append(cell);
    });
    for (const text of ["Record id", "Batch", "Attempts"]) head.append(made("th", "", text));
    for (const cell of head.children) cell.scope = "col";
  }

  function told(row) {
    const wrong = made("td", "wrong");
    if (row[MESSAGE]) wrong.append(made("p", "message", row[MESSAGE]));
    if (row[FIX]) wrong.append(made("p", "fix", row[FIX]));
    if (row[MESSAGE] || row[CODE] !== "SUCCESS") {
      const about = [row[CODE], row[FIELD], row[CELL]].filter(Boolean).join(" · ");
      if (about) wrong.append(made("p", "about", about));
    }
    for (const part of wrong.children) part.dir = "auto";
    return wrong;
  }

  function cellOf(text, column, className) {
    const cell = made("td", className);
    cell.dataset.column = column;
    const inner = made("div", "", text);
    inner.dir = "auto";
    cell.append(inner);
    return cell;
  }

  function drawn(row) {
    const line = made("tr", "");
    const heading = made("th", "number", String(row[NUMBER]));
    heading.scope = "row";
    const status = made("td", `status ${row[STATUS]}`);
    status.append(icon(row[STATUS]), row[STATUS]);
    line.append(heading, status, told(row));
    row[CELLS].forEach((text, place) => {
      const marked = row[MARKED].includes(place);
      const cell = cellOf(text, settings.columns[place], `cell${marked ? " marked" : ""}${place ? "" : " first"}`);
      if (marked) cell.title = "to be mended";
      line.append(cell);
    });
    line.append(cellOf(row[RECORD], "Record id", "cell"));
    line.append(cellOf(row[BATCH] === null ? "" : String(row[BATCH]), "Batch", "cell"));
    line.append(cellOf(String(row[ATTEMPTS]), "Attempts", "cell"));
    return line;
  }

  function show(some) {
    document.querySelector("#table tbody").replaceChildren(...some.map(drawn));
  }

  function draw() {
    const last = Math.min(first + AT_ONCE, shown.length);
    show(shown.slice(first, last));
    find("found").textContent = shown.length === rows.length ? said(rows.length) : `${said(shown.length)} of ${number(rows.length)}`;
    find("page").textContent = shown.length ? `${number(first + 1)} to ${number(last)} of ${number(shown.length)}` : "No row is like that.";
    find("before").disabled = first === 0;
    find("after").disabled = last >= shown.length;
  }

  // On paper nobody can turn over pages or search: what went wrong counts, unless somebody has chosen other rows.
  function drawForPaper() {
    const wrong = shown.length === rows.length ? rows.filter((row) => row[CAUSE] !== null) : shown;
    const some = (wrong.length ? wrong : shown).slice(0, PRINTED);
    const all = wrong.length ? wrong.length : shown.length;
    const which = wrong.length && shown.length === rows.length ? " that did not succeed" : "";
    show(some);
    find("found").textContent = some.length < all ? `The first ${number(some.length)} of ${said(all)}${which}.` : `${said(all)}${which}.`;
  }

  function wordsOf(place) {
    const row = rows[place];
    words[place] ??= [row[NUMBER], row[CODE], row[FIELD], row[CELL], row[MESSAGE], row[FIX], row[RECORD], ...row[CELLS]].join("\n").toLowerCase();
    return words[place];
  }

  function filter() {
    const text = chosen.text.toLowerCase();
    shown = rows.filter((row, place) =>
      (chosen.statuses.size === 0 || chosen.statuses.has(row[STATUS])) &&
      (!chosen.code || row[CODE] === chosen.code) &&
      (chosen.cause === null || row[CAUSE] === chosen.cause) &&
      (!text || wordsOf(place).includes(text)));
    first = 0;
    find("window").scrollTop = 0;
    draw();
  }

  function onlyCause(place, message) {
    chosen.cause = place;
    const only = find("only-cause");
    only.replaceChildren();
    only.hidden = place === null;
    if (place !== null) {
      const button = made("button", "", "Show others, too");
      button.type = "button";
      button.addEventListener("click", () => { onlyCause(null); filter(); });
      only.append(made("span", "", `Only: ${message}`), button);
    }
  }

  function reset() {
    Object.assign(chosen, { text: "", code: "", statuses: new Set() });
    onlyCause(null);
  }

  function offerCodes() {
    const counts = new Map();
    for (const row of rows) if (row[CODE]) counts.set(row[CODE], (counts.get(row[CODE]) || 0) + 1);
    for (const [code, count] of [...counts].sort((one, other) => other[1] - one[1])) {
      const option = made("option", "", `${code} (${number(count)})`);
      option.value = code;
      find("code").append(option);
    }
  }

  function listen() {
    const filters = find("filters");
    let waiting = 0;
    find("text").addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { chosen.text = event.target.value; filter(); }, 120);
    });
    find("code").addEventListener("change", (event) => { chosen.code = event.target.value; filter(); });
    filters.addEventListener("change", (event) => {
      if (event.target.name !== "status") return;
      chosen.statuses = new Set([...filters.querySelectorAll("[name=status]:checked")].map((box) => box.value));
      filter();
    });
    find("wrong").hidden = !rows.some((row) => row[CAUSE] !== null) || rows.every((row) => row[CAUSE] !== null);
    find("wrong").addEventListener("click", () => {
      const bad = new Set(rows.filter((row) => row[CAUSE] !== null).map((row) => row[STATUS]));
      for (const box of filters.querySelectorAll("[name=status]")) box.checked = bad.has(box.value);
      chosen.statuses = bad;
      filter();
    });
    filters.addEventListener("submit", (event) => event.preventDefault());
    filters.addEventListener("reset", () => { reset(); setTimeout(filter); });
    find("all-columns").addEventListener("change", (event) => find("table").classList.toggle("all-columns", event.target.checked));
    for (const [id, step] of [["before", -AT_ONCE], ["after", AT_ONCE]]) {
      find(id).addEventListener("click", () => {
        first = Math.max(0, first + step);
        find("window").scrollTop = 0;
        draw();
        if (find(id).disabled) find("window").focus();
      });
    }
    addEventListener("beforeprint", drawForPaper);
    addEventListener("afterprint", draw);
  }

  function listenToCauses() {
    for (const button of document.querySelectorAll("button.show")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        find("filters").reset();
        reset();
        onlyCause(Number(button.dataset.cause), button.closest("li").querySelector("h3").textContent);
        // The form's own reset filters a moment later, and by then the cause is chosen.
        setTimeout(() => { filter(); find("rows").scrollIntoView(); find("rows").focus({ preventScroll: true }); });
      });
    }
    const all = find("all-causes");
    if (!all) return;
    const list = document.querySelector(".causes");
    list.classList.add("folded");
    all.hidden = false;
    all.addEventListener("click", () => { list.classList.remove("folded"); all.hidden = true; });
  }

  function offerCopies() {
    for (const button of document.querySelectorAll("button.copy")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(button.parentElement.querySelector("code"));
        }
      });
    }
  }

  function showLocalTimes() {
    const form = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
    for (const time of document.querySelectorAll("time[data-ms]")) {
      const moment = new Date(Number(time.dataset.ms));
      time.dateTime = moment.toISOString();
      time.title = time.textContent;
      time.textContent = form.format(moment);
    }
  }

  showLocalTimes();
  offerCopies();
  drawHead();
  offerCodes();
  find("explorer").hidden = false;
  find("scriptless").hidden = true;
  listen();
  listenToCauses();
  filter();
})();
