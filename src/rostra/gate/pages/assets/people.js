// Who is on the stage and whose hand is up, as lists with what the reader may do about each.

import { word } from "./words.js";

const element = (name, values = {}, ...children) => {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
};

function button(label, act, main = false) {
  const made = element("button", { type: "button", textContent: label, className: main ? "main" : "" });
  made.addEventListener("click", act);
  return made;
}

// Acts on somebody who has a seat, as [label, act, values, question].
function actsOn(seat, { you, role, leads }) {
  if (!leads || seat.person === you) return [];
  const { person, name } = seat, acts = [];
  if (seat.role === "host" || seat.role === "feed") return [];
  acts.push(seat.on_air ? ["act_back", "SendBack"] : ["act_on_air", "LetUp"]);
  if (!seat.muted) acts.push(["act_mute", "Mute"]);
  acts.push(seat.role === "cohost" ? ["act_dismiss", "Appoint", { cohost: false }] : ["act_appoint", "Appoint", { cohost: true }]);
  if (role === "host" && !seat.away) acts.push(["act_hand_over", "HandOver", {}, "sure_hand_over"]);
  acts.push(["act_remove", "Remove", {}, "sure_remove"]);
  return acts.map(([label, act, values = {}, question = null]) => [label, act, { person, ...values }, question && { question, name }]);
}

function row(person, name, words, buttons) {
  const initials = name.split(/\s+/).slice(0, 2).map((part) => [...part][0] ?? "").join("").toUpperCase();
  const item = element("li", {},
    element("span", { className: "face", textContent: initials, ariaHidden: "true" }),
    element("span", { className: "who" }, name, element("small", { textContent: words })),
    element("span", { className: "acts" }, ...buttons));
  item.dataset.person = person;
  return item;
}

// Show `state`; `act(type, values, sure)` does what a button says. Rebuilt only when something but voices changed.
export class People {
  constructor(people, hands, act) {
    this.#people = people;
    this.#hands = hands;
    this.#act = act;
  }

  #people;
  #hands;
  #act;
  #shown = "";

  show(state, language) {
    const shown = JSON.stringify([language, state.you, state.role, state.leads, state.hands, state.seats.map(({ speaking, ...rest }) => rest)]);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#people.replaceChildren(...state.seats.map((seat) => this.#seat(seat, state, language)));
      this.#hands.replaceChildren(...state.hands.map((hand) => this.#hand(hand, state, language)));
    }
    for (const seat of state.seats) {
      this.#people.querySelector(`[data-person="${seat.person}"]`).dataset.speaking = String(seat.speaking);
    }
  }

  #seat(seat, state, language) {
    const words = [word(language, seat.role)];
    if (seat.person === state.you) words.push(word(language, "you"));
    if (!seat.on_air) words.push(word(language, "green"));
    if (seat.away) words.push(word(language, "away"));
    else if (seat.muted) words.push(word(language, "muted"));
    const buttons = actsOn(seat, state).map(([label, act, values, sure]) =>
      button(word(language, label), () => this.#act(act, values, sure), act === "LetUp"));
    const item = row(seat.person, seat.name, words.join(" · "), buttons);
    item.dataset.away = String(seat.away);
    return item;
  }

  #hand({ person, name }, { leads, you }, language) {
    const buttons = [];
    if (leads) buttons.push(button(word(language, "act_let_up"), () => this.#act("LetUp", { person }), true));
    if (leads || person === you) buttons.push(button(word(language, "act_lower"), () => this.#act("LowerHand", { person })));
    return row(person, name, "", buttons);
  }
}
