// Frames of the listener stream as an edge writes them (docs/protocol.md §3).

const utf8 = new TextEncoder();

function frame(kind, payload) {
  const bytes = new Uint8Array(4 + payload.length);
  new DataView(bytes.buffer).setUint32(0, kind * 2 ** 24 + payload.length);
  bytes.set(payload, 4);
  return bytes;
}

export const joined = (parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
export const init = (words) => frame(1, utf8.encode(words));
export const event = (value) => frame(3, utf8.encode(JSON.stringify(value)));

export function media(seq, words) {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, seq);
  return frame(2, joined([head, utf8.encode(words)]));
}
