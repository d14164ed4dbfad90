"use strict";
(() => {
const byId = (id) => document.getElementById(id);
const stage = byId("stage"), view = byId("view"), status = byId("status"), details = byId("details");
const svg = stage.querySelector("svg");
const box = svg.viewBox.baseVal;
const SVG = "http://www.w3.org/2000/svg";
// Below this scale columns cannot be read; the names of tables take their place.
const FAR = 0.42;
const NEAREST = 4;

const tables = [...svg.querySelectorAll(".table")].map((element, index) => {
  const card = element.querySelector(".card");
  const at = element.transform.baseVal.getItem(0).matrix;
  const columns = [...element.querySelectorAll(".column")].map((row, order) => {
    const name = row.dataset.name ?? row.querySelector(".name").textContent;
    const back = document.createElementNS(SVG, "rect");
    const top = Number(row.querySelector(".name").getAttribute("y")) - 14;
    for (const [key, value] of Object.entries({ class: "back", x: 2, y: top + 1, width: card.width.baseVal.value - 4, height: 18, rx: 3 })) {
      back.setAttribute(key, value);
    }
    row.prepend(back);
    return { element: row, name, order, top };
  });
  for (const name of element.dataset.more?.split("\n") ?? []) {
    columns.push({ element: null, name, top: card.height.baseVal.value - 26 });
  }
  const offset = svg.querySelector(".tables").transform.baseVal.getItem(0).matrix;
  const table = { element, index, columns, name: element.dataset.name, x: at.e + offset.e, y: at.f + offset.f,
    width: card.width.baseVal.value, height: card.height.baseVal.value, links: [] };
  return table;
});
const links = [...svg.querySelectorAll(".link")].map((element) => {
  const numbers = (text) => text === "" ? [] : text.split(" ").map(Number);
  const { from, to, columns, keys } = element.dataset;
  const link = { element, from: tables[from], to: tables[to], columns: numbers(columns), keys: numbers(keys) };
  link.text = element.querySelector("title").textContent.split("\n")[0];
  const hit = element.querySelector(".line").cloneNode();
  hit.setAttribute("class", "hit");
  element.append(hit);
  link.from.links.push(link);
  if (link.to !== link.from) link.to.links.push(link);
  return link;
});
const tableOf = (node) => tables[node.closest?.(".table")?.id.slice(1)];
const linkOf = (node) => {
  const element = node.closest?.(".link");
  return element && links.find((link) => link.element === element);
};

// The view: a point p of the picture is shown at p * scale + (x, y), in units of the view box.
let scale = 1, x = 0, y = 0, frame = 0, motion = 0;
const fitted = () => Math.min(stage.clientWidth / box.width, stage.clientHeight / box.height) || 1;
const pixels = () => fitted() * scale;
function show() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    view.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    svg.classList.toggle("far", pixels() < FAR);
    byId("zoom").textContent = `${Math.round(pixels() * 100)}%`;
  });
}
const limited = (wanted) => Math.min(Math.max(wanted, Math.min(0.5, 0.5 / fitted())), Math.max(NEAREST / fitted(), 1));
function zoomAt(clientX, clientY, factor) {
  const at = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
  const next = limited(scale * factor);
  x = at.x - (at.x - x) * next / scale;
  y = at.y - (at.y - y) * next / scale;
  scale = next;
  show();
}
function zoom(factor) {
  cancelAnimationFrame(motion);
  const area = stage.getBoundingClientRect();
  zoomAt(area.left + area.width / 2, area.top + area.height / 2, factor);
}
function moveTo(nextX, nextY, next) {
  cancelAnimationFrame(motion);
  const from = { x, y, scale }, start = performance.now();
  const length = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 260;
  const step = (now) => {
    const part = length ? Math.min((now - start) / length, 1) : 1;
    const eased = 1 - (1 - Math.max(part, 0)) ** 3;
    [x, y, scale] = [from.x + (nextX - from.x) * eased, from.y + (nextY - from.y) * eased, from.scale + (next - from.scale) * eased];
    show();
    if (part < 1) motion = requestAnimationFrame(step);
  };
  motion = requestAnimationFrame(step);
}
function fit(isAnimated) {
  // The space of the legend is shown in print only.
  const top = Math.min(...tables.map((table) => table.y), box.height) - 28;
  const height = box.height - top, full = box.height / height;
  const next = Math.max(Math.min(full, 1 / fitted(), stage.clientWidth / box.width / fitted()), 0.01);
  const to = [box.width / 2 * (1 - next), box.height / 2 - (top + height / 2) * next, next];
  if (isAnimated) moveTo(...to);
  else { [x, y, scale] = to; show(); }
}
function centre(px, py, least) {
  const next = Math.max(scale, limited(least / fitted()));
  moveTo(box.width / 2 - px * next, box.height / 2 - py * next, next);
}
// Moves a table into sight if a part of it is outside.
function reveal(table) {
  const at = table.element.getBoundingClientRect(), area = stage.getBoundingClientRect();
  const isInside = at.left >= area.left && at.right <= area.right && at.top >= area.top && at.bottom <= area.bottom;
  if (!isInside) centre(table.x + table.width / 2, table.y + table.height / 2, 0.1);
}

// Marks a table with its foreign keys and neighbours, or one foreign key.
let chosen = null;
function mark(table, only) {
  svg.querySelectorAll(".on").forEach((element) => element.classList.remove("on"));
  svg.classList.toggle("focus", Boolean(table || only));
  if (!table && !only) return;
  table?.element.classList.add("on");
  for (const link of only ? [only] : table.links) {
    link.element.classList.add("on");
    for (const [end, rows] of [[link.from, link.columns], [link.to, link.keys]]) {
      end.element.classList.add("on");
      for (const row of rows) end.columns[row].element.classList.add("on");
    }
  }
}
function choose(table) {
  if (chosen) {
    chosen.element.classList.remove("chosen");
    chosen.element.setAttribute("aria-pressed", "false");
  }
  chosen = table;
  mark(table);
  details.hidden = !table;
  if (!table) return;
  table.element.classList.add("chosen");
  table.element.setAttribute("aria-pressed", "true");
  describe(table);
}
function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}
function describe(table) {
  const title = make("h2", table.name);
  if (table.element.classList.contains("changed")) title.append(make("b", "changed", "tag"));
  const close = make("button", "×", "close");
  close.setAttribute("aria-label", "End the selection");
  close.addEventListener("click", () => choose(null));
  details.replaceChildren(close, title);
  if (table.element.dataset.comment) details.append(make("p", table.element.dataset.comment));
  const names = (table, rows) => rows.map((row) => table.columns[row].name).join(", ");
  const list = (heading, found, other, text) => {
    if (!found.length) return;
    const items = make("ul");
    for (const link of found) {
      const button = make("button", text(link));
      button.title = link.text;
      button.addEventListener("click", () => go(link[other]));
      const item = make("li");
      item.append(button);
      items.append(item);
    }
    details.append(make("h3", `${heading} (${found.length})`), items);
  };
  list("Refers to", table.links.filter((link) => link.from === table), "to",
    (link) => `${names(table, link.columns)} → ${link.to.name}`);
  list("Referred to by", table.links.filter((link) => link.to === table), "from",
    (link) => `${link.from.name}.${names(link.from, link.columns)}`);
  if (!table.links.length) details.append(make("p", "No foreign keys"));
}
function go(table) {
  choose(table);
  centre(table.x + table.width / 2, table.y + Math.min(table.height / 2, 300), 0.85);
}

// Search.
const search = byId("search"), results = byId("results");
const MOST = 100;
let found = [], at = -1;
function look() {
  const wanted = search.value.trim().toLowerCase();
  svg.querySelectorAll(".found, .here").forEach((element) => element.classList.remove("found", "here"));
  found = [];
  at = -1;
  if (wanted) {
    for (const table of tables) {
      const name = table.name.toLowerCase();
      if (name.includes(wanted)) {
        const bare = name.slice(name.lastIndexOf(".") + 1);
        found.push({ table, rank: name === wanted || bare === wanted ? 0 : bare.startsWith(wanted) ? 1 : 2 });
      }
      for (const column of table.columns) {
        const own = column.name.toLowerCase(), whole = `${name}.${own}`;
        if (own.includes(wanted) || wanted.includes(".") && whole.includes(wanted)) {
          found.push({ table, column, rank: own === wanted || whole === wanted ? 3 : 4 });
        }
      }
    }
    found.sort((a, b) => a.rank - b.rank);
    for (const { table, column } of found) {
      (column ? column.element : table.element)?.classList.add("found");
    }
  }
  list(wanted);
}
function marked(text, wanted) {
  const start = text.toLowerCase().indexOf(wanted);
  const part = make("b");
  part.style.fontWeight = "inherit";
  if (start < 0 || text.length !== text.toLowerCase().length) part.append(text);
  else part.append(text.slice(0, start), make("mark", text.slice(start, start + wanted.length)), text.slice(start + wanted.length));
  return part;
}
function list(wanted) {
  const isOpen = Boolean(wanted);
  const items = found.slice(0, MOST).map((match, index) => {
    const item = make("li");
    item.id = `r${index}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    const name = match.column ? `${match.table.name}.${match.column.name}` : match.table.name;
    item.append(marked(name, wanted), make("span", !match.column ? "table" : match.column.element ? "column" : "column, not shown"));
    item.addEventListener("pointerdown", (event) => event.preventDefault());
    item.addEventListener("click", () => jump(index));
    return item;
  });
  if (found.length > MOST) items.push(make("li", `${found.length - MOST} more`, "none"));
  if (!found.length) items.push(make("li", "Nothing found", "none"));
  results.replaceChildren(...items);
  results.hidden = !isOpen;
  search.setAttribute("aria-expanded", String(isOpen));
  search.removeAttribute("aria-activedescendant");
  status.textContent = isOpen ? `${found.length} found` : "";
}
function point(index) {
  results.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
  at = index;
  const item = byId(`r${index}`);
  if (!item) return;
  item.setAttribute("aria-selected", "true");
  item.scrollIntoView({ block: "nearest" });
  search.setAttribute("aria-activedescendant", item.id);
}
function jump(index) {
  const match = found[index];
  if (!match) return;
  point(index);
  choose(null);
  svg.querySelectorAll(".here").forEach((element) => element.classList.remove("here"));
  const { table, column } = match;
  table.element.classList.add("here");
  column?.element?.classList.add("here");
  const middle = column ? column.top + 10 : Math.min(table.height / 2, 300);
  centre(table.x + table.width / 2, table.y + middle, 0.9);
  status.textContent = `${index + 1} of ${found.length}: ${table.name}${column ? `.${column.name}` : ""}`;
}
function endSearch() {
  search.value = "";
  look();
}
search.addEventListener("input", look);
search.addEventListener("focus", () => { if (search.value.trim()) { results.hidden = false; search.setAttribute("aria-expanded", "true"); } });
search.addEventListener("blur", () => { results.hidden = true; search.setAttribute("aria-expanded", "false"); });
search.addEventListener("keydown", (event) => {
  const shown = Math.min(found.length, MOST);
  if (event.key === "Enter" && shown) jump((at + (event.shiftKey ? shown - 1 : 1)) % shown);
  else if (event.key === "ArrowDown" && shown) point((at + 1) % shown);
  else if (event.key === "ArrowUp" && shown) point((Math.max(at, 0) + shown - 1) % shown);
  else if (event.key === "Escape") { endSearch(); stage.focus(); }
  else return;
  event.preventDefault();
  event.stopPropagation();
});

// Pointers: one drags, two zoom, a click selects.
const pointers = new Map();
let hasMoved = false;
stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  cancelAnimationFrame(motion);
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pointers.size === 1) hasMoved = false;
});
stage.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const now = { x: event.clientX, y: event.clientY };
  if (!hasMoved && Math.hypot(now.x - last.x, now.y - last.y) < 4) return;
  if (!hasMoved) {
    hasMoved = true;
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("drag");
  }
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
    zoomAt((now.x + other.x) / 2, (now.y + other.y) / 2, distance(now) / distance(last));
  }
  const share = (other ? 0.5 : 1) / fitted();
  x += (now.x - last.x) * share;
  y += (now.y - last.y) * share;
  pointers.set(event.pointerId, now);
  show();
});
const release = (event) => {
  pointers.delete(event.pointerId);
  if (!pointers.size) stage.classList.remove("drag");
};
stage.addEventListener("pointerup", release);
stage.addEventListener("pointercancel", release);
stage.addEventListener("click", (event) => {
  if (hasMoved) { hasMoved = false; return; }
  const table = tableOf(event.target), link = linkOf(event.target);
  if (link) { choose(null); mark(null, link); chosen = null; }
  else choose(table === chosen ? null : table ?? null);
});
stage.addEventListener("dblclick", (event) => {
  const table = tableOf(event.target);
  if (table) go(table);
  else { event.preventDefault(); zoomAt(event.clientX, event.clientY, 1.8); }
});
stage.addEventListener("pointerover", (event) => {
  if (chosen || pointers.size) return;
  const link = linkOf(event.target);
  mark(tableOf(event.target), link);
});
stage.addEventListener("pointerleave", () => { if (!chosen) mark(null); });
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  cancelAnimationFrame(motion);
  const lines = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? 300 : 1;
  zoomAt(event.clientX, event.clientY, Math.exp(-Math.max(Math.min(event.deltaY * lines, 240), -240) * (event.ctrlKey ? 0.01 : 0.0022)));
}, { passive: false });

// Keys.
stage.addEventListener("focusin", (event) => {
  const table = tableOf(event.target);
  if (table && event.target.matches(":focus-visible")) reveal(table);
});
const guide = byId("guide"), help = byId("help");
function toggleGuide() {
  guide.hidden = !guide.hidden;
  help.setAttribute("aria-expanded", String(!guide.hidden));
}
function pan(dx, dy) {
  cancelAnimationFrame(motion);
  x += dx / fitted();
  y += dy / fitted();
  show();
}
document.addEventListener("keydown", (event) => {
  if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
  const table = tableOf(event.target);
  if (event.key.startsWith("Arrow") && event.target.closest?.("#details, #guide")) return;
  const actions = {
    "/": () => { search.focus(); search.select(); },
    "?": toggleGuide,
    "+": () => zoom(1.25),
    "=": () => zoom(1.25),
    "-": () => zoom(0.8),
    "0": () => fit(true),
    ArrowLeft: () => pan(90, 0),
    ArrowRight: () => pan(-90, 0),
    ArrowUp: () => pan(0, 90),
    ArrowDown: () => pan(0, -90),
    Escape: () => { choose(null); guide.hidden = true; help.setAttribute("aria-expanded", "false"); if (search.value) endSearch(); },
  };
  if (table && (event.key === "Enter" || event.key === " ")) choose(table === chosen ? null : table);
  else if (Object.hasOwn(actions, event.key)) actions[event.key]();
  else return;
  event.preventDefault();
});
byId("in").addEventListener("click", () => zoom(1.25));
byId("out").addEventListener("click", () => zoom(0.8));
byId("fit").addEventListener("click", () => fit(true));
byId("print").addEventListener("click", () => print());
help.addEventListener("click", toggleGuide);
addEventListener("resize", show);
fit(false);
})();
