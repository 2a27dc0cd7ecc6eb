"""The sentences of the page's head, in English and Dutch. Numbers come in braces only."""

from typing import Final

Both = tuple[str, str]

SENTENCES: Final[dict[str, Both]] = {
    "and": ("and", "en"),
    "title": ("Truth report", "Waarheidsrapport"),
    "of": ("{title}, {date}", "{title}, {date}"),
    "utc": ("All times are UTC.", "Alle tijden zijn UTC."),
    "as_of": (
        "The evening goes on: this is what the evidence said at {at}.",
        "De avond is nog bezig: dit zei het bewijs om {at}.",
    ),
    "corrected": (
        "Corrections since it was first published: {count}. See below.",
        "Correcties sinds de eerste publicatie: {count}. Zie hieronder.",
    ),
    # --- headlines beyond the labels' ---
    "absorbed": ("Hostile load came, and changed nothing", "Er kwam vijandige last, en die veranderde niets"),
    "likely.attack": ("Probably an attack, but not firmly so", "Waarschijnlijk een aanval, maar niet zeker"),
    "likely.demand": (
        "Probably more people than was rehearsed for, but not firmly so",
        "Waarschijnlijk meer mensen dan waarop was beproefd, maar niet zeker",
    ),
    "likely.own": (
        "Probably a fault of the platform itself, but not firmly so",
        "Waarschijnlijk een fout van het platform zelf, maar niet zeker",
    ),
    "likely.external": (
        "Probably a service that the platform depends on, but not firmly so",
        "Waarschijnlijk een dienst waarvan het platform afhangt, maar niet zeker",
    ),
    "likely.mixture": (
        "Probably several causes together, but not firmly so",
        "Waarschijnlijk meerdere oorzaken tegelijk, maar niet zeker",
    ),
    # --- three sentences ---
    "harm.none": (
        "Of {asked} people who asked to listen, {unheard} had no sound within ten seconds: no more than on any evening.",
        "Van {asked} mensen die wilden luisteren hadden er {unheard} niet binnen tien seconden geluid: niet meer dan op elke avond.",
    ),
    "harm.from": ("From {onset} on, {parts}.", "Vanaf {onset} {parts}."),
    "harm.unheard": (
        "{unheard} of {asked} people who asked to listen heard nothing within ten seconds",
        "hoorden {unheard} van {asked} mensen die wilden luisteren niets binnen tien seconden",
    ),
    "harm.cut": ("{cut} who were listening were cut off", "werden {cut} luisteraars afgebroken"),
    "harm.silenced": (
        "{silenced} who were listening sat in silence",
        "zaten {silenced} luisteraars in stilte",
    ),
    "count.unheard": (
        "{unheard} of {asked} people who asked to listen heard nothing within ten seconds",
        "{unheard} van {asked} mensen die wilden luisteren hoorden niets binnen tien seconden",
    ),
    "count.cut": (
        "{cut} who were listening were cut off",
        "{cut} luisteraars werden afgebroken",
    ),
    "count.silenced": (
        "{silenced} who were listening sat in silence",
        "{silenced} luisteraars zaten in stilte",
    ),
    "harm.share": ("{percent} percent were harmed", "{percent} procent leed schade"),
    "harm.estimated": (
        "Between {low} and {high} percent were harmed, by estimate: some of them nobody can have counted",
        "Tussen {low} en {high} procent leed schade, naar schatting: sommigen kan niemand hebben geteld",
    ),
    "why.one": (
        "The cause was {cause} ({kinds}): between {low} and {high} percent of the harm.",
        "De oorzaak was {cause} ({kinds}): tussen {low} en {high} procent van de schade.",
    ),
    "why.likely": (
        "The likeliest cause is {cause} ({kinds}): between {low} and {high} percent of the harm.",
        "De waarschijnlijkste oorzaak is {cause} ({kinds}): tussen {low} en {high} procent van de schade.",
    ),
    "why.whole": (
        "The cause was {cause} ({kinds}): all of the harm.",
        "De oorzaak was {cause} ({kinds}): alle schade.",
    ),
    "why.likely_whole": (
        "The likeliest cause is {cause} ({kinds}): all of the harm.",
        "De waarschijnlijkste oorzaak is {cause} ({kinds}): alle schade.",
    ),
    "why.mixture": ("It had several causes: {parts}.", "Het had meerdere oorzaken: {parts}."),
    "why.undetermined": (
        "From what was recorded nobody can say what caused it.",
        "Uit wat is vastgelegd kan niemand zeggen waardoor het kwam.",
    ),
    "why.none": ("There was nothing to explain.", "Er was niets te verklaren."),
    "part.small": ("{cause}, between {low} and {high} percent", "{cause}, tussen {low} en {high} procent"),
    "part": (
        "{cause} ({kinds}), between {low} and {high} percent of the harm",
        "{cause} ({kinds}), tussen {low} en {high} procent van de schade",
    ),
    "attack.absorbed": (
        "Hostile requests were {percent} percent of all that came, and they changed nothing.",
        "Van alles wat kwam was {percent} procent vijandig, en het veranderde niets.",
    ),
    "attack.absorbed_signals": (
        "There are signs of hostile load, and it changed nothing.",
        "Er zijn tekenen van vijandige last, en die veranderde niets.",
    ),
    "attack.no_part": ("An attack had no part in it.", "Een aanval had er geen deel aan."),
    "attack.none_seen": ("No hostile load was seen.", "Er is geen vijandige last gezien."),
    "attack.some": (
        "Hostile requests were {percent} percent of all that came.",
        "Van alles wat kwam was {percent} procent vijandig.",
    ),
    "attack.unclear": (
        "Of what was recorded, {percent} percent looked hostile; whether that mattered cannot be said.",
        "Van wat is vastgelegd leek {percent} procent vijandig; of dat ertoe deed is niet te zeggen.",
    ),
    # --- in brief ---
    "brief": ("In brief", "In het kort"),
    "harmed": ("Who was harmed", "Wie schade leed"),
    "when": ("When", "Wanneer"),
    "when.onset": (
        "It began at {onset}; the announced start was {starts}. Judged: {from_} to {to}.",
        "Het begon om {onset}; het aangekondigde begin was {starts}. Beoordeeld: {from_} tot {to}.",
    ),
    "when.none": (
        "Doors opened at {doors}, the announced start was {starts}. Judged: {from_} to {to}.",
        "De deuren gingen open om {doors}, het aangekondigde begin was {starts}. Beoordeeld: {from_} tot {to}.",
    ),
    "where": ("Where", "Waar"),
    "where.all": ("All {count} edges were hit.", "Alle {count} edges werden geraakt."),
    "where.some": (
        "Hit: {hit} of {count} edges ({names}).",
        "Geraakt: {hit} van {count} edges ({names}).",
    ),
    "where.unseen": (
        "Not seen for most of the time: {count}.",
        "Het grootste deel van de tijd niet gezien: {count}.",
    ),
    "where.none": ("None of {count} edges was hit.", "Geen van de {count} edges werd geraakt."),
    "where.nobody": ("No edge was recorded.", "Van geen edge is iets vastgelegd."),
    "shares": ("Shares of the harm", "Delen van de schade"),
    "shares.unclear": (
        "No shares are told: the evidence does not bear them.",
        "Er worden geen delen genoemd: het bewijs draagt die niet.",
    ),
    "share.range": ("{low} to {high} percent", "{low} tot {high} procent"),
    "share.one": ("{share} percent", "{share} procent"),
    "cell.percent": (
        "{share}%",
        "{share}%",
    ),
    "share.none": ("none that mattered", "geen dat ertoe deed"),
    "questions": ("Would it have happened", "Was het ook gebeurd"),
    "without.attack": ("without the attack?", "zonder de aanval?"),
    "without.demand": ("without the crowd?", "zonder de toeloop?"),
    "without.own": ("without the platform's own fault?", "zonder de fout van het platform zelf?"),
    "without.external": ("had what it depends on worked?", "als had gewerkt waarvan het afhangt?"),
    "answer.nothing": (
        "Nothing happened that there could be a cause of.",
        "Er is niets gebeurd dat een oorzaak kan hebben.",
    ),
    "answer.unknown": ("Cannot be said.", "Niet te zeggen."),
    "answer.no_part": (
        "Yes: it had no part in it that mattered.",
        "Ja: die had er geen deel aan dat ertoe deed.",
    ),
    "answer.no": (
        "No. Without it {without} percent would have been harmed, and not {with_} percent.",
        "Nee. Zonder dat had {without} procent schade geleden, en niet {with_} procent.",
    ),
    "answer.less": (
        "Not like this. Without it {without} percent would have been harmed, and not {with_} percent.",
        "Niet zo. Zonder dat had {without} procent schade geleden, en niet {with_} procent.",
    ),
    "answer.yes": (
        "Yes. Without it {without} percent would have been harmed, with it {with_} percent were.",
        "Ja. Zonder dat had {without} procent schade geleden, met dat leed {with_} procent schade.",
    ),
    "answer.perhaps": (
        "Perhaps not. In {necessary} of a hundred replays at least half of the harm would have been spared; in the likeliest one {without} percent would have been harmed, and not {with_} percent.",
        "Misschien niet. In {necessary} van honderd herhalingen was minstens de helft van de schade uitgebleven; in de waarschijnlijkste had {without} procent schade geleden, en niet {with_} procent.",
    ),
    "alone.enough": ("By itself it would have been enough.", "Op zichzelf was het genoeg geweest."),
    "alone.not_enough": ("By itself it would not have been enough.", "Op zichzelf was het niet genoeg geweest."),
    "alone.unsure": (
        "Whether it would have been enough by itself cannot be said.",
        "Of het op zichzelf genoeg was geweest is niet te zeggen.",
    ),
    "sure": ("How sure this is", "Hoe zeker dit is"),
    "firm": (
        "Firm: nearly all replays and all three starting assumptions agree, and nothing is missing that could turn it.",
        "Vast: bijna alle herhalingen en alle drie de uitgangspunten zijn het eens, en er ontbreekt niets dat het kan omkeren.",
    ),
    "firm.none": (
        "Firm: what was counted says so by itself, and nothing is missing that could turn it.",
        "Vast: wat is geteld zegt het al, en er ontbreekt niets dat het kan omkeren.",
    ),
    "sureness": (
        "Of a hundred verdicts as sure as this one {percent} are right, by incidents enacted in a laboratory.",
        "Van honderd uitspraken die zo zeker zijn als deze zijn er {percent} juist, naar incidenten in een laboratorium.",
    ),
    "not_firm": ("Not firm: {doubts}.", "Niet vast: {doubts}."),
    "doubt.missing": ("something is missing that could turn it", "er ontbreekt iets dat het kan omkeren"),
    "doubt.coverage": (
        "only {percent} percent of the records are here",
        "slechts {percent} procent van het verslag is er",
    ),
    "doubt.wide": (
        "the shares could be very different with other assumptions",
        "de delen kunnen met andere aannamen heel anders zijn",
    ),
    "doubt.assumptions": (
        "the replays, the signals and the three starting assumptions do not all agree",
        "de herhalingen, de signalen en de drie uitgangspunten zijn het niet alle eens",
    ),
    "signals.for": (
        "The signals by themselves are about {times} times likelier if there was an attack than if there was none: {word} for an attack having been there.",
        "De signalen op zich zijn ongeveer {times} keer waarschijnlijker als er een aanval was dan als er geen was: {word} voor de aanwezigheid van een aanval.",
    ),
    "signals.against": (
        "The signals by themselves are about {times} times likelier if there was no attack than if there was one: {word} for there having been none.",
        "De signalen op zich zijn ongeveer {times} keer waarschijnlijker als er geen aanval was dan als er een was: {word} voor de afwezigheid van een aanval.",
    ),
    "signals.neither": (
        "The signals by themselves say neither that there was an attack nor that there was none.",
        "De signalen op zich zeggen niet dat er een aanval was, en ook niet dat er geen was.",
    ),
    "unknown": ("What is not known", "Wat niet bekend is"),
    "unknown.none": ("Nothing that was to be recorded is missing.", "Niets dat moest worden vastgelegd ontbreekt."),
    "unknown.always": (
        "Who did it and what they meant: no record says that. Programs that behave in every way like listeners are counted as people.",
        "Wie het deed en met welke bedoeling: dat zegt geen verslag. Programma's die zich in alles als luisteraars gedragen, tellen als mensen.",
    ),
    "unknown.more": ("and {count} more", "en nog {count}"),
    "said": ("What was said at the time", "Wat er toen werd gezegd"),
    "said.none": ("Nobody made a statement that is in the log.", "Er staat geen verklaring in het logboek."),
    "said.brief": ("{at}: “{text}”", "{at}: “{text}”"),
    "said.claim": ("Claimed: {claim}.", "Beweerd: {claim}."),
    "said.then": (
        "The evidence then: “{label}”.",
        "Het bewijs op dat moment: “{label}”.",
    ),
    "said.then_firm": (
        "The evidence then, firmly: “{label}”.",
        "Het bewijs op dat moment, vast: “{label}”.",
    ),
    "said.then_nothing": ("Nobody had judged by then.", "Er was toen nog niet geoordeeld."),
    "said.warned": ("Its author had been warned of that.", "De auteur was daarvoor gewaarschuwd."),
    "said.exceeds": ("Claims more than the evidence shows.", "Beweert meer dan het bewijs laat zien."),
    "check": ("Check it yourself", "Zelf nagaan"),
    "check.how": (
        "This command reads the log, checks who signed what, and judges anew; with the key from somebody whom you trust it also says that it is the right log:",
        "Deze opdracht leest het logboek, gaat na wie wat heeft ondertekend, en oordeelt opnieuw; met de sleutel van iemand die u vertrouwt zegt zij ook dat het het juiste logboek is:",
    ),
    "check.place": ("BUNDLE-OR-ADDRESS", "BUNDEL-OF-ADRES"),
    "check.expect": (
        "It must end with this digest of the verdict: {digest}",
        "Zij moet eindigen met deze digest van het oordeel: {digest}",
    ),
    "check.bundle": (
        "Whoever has no Rostra takes {program} out of the bundle of the log: it needs Python and one well-known library.",
        "Wie geen Rostra heeft, neemt {program} uit de bundel van het logboek: dat heeft Python en één bekende bibliotheek nodig.",
    ),
}
