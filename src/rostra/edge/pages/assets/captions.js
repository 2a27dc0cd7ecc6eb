// What is being said, as text: the newest caption of each utterance, and what of it stands on the page. Times in samples.

const KEPT_MAX = 12; // utterances; three are shown
const SHOWN_MAX = 3;
const STAYS = 7 * 48000; // what was said longer ago than this goes, so that nobody takes it for what is said now
const GAP = "[…]"; // something was said here that was not recognised
const SIZES = [1, 2, 3];
const STORED = "rostra.captions"; // the recording's page reads it too

export class Captions {
  #newest = new Map();

  take({ id, name, text, status, start, at }) {
    this.#newest.delete(id);
    this.#newest.set(id, { id, name, text: status === "skipped" ? GAP : text, start, end: at });
    if (this.#newest.size > KEPT_MAX) this.#newest.delete(this.#newest.keys().next().value);
  }

  // The lines to be read when sample `heard` is heard, oldest first.
  lines(heard) {
    return [...this.#newest.values()]
      .filter(({ text, end }) => text && heard - end < STAYS)
      .sort((one, other) => one.start - other.start)
      .slice(-SHOWN_MAX);
  }

  clear() {
    this.#newest.clear();
  }
}

// What the reader has chosen, here or at another conversation: {shown, size}.
export function chosenCaptions(storage) {
  const none = { shown: false, size: SIZES[0] };
  try {
    const { shown, size } = JSON.parse(storage().getItem(STORED) ?? "{}");
    return { shown: shown === true, size: SIZES.includes(size) ? size : none.size };
  } catch { return none; } // storage may be forbidden, or hold what is not ours
}

export function keepCaptions(choice, storage) {
  try { storage().setItem(STORED, JSON.stringify(choice)); } catch { return; }
}

export const nextSize = (size) => SIZES[(SIZES.indexOf(size) + 1) % SIZES.length];
