// What this player heard, minute by minute, signed with a key of its own: only if the listener wants that.

const MINUTE_MS = 60_000;
const SAVED_MAX = 1440; // a day of them
const PURPOSE = "rostra-receipt/v1\n";
const KINDS = [{ name: "Ed25519" }, { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }]; // the first that exists

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const utf8 = (text) => new TextEncoder().encode(text);
const NOTHING = { from_seq: -1, to_seq: -1, chunks: 0, gaps: 0, silent_ms: 0 };

export class Receipts {
  // `world` has subtle (WebCrypto; null on a page without TLS) and fetch(address, options).
  constructor(conversation, world = { subtle: globalThis.crypto?.subtle ?? null, fetch: (...asked) => fetch(...asked) }) {
    this.wanted = false;
    this.saved = []; // {receipt, promise}, oldest first
    this.#conversation = conversation;
    this.#world = world;
  }

  #conversation;
  #world;
  #pair = null; // {kind, keys}: made once, for this conversation; it follows nobody
  #minute = { ...NOTHING };
  #began_ms = null; // of the minute
  #asked_ms = 0;
  #first_sound_ms = null;
  #refused = 0;

  get possible() { return this.#world.subtle !== null; }

  // The listener has asked to hear it.
  ask(now_ms) {
    this.#minute = { ...NOTHING };
    this.#began_ms = this.#first_sound_ms = null;
    this.#asked_ms = now_ms;
    this.#refused = 0;
  }

  refuse() {
    if (this.#first_sound_ms === null) this.#refused += 1;
  }

  chunk(seq) {
    const minute = this.#minute;
    if (minute.chunks === 0 && minute.from_seq < 0) minute.from_seq = seq;
    else if (seq > minute.to_seq + 1) minute.gaps += seq - minute.to_seq - 1;
    minute.to_seq = seq;
    minute.chunks += 1;
  }

  // What `elapsed_ms` were like; a receipt if a minute is over, to be signed and sent.
  pass(now_ms, elapsed_ms, sounds) {
    if (sounds) this.#first_sound_ms ??= now_ms - this.#asked_ms;
    if (this.#first_sound_ms === null) return null; // who was never let in, or heard nothing, has no place to say so
    this.#began_ms ??= now_ms;
    if (!sounds) this.#minute.silent_ms += elapsed_ms;
    if (now_ms - this.#began_ms < MINUTE_MS) return null;
    const minute = this.#minute;
    this.#began_ms = now_ms;
    this.#minute = { ...NOTHING, to_seq: minute.to_seq, from_seq: minute.to_seq + 1 };
    return this.wanted && this.possible ? minute : null;
  }

  // Sign `minute` and give it to `edge`; what it promises is kept beside it. False where no ledger is kept.
  async say(minute, edge, at_ms) {
    const receipt = await this.#signed({ ...minute, edge, at_ms: Math.round(at_ms), silent_ms: Math.round(minute.silent_ms) });
    const query = new URLSearchParams({ receipt: base64(utf8(receipt)).replaceAll("+", "-").replaceAll("/", "_") });
    const address = `${edge}/c/${this.#conversation}/receipts?${query}`;
    const answer = await this.#world.fetch(address, { method: "POST" }).catch(() => null);
    this.saved.push({ receipt, promise: answer?.ok ? await answer.json().catch(() => null) : null });
    this.saved.splice(0, this.saved.length - SAVED_MAX);
    return answer?.status !== 404;
  }

  // As `rostra verify --receipts` reads it.
  get file() { return this.saved.map((each) => `${JSON.stringify(each)}\n`).join(""); }

  async #signed({ from_seq, to_seq, chunks, gaps, silent_ms, edge, at_ms }) {
    const heard = { // in the order of RFC 8785
      at_ms, chunks, conversation: this.#conversation, edge, first_sound_ms: Math.round(this.#first_sound_ms),
      from_seq: Math.max(0, from_seq), gaps, refused: this.#refused, silent_ms, to_seq: Math.max(0, to_seq),
    };
    const { subtle } = this.#world, { kind, keys } = this.#pair ??= await made(subtle);
    const key = base64(await subtle.exportKey("raw", keys.publicKey));
    const sig = base64(await subtle.sign(kind, keys.privateKey, utf8(PURPOSE + JSON.stringify(heard))));
    return JSON.stringify({ heard, key, sig });
  }
}

// Its private half cannot be read, not even by this page.
async function made(subtle) {
  for (const kind of KINDS.slice(0, -1)) {
    const keys = await subtle.generateKey(kind, false, ["sign", "verify"]).catch(() => null);
    if (keys) return { kind, keys };
  }
  const kind = KINDS.at(-1);
  return { kind, keys: await subtle.generateKey(kind, false, ["sign", "verify"]) };
}
