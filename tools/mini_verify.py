"""A second verifier of Rostra's ledgers, written apart from the first: it shares no code with it.

    python mini_verify.py BUNDLE|FOLDER [--key VERIFIER-KEY] [--seen CHECKPOINT-FILE ...]

It checks the signature, the Merkle root, who signed each entry, that each chain goes on, that former checkpoints
are of the same history, and says what is missing and which verdict was recorded. What outsiders say, what listeners
signed (their receipts inside an edge's entry), and whether the records are possible, is for the large one. Exit
codes: 0 all of this holds, 1 something is false, 2 something is missing. Formats: docs/protocol.md, section 7;
c2sp.org/tlog-tiles; RFC 9162.
"""

import argparse
import base64
import hashlib
import json
import lzma
import re
import sys
import tarfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FILE_MAX = 17_000_000
WHOLE_MAX = 512_000_000
BESIDE = r"rostra_verify\.py|report\.(en|nl)\.html|verdict\.json|certificate/[0-9a-f]{64}"
NAME = re.compile(
    rf"key|checkpoint|{BESIDE}|tile/(entries|[0-9])(/x[0-9]{{3}}){{0,3}}/[0-9]{{3}}(\.p/[0-9]{{1,3}})?"
)
FIELDS = {"who", "run", "seq", "prev", "kind", "wall_ms", "mono_ms", "body"}
LARGEST = 2**53 - 1


class WrongError(Exception):
    """Something is false; the text says what."""


class PlainFile(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf, encoding, errors):
        made = super().frombuf(buf, encoding, errors)
        if not made.isreg():  # a header for the next one may have any length, and would be read
            raise WrongError("there is something else than files in the bundle")
        return made


def open_files(path):
    """A function that gives a file of the log by its name."""
    if path.is_dir():

        def from_folder(name):
            try:
                with (path / name).open("rb") as file:
                    return file.read(FILE_MAX)
            except OSError as error:
                raise WrongError(f"{name}: {error.strerror}") from error

        return from_folder
    files, total = {}, 0
    try:
        with tarfile.open(path, "r|xz", tarinfo=PlainFile) as archive:
            for member in archive:
                total += member.size
                if not NAME.fullmatch(member.name) or member.name in files:
                    raise WrongError(f"{member.name[:80]!r} does not belong into a bundle")
                if member.size > FILE_MAX or total > WHOLE_MAX:
                    raise WrongError("the bundle is too large")
                files[member.name] = archive.extractfile(member).read()
    except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError) as error:
        raise WrongError(f"the bundle cannot be read: {error}") from error

    def from_bundle(name):
        if name not in files:
            raise WrongError(f"{name} is not in the bundle")
        return files[name]

    return from_bundle


def tile_name(index, width):
    groups = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03}")
    return "tile/entries/" + "/".join(groups) + ("" if width == 256 else f".p/{width}")


def read_entries(read, size):
    for index in range((size + 255) // 256):
        width = min(256, size - 256 * index)
        data, at, count = read(tile_name(index, width)), 0, 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if len(entry) != length:
                raise WrongError(f"{tile_name(index, width)} is cut off")
            yield entry
            at, count = at + 2 + length, count + 1
        if count != width:
            raise WrongError(f"{tile_name(index, width)} has {count} entries, not {width}")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def merkle(leaves, sizes):
    """The root over the first so many leaves, for each of `sizes`: whole subtrees, the largest in front."""
    roots, whole = {0: sha(b"")}, []
    for count, leaf in enumerate(leaves, 1):
        whole.append((1, leaf))
        while len(whole) > 1 and whole[-1][0] == whole[-2][0]:
            (width, right), (_, left) = whole.pop(), whole.pop()
            whole.append((2 * width, sha(b"\1", left, right)))
        if count in sizes:
            root = whole[-1][1]
            for _, left in whole[-2::-1]:
                root = sha(b"\1", left, root)
            roots[count] = root
    return roots


def unbase64(text):
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise WrongError("something is not base64") from error


def verifies(public, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_note(data, key):
    """Size and root of a checkpoint that `key` (name, id, public key) has signed."""
    try:
        text, lines = data.decode().rsplit("\n\n", 1)
    except (UnicodeDecodeError, ValueError) as error:
        raise WrongError("the checkpoint is no signed note") from error
    name, key_id, public = key
    for line in lines.splitlines():
        words = line.split(" ")
        if len(words) == 3 and words[:2] == ["\u2014", name]:
            raw = unbase64(words[2])
            if raw[:4] == key_id and verifies(public, raw[4:], text.encode() + b"\n"):
                break
    else:
        raise WrongError(f"the checkpoint is not signed by {name}")
    said = text.split("\n")
    if len(said) < 3 or said[0] != name:
        raise WrongError("the checkpoint is of another log")
    if not re.fullmatch(r"0|[1-9][0-9]{0,7}", said[1]):
        raise WrongError("the checkpoint has no size that can be")
    return int(said[1]), unbase64(said[2])


def read_key(text):
    match = re.fullmatch(r"(\S+?)\+([0-9a-f]{8})\+(\S+)", text.strip())
    raw = unbase64(match[3]) if match else b""
    if len(raw) != 33 or raw[0] != 1 or sha(match[1].encode() + b"\n" + raw)[:4].hex() != match[2]:
        raise WrongError("this is no verifier key")
    return match[1], bytes.fromhex(match[2]), raw[1:]


def plain(value, depth=0):
    """Evidence has whole numbers only, names in ASCII, and no depths."""
    if depth > 32:
        raise WrongError("nested too deeply")
    if isinstance(value, dict):
        return all(name.isascii() and plain(each, depth + 1) for name, each in value.items())
    if isinstance(value, list):
        return all(plain(each, depth + 1) for each in value)
    return value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) <= LARGEST)


def read_entry(data):
    try:
        value = json.loads(data)
        rewritten = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        said, signature = value["said"], unbase64(value["sig"])
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError) as error:
        raise WrongError("an entry is no entry") from error
    shaped = isinstance(said, dict) and set(said) == FIELDS and set(value) == {"said", "sig"}
    if rewritten != data or not plain(value) or not shaped or not isinstance(said["body"], dict):
        raise WrongError("an entry is not written in the one way")
    if any(type(said[name]) is not int for name in ("run", "seq", "wall_ms", "mono_ms")):
        raise WrongError("an entry has no numbers where they belong")
    signed = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return said, signature, b"rostra-entry/v1\n" + signed


class Speakers:
    """Whose key is whose, and where each of them is."""

    def __init__(self, witness, public):
        self.witness, self.keys, self.heads, self.missing = witness, {witness: public}, {}, []

    def hear(self, index, data):
        said, signature, signed = read_entry(data)
        who, run, seq = said["who"], said["run"], said["seq"]
        if who not in self.keys:
            raise WrongError(f"entry {index}: nobody registered a key of {who}")
        if not verifies(self.keys[who], signature, signed):
            raise WrongError(f"entry {index} is not signed by {who}: it was edited, or is of another key")
        last_run, last_seq, last_hash = self.heads.get(who, (-1, -1, ""))
        if (run, seq) <= (last_run, last_seq):
            raise WrongError(f"entry {index} of {who} was there before: repeated, reordered or of another event")
        expected = last_seq + 1 if run == last_run else 0
        if seq > expected and (run == last_run or last_run >= 0 or seq):
            self.missing.append(f"{seq - expected} entries of {who} are missing before entry {index}")
        elif run == last_run and said["prev"] != last_hash:
            raise WrongError(f"entry {index} of {who} does not follow the one before: that was replaced")
        self.heads[who] = run, seq, hashlib.sha256(data).hexdigest()
        if who == self.witness and said["kind"] in ("opened", "registered"):
            self.register(index, said["body"].get("processes"))
        return said

    def register(self, index, processes):
        if not isinstance(processes, dict):
            raise WrongError(f"entry {index} registers nobody")
        for who, claim in processes.items():
            key = claim.get("key") if isinstance(claim, dict) else None
            if who == self.witness or not isinstance(key, str) or not re.fullmatch(r"[0-9a-f]{64}", key):
                raise WrongError(f"entry {index} registers {who} without a key")
            if self.keys.setdefault(who, bytes.fromhex(key)) != bytes.fromhex(key):
                self.missing.append(f"{who} has another key since entry {index}")
                self.keys[who] = bytes.fromhex(key)
            head = claim.get("run"), claim.get("seq"), claim.get("digest")
            if [type(each) for each in head] == [int, int, str]:
                self.heads.setdefault(who, head)


def check(read, trusted, seen):
    """Every finding as a word and a text; WrongError at the first that is false."""
    named = read_key(read("key").decode(errors="replace"))
    key = trusted or named
    size, root = read_note(read("checkpoint"), key)
    yield (
        ("PASS" if trusted else "INCOMPLETE"),
        f"signed by {key[0]}" + ("" if trusted else ", as the log itself says"),
    )
    leaves = [sha(b"\0", entry) for entry in read_entries(read, size)]
    if merkle(leaves, {size})[size] != root:
        raise WrongError("the entries have another root: one was changed, put in or left out")
    yield "PASS", f"{size} entries are under the signed root"
    first = next(read_entries(read, size), None)
    opened = read_entry(first)[0] if first else {"kind": ""}
    if opened["kind"] != "opened" or opened["body"].get("conversation") != key[0].rpartition("/")[2]:
        raise WrongError("the log does not begin as the log of this event")
    speakers, verdict = Speakers(opened["who"], key[2]), None
    former = [read_note(data, key) for data in seen]
    for index, data in enumerate(read_entries(read, size)):
        said = speakers.hear(index, data)
        if said["who"] == opened["who"] and said["kind"] == "checkpoint":
            former.append(read_note(str(said["body"].get("note")).encode(), key))
        if said["who"] == opened["who"] and said["kind"] == "verdict":
            verdict = said["body"].get("digest")
    compare(leaves, former)
    yield "PASS", f"{len(speakers.keys)} signed what they said, and {len(former)} checkpoints are of one history"
    yield from (("INCOMPLETE", missing) for missing in speakers.missing)
    yield "PASS", f"recorded verdict: {str(verdict)[:64]}" if verdict else "no verdict was recorded"


def compare(leaves, former):
    roots = merkle(leaves, {size for size, _ in former})
    for size, root in former:
        if size > len(leaves):
            raise WrongError(
                f"a reader was shown {size - len(leaves)} entries more than are here: the end was cut off"
            )
        if roots[size] != root:
            raise WrongError(
                f"a checkpoint has another root for the first {size} entries: the log has two histories"
            )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--key")
    parser.add_argument("--seen", type=Path, action="append", default=[])
    asked, code = parser.parse_args(), 0
    try:
        trusted = read_key(asked.key) if asked.key else None
        for word, text in check(open_files(asked.log), trusted, [path.read_bytes() for path in asked.seen]):
            print(f"{word:10} {''.join(each if each.isprintable() else '?' for each in text)}")
            code = max(code, 0 if word == "PASS" else 2)
    except (WrongError, OSError) as wrong:
        print(f"FAIL       {''.join(each if each.isprintable() else '?' for each in str(wrong))}")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
