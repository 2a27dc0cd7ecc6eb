// Chapters jump in the player; without this script they open the file at that second (Media Fragments).
// Captions: an <audio> shows none by itself, so what its text track says now is written under it, if the reader wants.
const player = document.getElementById("replay");
const chapters = [...document.querySelectorAll(".chapters a")];
const begins = (chapter) => Number(chapter.dataset.start);

for (const chapter of chapters) {
  chapter.addEventListener("click", (event) => {
    event.preventDefault();
    player.currentTime = begins(chapter);
    player.play();
  });
}

player.addEventListener("timeupdate", () => {
  const now = chapters.findLast((chapter) => begins(chapter) <= player.currentTime);
  for (const chapter of chapters) chapter.toggleAttribute("aria-current", chapter === now);
});

const KEPT = "rostra.captions"; // as on the listening page
const lines = document.getElementById("captions"), toggle = document.getElementById("captions-toggle");
const track = player.textTracks[0];

function showLines() {
  const cues = [...(track.activeCues ?? [])].map((cue) => cue.getCueAsHTML());
  lines.replaceChildren(...cues.flatMap((cue) => {
    const line = document.createElement("span"), name = document.createElement("b");
    name.textContent = cue.querySelector("span[title]")?.title ?? "";
    line.append(name, cue.textContent);
    return [line];
  }));
}

function kept() {
  try { return JSON.parse(localStorage.getItem(KEPT) ?? "{}"); } catch { return {}; } // it may be forbidden, or not ours
}

function keep(choice) {
  try { localStorage.setItem(KEPT, JSON.stringify({ ...kept(), ...choice })); } catch { return; }
}

function choose(wanted) {
  track.mode = wanted ? "hidden" : "disabled"; // hidden: it runs, and the browser draws nothing
  lines.hidden = !wanted;
  toggle.setAttribute("aria-pressed", String(wanted));
}

if (track) {
  toggle.hidden = false;
  track.addEventListener("cuechange", showLines);
  toggle.addEventListener("click", () => {
    choose(lines.hidden);
    keep({ shown: !lines.hidden });
  });
  lines.dataset.size = kept().size ?? 1;
  choose(kept().shown === true);
}
