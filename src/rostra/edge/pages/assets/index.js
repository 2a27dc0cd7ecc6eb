// The list of conversations: the reader's language, times in the reader's time zone.

import { chosenLanguage, keepLanguage, otherLanguage, text, translate } from "./texts.js";
import { inWords } from "./view.js";

const WHEN = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };

let language = chosenLanguage();

function show() {
  translate(document, language);
  const on = new Set(["doors_open", "live", "held"]);
  const items = document.querySelectorAll(".programme li");
  for (const item of items) {
    const time = item.querySelector("time");
    const state = on.has(item.dataset.state) ? `${text(language, `state_${item.dataset.state}`)} · ` : "";
    time.textContent = state + inWords(Date.parse(time.dateTime), language, WHEN);
  }
  document.getElementById("nothing").hidden = items.length > 0;
}

document.getElementById("language").addEventListener("click", () => {
  language = otherLanguage(language);
  keepLanguage(language);
  show();
});
show();
