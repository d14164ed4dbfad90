"use strict";
// Shows what a bar stands for below the lanes, for keyboards and touch screens as well.
const detail = document.getElementById("detail");
const tell = (event) => {
  const title = event.target.closest?.("rect[tabindex]")?.querySelector("title");
  if (!title) return;
  detail.textContent = title.textContent;
  detail.hidden = false;
};
for (const lanes of document.querySelectorAll(".lanes")) {
  for (const kind of ["pointerover", "focusin", "click"]) lanes.addEventListener(kind, tell);
}
