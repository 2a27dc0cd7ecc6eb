// Every word on the stage page, in English and Dutch. Keys are the same in both; `{name}` is filled in.

const WORDS = {
  en: {
    language: "Nederlands", your_name: "Your name", microphone: "Microphone", level: "Level of your microphone",
    original: "Original sound: no echo or noise cancelling (music, a studio)",
    check: "Check my sound", enter: "Go on stage", ask: "Raise my hand", asked: "Your hand is up. A host will let you up.",
    lower: "Lower my hand", leave: "Leave", push: "Push to talk: hold the space bar, or this page's big button",
    people: "On the stage", nobody: "Nobody is here yet.", hands: "Raised hands",
    mute: "Mute", unmute: "Speak", hold: "Hold to talk", talking: "You are heard",
    host: "Host", cohost: "Co-host", speaker: "Speaker", feed: "Feed", away: "away for a moment", muted: "muted", green: "behind the stage", you: "you",
    act_mute: "Mute", act_remove: "Remove", act_let_up: "Let up", act_on_air: "On the air", act_back: "Behind the stage",
    act_appoint: "Make co-host", act_dismiss: "Make speaker", act_hand_over: "Hand over hosting", act_lower: "Lower",
    sure_remove: "Remove {name}? The seat is gone for this conversation.", sure_hand_over: "Make {name} the host?",
    state_scheduled: "Announced", state_doors_open: "Doors are open", state_live: "Live", state_held: "One moment",
    state_ended: "Ended", state_cancelled: "Cancelled",
    begins_in: "Begins in {time}. Until then only the stage hears you.", on_air: "On the air for {time}.", late: "Should have begun {time} ago. It begins as soon as somebody speaks.",
    now_heard: "You are on the air.", now_waiting: "You are on the stage. It goes on the air by itself.",
    now_muted: "You are muted.", now_green: "You are behind the stage: the others here hear you, the crowd does not.",
    connecting: "Connecting…", again: "The connection was lost. Your seat is kept; going on…",
    removed: "A host has taken your seat away.", over: "The conversation is over. Thank you.",
    no_link: "This link is for listeners: you can raise your hand.",
    bad_link: "This link does not hold: it has expired, or it is for another conversation. Ask the host for a new one.",
    no_microphone: "No microphone can be used: {why}", quality: "There and back {rtt} ms, lost {loss} %",
    microphone_good: "Your microphone is heard.", microphone_bad: "Nothing is heard from your microphone: is it muted, or the wrong one?",
    microphone_loud: "Your microphone is too loud: it clips. Move away from it, or turn it down.",
    echo_good: "No echo.", echo_bad: "Your loudspeaker is heard in your microphone: use headphones.",
    way_good: "The way to us takes {rtt} ms.", way_bad: "The way to us takes {rtt} ms: others will talk over you. A cable or another network helps.",
    loss_good: "{loss} % of your sound is lost on the way.", loss_bad: "{loss} % of your sound is lost on the way: come closer to the router, or use a cable.",
    clock_good: "Your clock is right.", clock_bad: "Your clock is {s} s off. That does no harm here.",
    way_none: "No connection for sound: a firewall may be in the way. Try another network.", checking: "Say a few words…",
  },
  nl: {
    language: "English", your_name: "Je naam", microphone: "Microfoon", level: "Niveau van je microfoon",
    original: "Origineel geluid: zonder echo- en ruisonderdrukking (muziek, een studio)",
    check: "Test mijn geluid", enter: "Het podium op", ask: "Steek mijn hand op", asked: "Je hand is op. Een gastheer laat je erbij.",
    lower: "Hand omlaag", leave: "Verlaten", push: "Indrukken om te praten: houd de spatiebalk of de grote knop ingedrukt",
    people: "Op het podium", nobody: "Er is nog niemand.", hands: "Opgestoken handen",
    mute: "Microfoon uit", unmute: "Spreek", hold: "Ingedrukt houden", talking: "Je bent te horen",
    host: "Gastheer", cohost: "Medegastheer", speaker: "Spreker", feed: "Toevoer", away: "even weg", muted: "microfoon uit", green: "achter het podium", you: "jij",
    act_mute: "Microfoon uit", act_remove: "Verwijderen", act_let_up: "Laat erbij", act_on_air: "In de uitzending", act_back: "Achter het podium",
    act_appoint: "Maak medegastheer", act_dismiss: "Maak spreker", act_hand_over: "Draag over", act_lower: "Omlaag",
    sure_remove: "{name} verwijderen? De plaats is weg voor dit gesprek.", sure_hand_over: "{name} gastheer maken?",
    state_scheduled: "Aangekondigd", state_doors_open: "De deuren zijn open", state_live: "Live", state_held: "Een ogenblik",
    state_ended: "Afgelopen", state_cancelled: "Gaat niet door",
    begins_in: "Begint over {time}. Tot dan hoort alleen het podium je.", on_air: "{time} in de uitzending.", late: "Had {time} geleden moeten beginnen. Het begint zodra er iemand spreekt.",
    now_heard: "Je bent in de uitzending.", now_waiting: "Je bent op het podium. De uitzending begint vanzelf.",
    now_muted: "Je microfoon is uit.", now_green: "Je bent achter het podium: de anderen hier horen je, het publiek niet.",
    connecting: "Verbinden…", again: "De verbinding is verbroken. Je plaats blijft; we gaan verder…",
    removed: "Een gastheer heeft je van het podium gehaald.", over: "Het gesprek is afgelopen. Dank je wel.",
    no_link: "Deze link is voor luisteraars: je kunt je hand opsteken.",
    bad_link: "Deze link is niet geldig: verlopen, of voor een ander gesprek. Vraag de gastheer om een nieuwe.",
    no_microphone: "Er is geen microfoon te gebruiken: {why}", quality: "Heen en terug {rtt} ms, verloren {loss} %",
    microphone_good: "Je microfoon is te horen.", microphone_bad: "Je microfoon is niet te horen: staat hij uit, of is het de verkeerde?",
    microphone_loud: "Je microfoon is te hard: hij vervormt. Ga verder weg, of zet hem zachter.",
    echo_good: "Geen echo.", echo_bad: "Je luidspreker is in je microfoon te horen: gebruik een koptelefoon.",
    way_good: "De weg naar ons duurt {rtt} ms.", way_bad: "De weg naar ons duurt {rtt} ms: je praat straks door elkaar. Een kabel of een ander netwerk helpt.",
    loss_good: "{loss} % van je geluid gaat onderweg verloren.", loss_bad: "{loss} % van je geluid gaat onderweg verloren: ga dichter bij de router, of gebruik een kabel.",
    clock_good: "Je klok loopt gelijk.", clock_bad: "Je klok wijkt {s} s af. Dat geeft hier niet.",
    way_none: "Geen verbinding voor geluid: misschien houdt een firewall het tegen. Probeer een ander netwerk.", checking: "Zeg een paar woorden…",
  },
};

export function word(language, key, values = {}) {
  return (WORDS[language] ?? WORDS.en)[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const preferred = () =>
  localStorage.getItem("rostra.language") ?? (navigator.language.startsWith("nl") ? "nl" : "en");
