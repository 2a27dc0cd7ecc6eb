// What helps but is not needed: times in one's own zone, what is left of a post, menus that close, passkeys.

import { logIn, register } from "/assets/passkeys.js";

/** Whoever has a screen full of posts reads times as the own clock has them. */
function localTimes(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) time.title = format.format(new Date(time.dateTime));
}

/** Signs as people count them; links count as 23, whatever their length (the server has the last word). */
function length(text) {
  const written = text.replace(/https?:\/\/\S+/g, "x".repeat(23)).replace(/(@\w+)@[\w.-]+\w/g, "$1");
  return [...new Intl.Segmenter().segment(written)].length;
}

function countdown(root) {
  for (const left of root.querySelectorAll("[data-left]")) {
    const form = left.closest("form");
    const show = () => {
      const used = ["status", "spoiler_text"].reduce((sum, name) => sum + length(form.elements[name]?.value ?? ""), 0);
      left.textContent = Number(left.dataset.left) - used;
      left.toggleAttribute("data-over", used > Number(left.dataset.left));
    };
    form.addEventListener("input", show);
    show();
  }
}

function enhance(root) {
  localTimes(root);
  countdown(root);
  for (const form of root.querySelectorAll("[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const problem = form.querySelector("[role=alert]");
      problem.hidden = true;
      try {
        await (form.dataset.passkey === "register" ? register(form) : logIn(form));
      } catch {
        problem.hidden = false;
      }
    });
  }
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".acts details[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll(".acts details[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) enhance(event.target); });
enhance(document);
