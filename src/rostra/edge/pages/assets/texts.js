// Every word on the page, in English and Dutch. Keys are the same in both; `{name}` is filled in.

export const TEXTS = {
  en: {
    listen: "Listen", pause: "Stop listening", mute: "Mute", unmute: "Unmute", volume: "Volume",
    state_scheduled: "Announced", state_doors_open: "Doors are open", state_live: "Live",
    state_held: "One moment", state_ended: "Ended", state_cancelled: "Cancelled",
    about_scheduled: "The doors open {doors}. You can press Listen now: the music starts by itself.",
    about_doors_open: "Music plays until the conversation begins. You need not do anything.",
    about_live: "On the air since {since}.",
    about_delayed: "The conversation has not begun yet. The music stays on, and it begins by itself.",
    about_held: "The speakers are away for a moment. The conversation continues as soon as they are back.",
    about_ended: "Thank you for listening.",
    about_cancelled: "This conversation does not take place.",
    begins_in: "Begins in", doors_in: "Doors open in", on_air: "On the air for", late_by: "Later than announced", days: "{n} days",
    starts_elsewhere: "{there} in {zone}",
    one_listener: "1 listener", listeners: "{n} listeners",
    idle: "Press Listen to hear it.",
    joining: "Connecting…", waiting_doors: "The doors are still closed. You will hear music as soon as they open.",
    buffering: "Filling the buffer…", playing: "Sound is on.",
    resuming: "The connection was lost. Going on elsewhere…",
    retry_in: "No connection. Trying again in {n} s.", offline: "You are offline. Waiting for the network…",
    full: "Every place is taken. Trying again in {n} s.",
    waiting: "You wait for a place. You need not do anything.",
    waiting_place: "You are number {n} of {of} who wait.",
    waiting_next: "You are next.", waiting_soon: "Less than a minute.", waiting_minute: "About a minute.",
    waiting_minutes: "About {n} minutes.",
    waiting_unknown: "Nobody can tell how long it takes: hardly anybody has left yet.",
    waiting_closed: "The servers are under strain. The doors open again as soon as they can.",
    waiting_about: "Every place is taken. The music plays meanwhile, and the conversation starts by itself. You keep your place if you reload the page.",
    waiting_title: "Waiting room", waiting_spoken: "Read my place aloud",
    copy: "The crowd is large: here is a copy that comes some seconds later.",
    stalled: "The network is slow. A larger buffer is being filled.",
    moved: "{n} s of sound were lost on the way. You are at the live edge again.",
    starting: "The sound is on its way…",
    unsupported: "This browser cannot play the stream here. Here is a plain player.",
    blocked: "The browser wants a tap before it plays sound: press Listen.",
    captions: "Captions", captions_size: "Text size",
    ask_to_speak: "Ask to speak", replay: "Listen to the recording",
    speaker: "Heard now: {name}", moved_start: "The start has been moved to {local}.",
    technical: "Technical details", buffer: "Buffer", rendition: "Rendition", edge: "Edge", chunk: "Chunk",
    cadence: "Cadence", resumed: "Went on elsewhere", technical_none: "Nothing is played at the moment.",
    stalls: "Pauses", speed: "Speed", other_players: "Other players", level: "Sound level",
    receipts: "Let my player testify to what I hear",
    receipts_about: "Each minute it signs how much sound came, and what was missing, for the public record of this evening. It makes a key for this conversation alone: nothing in it says who you are.",
    receipts_none: "No record is kept here.", receipts_save: "Save my receipts",
    skip: "Skip to the player", language: "Nederlands",
    on_now: "On now", coming: "Coming up", nothing: "Nothing is announced at the moment.",
    tagline: "Live public conversations that start on time.", back: "All conversations",
  },
  nl: {
    listen: "Luister", pause: "Stop met luisteren", mute: "Geluid uit", unmute: "Geluid aan", volume: "Volume",
    state_scheduled: "Aangekondigd", state_doors_open: "De deuren zijn open", state_live: "Live",
    state_held: "Een ogenblik", state_ended: "Afgelopen", state_cancelled: "Gaat niet door",
    about_scheduled: "De deuren gaan open {doors}. U kunt nu al op Luister drukken: de muziek begint vanzelf.",
    about_doors_open: "Er klinkt muziek tot het gesprek begint. U hoeft niets te doen.",
    about_live: "In de uitzending sinds {since}.",
    about_delayed: "Het gesprek is nog niet begonnen. De muziek blijft klinken en het begint vanzelf.",
    about_held: "De sprekers zijn even weg. Het gesprek gaat verder zodra ze terug zijn.",
    about_ended: "Bedankt voor het luisteren.",
    about_cancelled: "Dit gesprek gaat niet door.",
    begins_in: "Begint over", doors_in: "De deuren gaan open over", on_air: "Al in de uitzending", late_by: "Later dan aangekondigd", days: "{n} dagen",
    starts_elsewhere: "{there} in {zone}",
    one_listener: "1 luisteraar", listeners: "{n} luisteraars",
    idle: "Druk op Luister om het te horen.",
    joining: "Verbinden…", waiting_doors: "De deuren zijn nog dicht. U hoort muziek zodra ze opengaan.",
    buffering: "De buffer wordt gevuld…", playing: "Het geluid staat aan.",
    resuming: "De verbinding viel weg. We gaan elders verder…",
    retry_in: "Geen verbinding. Nieuwe poging over {n} s.", offline: "U bent offline. Wachten op het netwerk…",
    full: "Alle plaatsen zijn bezet. Nieuwe poging over {n} s.",
    waiting: "U wacht op een plaats. U hoeft niets te doen.",
    waiting_place: "U bent nummer {n} van de {of} die wachten.",
    waiting_next: "U bent aan de beurt.", waiting_soon: "Minder dan een minuut.", waiting_minute: "Ongeveer een minuut.",
    waiting_minutes: "Ongeveer {n} minuten.",
    waiting_unknown: "Niemand kan zeggen hoe lang het duurt: er is nog bijna niemand weggegaan.",
    waiting_closed: "De servers hebben het zwaar. De deuren gaan weer open zodra dat kan.",
    waiting_about: "Alle plaatsen zijn bezet. Intussen klinkt er muziek en het gesprek begint vanzelf. U houdt uw plaats als u de pagina herlaadt.",
    waiting_title: "Wachtkamer", waiting_spoken: "Lees mijn plaats voor",
    copy: "Het is druk: hier is een kopie die enkele seconden later komt.",
    stalled: "Het netwerk is traag. Er wordt een grotere buffer gevuld.",
    moved: "Onderweg ging {n} s geluid verloren. U bent weer bij.",
    starting: "Het geluid is onderweg…",
    unsupported: "Deze browser kan de stroom hier niet afspelen. Hier is een gewone speler.",
    blocked: "De browser wil een tik voordat hij geluid laat horen: druk op Luister.",
    captions: "Ondertiteling", captions_size: "Tekstgrootte",
    ask_to_speak: "Vraag het woord", replay: "Luister naar de opname",
    speaker: "Nu aan het woord: {name}", moved_start: "De aanvang is verplaatst naar {local}.",
    technical: "Technische gegevens", buffer: "Buffer", rendition: "Kwaliteit", edge: "Server", chunk: "Deel",
    cadence: "Ritme", resumed: "Elders verdergegaan", technical_none: "Er wordt nu niets afgespeeld.",
    stalls: "Onderbrekingen", speed: "Snelheid", other_players: "Andere spelers", level: "Geluidssterkte",
    receipts: "Laat mijn speler getuigen van wat ik hoor",
    receipts_about: "Elke minuut ondertekent hij hoeveel geluid er kwam en wat er ontbrak, voor het openbare verslag van deze avond. Hij maakt een sleutel voor dit gesprek alleen: niets daarin zegt wie u bent.",
    receipts_none: "Hier wordt geen verslag bijgehouden.", receipts_save: "Bewaar mijn bewijzen",
    skip: "Direct naar de speler", language: "English",
    on_now: "Nu te horen", coming: "Binnenkort", nothing: "Er is op dit moment niets aangekondigd.",
    tagline: "Live openbare gesprekken die op tijd beginnen.", back: "Alle gesprekken",
  },
};

const KEPT = "rostra.language";

export function chosenLanguage() {
  let kept = null;
  try { kept = localStorage.getItem(KEPT); } catch { kept = null; } // storage may be forbidden: then it is not kept
  if (kept in TEXTS) return kept;
  return (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS) ?? "en";
}

export function keepLanguage(language) {
  try { localStorage.setItem(KEPT, language); } catch { return; }
}

export function otherLanguage(language) {
  return language === "nl" ? "en" : "nl";
}

export function text(language, key, values = {}) {
  return TEXTS[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Fill every element that names its text: data-text for content, data-label for the accessible name.
export function translate(root, language) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(language, element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(language, element.dataset.label));
  }
  root.documentElement.lang = language;
}
