// The waiting room: music from one cached file, the place and the time in words, spoken if the person wants that.

import { text } from "./texts.js";

const MUSIC = new URL("./hold.mp3", import.meta.url).href;
const QUIET = 0.25; // of the volume, while the place is spoken
const MINUTE_S = 60;

// What a person is told about `answer` (docs/protocol.md, `waiting`): two sentences.
export function words({ number, waiting, wait_s, reason }, language) {
  const say = (key, values) => text(language, key, values);
  const place = say("waiting_place", { n: number.toLocaleString(language), of: waiting.toLocaleString(language) });
  if (wait_s === null) return [place, say(reason === "closed" ? "waiting_closed" : "waiting_unknown")];
  if (wait_s < MINUTE_S) return [place, say(wait_s === 0 ? "waiting_next" : "waiting_soon")];
  const minutes = Math.ceil(wait_s / MINUTE_S);
  return [place, minutes === 1 ? say("waiting_minute") : say("waiting_minutes", { n: minutes.toLocaleString(language) })];
}

// The music plays in the element in which the programme will: its leave to make sound is kept.
export class HoldMusic {
  constructor(audio) {
    this.audio = audio;
    this.playing = false;
  }

  start(blocked) {
    if (this.playing) return;
    this.playing = true;
    this.audio.loop = true;
    this.audio.src = MUSIC;
    this.audio.play().catch((error) => error.name === "NotAllowedError" && blocked());
  }

  // Whoever comes next sets the element's source; the music plays until then.
  handOver() {
    this.playing = this.audio.loop = false;
  }

  stop() {
    if (!this.playing) return;
    this.handOver();
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }
}

// Speaks each place once, over music that is turned down meanwhile.
export class Voice {
  constructor(audio, synthesis = globalThis.speechSynthesis) {
    this.audio = audio;
    this.wanted = false;
    this.#synthesis = synthesis;
  }

  #synthesis;
  #said = "";

  get possible() { return Boolean(this.#synthesis); }

  want(wanted) {
    this.wanted = wanted;
    this.#said = "";
    if (!wanted) this.silence();
  }

  say(sentences, language) {
    const said = sentences.join(" ");
    if (!this.wanted || said === this.#said) return;
    this.#said = said;
    const volume = this.audio.volume, utterance = new SpeechSynthesisUtterance(said);
    utterance.lang = language;
    utterance.onstart = () => { this.audio.volume = volume * QUIET; };
    utterance.onend = utterance.onerror = () => { this.audio.volume = volume; };
    this.#synthesis.cancel();
    this.#synthesis.speak(utterance);
  }

  silence() {
    this.#synthesis?.cancel();
  }
}

// What a page keeps of a conversation over a reload and a change of network: the ticket, or the place in the line.
export class Seat {
  constructor(conversation, storage) {
    this.#key = `seat ${conversation}`;
    this.#storage = storage;
  }

  #key;
  #storage;

  read() {
    try {
      return JSON.parse(this.#storage().getItem(this.#key)) ?? {};
    } catch {
      return {}; // a browser that keeps nothing
    }
  }

  keep(seat) {
    try {
      this.#storage().setItem(this.#key, JSON.stringify(seat));
    } catch { return; } // likewise
  }
}
