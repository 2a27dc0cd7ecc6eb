// Puts a frame with the post in the place of each quotation of it; the quotation stays if that does not work.

const own = new URL(document.currentScript.src).origin;

for (const quotation of document.querySelectorAll("blockquote.rostra-post[data-embed-url]")) {
  const address = new URL(quotation.dataset.embedUrl);
  if (address.origin !== own || quotation.dataset.embedded) continue;
  quotation.dataset.embedded = "yes";
  const frame = document.createElement("iframe");
  frame.src = address;
  frame.title = quotation.textContent.trim().slice(0, 120);
  frame.width = "100%";
  frame.height = 0;
  frame.setAttribute("frameborder", "0");
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups");
  frame.allow = "fullscreen";
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== own || typeof event.data?.height !== "number") return;
    frame.height = Math.min(Math.max(event.data.height, 80), 4000);
    quotation.hidden = true;
  });
  quotation.after(frame);
}
