// Chapters jump in the player; without this script they open the file at that second (Media Fragments).
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
