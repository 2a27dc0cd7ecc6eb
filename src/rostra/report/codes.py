"""What each code of a verdict is in words, in English and Dutch: a test walks all codes. Braces take numbers.

Words are of the kind that courts and auditors use: they name classes of causes, never persons, and nobody's intent.
"""

from typing import Final

Both = tuple[str, str]

LABELS: Final[dict[str, Both]] = {
    "label.none": ("Nothing went wrong", "Er ging niets mis"),
    "label.attack": ("An attack was the cause", "Een aanval was de oorzaak"),
    "label.demand": (
        "More people came than was rehearsed for",
        "Er kwamen meer mensen dan waarop was beproefd",
    ),
    "label.own": ("The platform itself was at fault", "De fout lag bij het platform zelf"),
    "label.external": (
        "A service that the platform depends on failed",
        "Een dienst waarvan het platform afhangt faalde",
    ),
    "label.mixture": ("Several causes together", "Meerdere oorzaken tegelijk"),
    "label.undetermined": ("The cause cannot be determined", "De oorzaak is niet vast te stellen"),
}

CAUSES: Final[dict[str, Both]] = {
    "cause.attack": ("an attack", "een aanval"),
    "cause.demand": ("more people than was rehearsed for", "meer mensen dan waarop was beproefd"),
    "cause.own": ("a fault of the platform itself", "een fout van het platform zelf"),
    "cause.external": ("a service that the platform depends on", "een dienst waarvan het platform afhangt"),
    "cause.dependency": ("a service that the platform depends on", "een dienst waarvan het platform afhangt"),
    "short.attack": ("attack", "aanval"),
    "short.demand": ("crowd", "toeloop"),
    "short.own": ("own fault", "eigen fout"),
    "short.external": ("dependency", "afhankelijkheid"),
    "claim.attack": ("it was an attack", "het was een aanval"),
    "claim.demand": ("it was the crowd", "het was de toeloop"),
    "claim.own": ("it was our own fault", "het was onze eigen fout"),
    "claim.dependency": ("it was a service that we depend on", "het was een dienst waarvan wij afhangen"),
    "claim.none": ("nothing went wrong", "er ging niets mis"),
}

CLASSES: Final[dict[str, Both]] = {
    "class.N": ("no incident", "geen incident"),
    "class.A1": ("a flood that fills the line", "een vloed die de lijn vult"),
    "class.A2": ("a flood of half-opened connections", "een vloed van halve verbindingen"),
    "class.A3": ("a flood of requests", "een vloed van aanvragen"),
    "class.A4": (
        "programs that take listeners' places and do not listen",
        "programma's die plaatsen van luisteraars innemen en niet luisteren",
    ),
    "class.A5": (
        "connections held open and left idle",
        "verbindingen die open worden gehouden zonder iets te vragen",
    ),
    "class.D1": ("a crowd larger than was rehearsed for", "een grotere toeloop dan waarop was beproefd"),
    "class.D2": ("the same people asking over and over", "dezelfde mensen die het steeds opnieuw proberen"),
    "class.O1": ("a crash or a machine that broke", "een proces of machine die uitviel"),
    "class.O2": ("a new version that was bad", "een nieuwe versie die niet deugde"),
    "class.O3": ("a wrong setting", "een verkeerde instelling"),
    "class.O4": ("a limit that was set too low", "een grens die te laag was gesteld"),
    "class.O5": (
        "less capacity than was rehearsed, such as after a move of servers",
        "minder capaciteit dan beproefd, zoals na een verhuizing van servers",
    ),
    "class.O6": ("no sound from the stage", "geen geluid van het podium"),
    "class.X1": ("a service that others run", "een dienst van anderen"),
}

# The European forensic institutes' scale of words (ENFSI, 2015).
STRENGTHS: Final[dict[str, Both]] = {
    "strength.none": ("no support", "geen steun"),
    "strength.limited": ("limited support", "beperkte steun"),
    "strength.moderate": ("moderate support", "matige steun"),
    "strength.moderately_strong": ("moderately strong support", "tamelijk sterke steun"),
    "strength.strong": ("strong support", "sterke steun"),
    "strength.very_strong": ("very strong support", "zeer sterke steun"),
}

PRIORS: Final[dict[str, Both]] = {
    "prior.uniform": ("every class alike likely", "elke klasse even waarschijnlijk"),
    "prior.base_rate": (
        "as often as outages elsewhere had that cause",
        "zo vaak als storingen elders die oorzaak hadden",
    ),
    "prior.operator": (
        "as somebody would start who believes no operator that says “attack”",
        "zoals iemand begint die geen beheerder gelooft die “aanval” zegt",
    ),
}

SIGNALS: Final[dict[str, Both]] = {
    "signal.crowd.within": (
        "At its fullest: {times} times what was rehearsed",
        "Op het drukst: {times} keer wat was beproefd",
    ),
    "signal.crowd.near": (
        "About as many as was rehearsed: {times} times",
        "Ongeveer zoveel als was beproefd: {times} keer",
    ),
    "signal.crowd.beyond": (
        "{times} times as many as was rehearsed",
        "{times} keer zoveel als was beproefd",
    ),
    "signal.repeats.few": ("Few asked again: {times} times each", "Weinigen vroegen opnieuw: elk {times} keer"),
    "signal.repeats.some": ("Many asked again: {times} times each", "Velen vroegen opnieuw: elk {times} keer"),
    "signal.repeats.many": (
        "People asked over and over: {times} times each",
        "Mensen vroegen steeds opnieuw: elk {times} keer",
    ),
    "signal.conduct.listening": (
        "Who was let in listened; {times} refused requests for each asker",
        "Wie binnen was luisterde; per vrager {times} geweigerde aanvragen",
    ),
    "signal.conduct.refused": (
        "Requests that nobody who listens makes: {times} refused for each asker",
        "Aanvragen die geen luisteraar doet: per vrager {times} geweigerd",
    ),
    "signal.conduct.many_refused": (
        "Many requests that nobody who listens makes: {times} refused for each asker",
        "Veel aanvragen die geen luisteraar doet: per vrager {times} geweigerd",
    ),
    "signal.conduct.some_deaf": (
        "{percent} percent of those who asked did not behave like listeners",
        "{percent} procent van wie vroeg gedroeg zich niet als luisteraar",
    ),
    "signal.conduct.many_deaf": (
        "{percent} percent of those who asked did not behave like listeners",
        "{percent} procent van wie vroeg gedroeg zich niet als luisteraar",
    ),
    "signal.sources.usual": (
        "They came from networks as before ({percent} points more strangers)",
        "Ze kwamen van netwerken als tevoren ({percent} punten meer onbekenden)",
    ),
    "signal.sources.strangers": (
        "{percent} points more strangers than before",
        "{percent} punten meer onbekenden dan tevoren",
    ),
    "signal.sources.concentrated": (
        "A few networks asked far more than the others",
        "Enkele netwerken vroegen veel meer dan de andere",
    ),
    "signal.kernel.quiet": ("Nothing unusual below the programs", "Niets ongewoons onder de programma's"),
    "signal.kernel.overflow": (
        "Connections came faster than the program took them",
        "Verbindingen kwamen sneller dan het programma ze aannam",
    ),
    "signal.kernel.line": (
        "{percent} percent of packets were lost on the line",
        "{percent} procent van de pakketten ging op de lijn verloren",
    ),
    "signal.kernel.handshakes": (
        "{times} connections begun and never finished for each that was",
        "{times} begonnen en nooit voltooide verbindingen per voltooide",
    ),
    "signal.connections.used": (
        "Connections were used: {times} idle ones for each listener",
        "Verbindingen werden gebruikt: per luisteraar {times} die niets deden",
    ),
    "signal.connections.idle": (
        "Many idle connections: {times} for each listener",
        "Veel verbindingen die niets deden: {times} per luisteraar",
    ),
    "signal.connections.mostly_idle": (
        "Mostly idle connections: {times} for each listener",
        "Vooral verbindingen die niets deden: {times} per luisteraar",
    ),
    "signal.limits.rehearsed": (
        "Places as rehearsed: {percent} percent",
        "Plaatsen zoals beproefd: {percent} procent",
    ),
    "signal.limits.lower": (
        "Only {percent} percent of the rehearsed places were open",
        "Slechts {percent} procent van de beproefde plaatsen was open",
    ),
    "signal.limits.far_lower": (
        "Only {percent} percent of the rehearsed places were open",
        "Slechts {percent} procent van de beproefde plaatsen was open",
    ),
    "signal.resource.rehearsed": (
        "Edges let in as many a second as rehearsed: {percent} percent",
        "Edges lieten per seconde zoveel binnen als beproefd: {percent} procent",
    ),
    "signal.resource.slower": (
        "An edge let in {percent} percent of what was rehearsed",
        "Een edge liet {percent} procent binnen van wat was beproefd",
    ),
    "signal.resource.far_slower": (
        "An edge let in only {percent} percent of what was rehearsed",
        "Een edge liet slechts {percent} procent binnen van wat was beproefd",
    ),
    "signal.answers.fine": (
        "Edges answered: {percent} percent failed",
        "Edges antwoordden: {percent} procent mislukte",
    ),
    "signal.answers.failing": (
        "{percent} percent of answers failed",
        "{percent} procent van de antwoorden mislukte",
    ),
    "signal.answers.mostly_failing": (
        "{percent} percent of answers failed",
        "{percent} procent van de antwoorden mislukte",
    ),
    "signal.presence.there": ("Every edge was there", "Elke edge was er"),
    "signal.presence.paused": ("An edge stood still for {seconds} s", "Een edge stond {seconds} s stil"),
    "signal.presence.down": ("An edge was gone for {seconds} s", "Een edge was {seconds} s weg"),
    "signal.programme.sounding": ("The programme sounded", "Het programma klonk"),
    "signal.programme.silent": ("The programme was silent", "Het programma was stil"),
    "signal.dependency.answering": ("What we depend on answered", "Waar wij van afhangen antwoordde"),
    "signal.dependency.slow": ("What we depend on was slow", "Waar wij van afhangen was traag"),
    "signal.dependency.failing": (
        "What {count} processes depend on failed",
        "Waar {count} processen van afhangen faalde",
    ),
    "signal.change.none": ("Nothing was changed just before", "Er werd kort tevoren niets veranderd"),
    "signal.change.limit": ("A limit was changed just before", "Kort tevoren werd een grens veranderd"),
    "signal.change.configuration": (
        "A setting was changed just before",
        "Kort tevoren werd een instelling veranderd",
    ),
    "signal.change.deploy": (
        "Another version was put in place just before",
        "Kort tevoren werd een andere versie geplaatst",
    ),
    "signal.change.move": ("Servers were moved just before", "Kort tevoren werden servers verhuisd"),
    "signal.contrast.alike": (
        "All edges fared alike ({percent} points apart)",
        "Alle edges verging het gelijk ({percent} punten verschil)",
    ),
    "signal.contrast.part": (
        "Some edges failed while others had no harm ({percent} points apart)",
        "Sommige edges faalden terwijl andere geen schade hadden ({percent} punten verschil)",
    ),
    "signal.unknown": ("Nobody counted it", "Niemand telde het"),
}

GROUPS: Final[dict[str, Both]] = {
    "group.crowd": ("how many wanted in", "hoeveel er binnen wilden"),
    "group.repeats": ("asking again", "opnieuw vragen"),
    "group.conduct": ("conduct of those who asked", "gedrag van wie vroeg"),
    "group.sources": ("where they came from", "waar ze vandaan kwamen"),
    "group.kernel": ("packets and handshakes", "pakketten en handshakes"),
    "group.connections": ("connections", "verbindingen"),
    "group.limits": ("limits in force", "geldende grenzen"),
    "group.resource": ("what edges could bear", "wat edges konden dragen"),
    "group.answers": ("answers", "antwoorden"),
    "group.presence": ("presence of edges", "aanwezigheid van edges"),
    "group.programme": ("sound from the stage", "geluid van het podium"),
    "group.dependency": ("what we depend on", "waar wij van afhangen"),
    "group.change": ("changes", "veranderingen"),
    "group.contrast": ("one edge against another", "de ene edge tegen de andere"),
}

CHANGES: Final[dict[str, Both]] = {
    "change.deploy": ("another version", "andere versie"),
    "change.rollback": ("back to an earlier version", "terug naar een eerdere versie"),
    "change.configuration": ("settings changed", "instellingen veranderd"),
    "change.limit": ("limit changed", "grens veranderd"),
    "change.scale": ("edge added or taken away", "edge erbij of eraf"),
    "change.move": ("server moved", "server verhuisd"),
    "change.certificate": ("certificate renewed", "certificaat vernieuwd"),
    "change.key": ("keys changed", "sleutels vervangen"),
    "change.mitigation": ("the shield barred networks", "het schild weerde netwerken"),
    "change.manual": ("done by hand", "met de hand gedaan"),
    "change.rehearsal": ("rehearsed anew", "opnieuw beproefd"),
    "change.notice": ("notice by a host", "mededeling van een gastheer"),
    "change.statement": ("statement", "verklaring"),
    "change.start": ("a process started", "een proces begon"),
    "change.stop": ("a process stopped", "een proces stopte"),
}

UNKNOWNS: Final[dict[str, Both]] = {
    "unknown.unseen_s": (
        "{subject}: its records of {seconds} s are missing",
        "{subject}: het verslag van {seconds} s ontbreekt",
    ),
    "unknown.nobody_counted": (
        "Nobody counted what happened at the {subject}",
        "Niemand telde wat er gebeurde bij: {subject}",
    ),
    "unknown.never_heard_of": (
        "{subject} was to be there and said nothing",
        "{subject} had er moeten zijn en zei niets",
    ),
    "unknown.capacity_not_rehearsed": (
        "{subject}: what it can bear was never rehearsed",
        "{subject}: wat die aankan is nooit beproefd",
    ),
    "unknown.no_plan": (
        "Nothing was registered beforehand: what the evening is held against is not known",
        "Er is vooraf niets vastgelegd: waaraan de avond wordt gemeten is niet bekend",
    ),
    "unknown.plan_late": (
        "What the evening is held against was registered, or changed, after the doors opened",
        "Waaraan de avond wordt gemeten is pas na het opengaan van de deuren vastgelegd of veranderd",
    ),
    "unknown.not_measured": ("Nobody counted: {subject}", "Niemand telde: {subject}"),
    "place.edges": ("edges", "edges"),
    "place.stage": ("stage", "podium"),
}

CONTRASTS: Final[dict[str, Both]] = {
    "contrast.began": (
        "{at}: {subject} began to rise (between {low} and {high})",
        "{at}: {subject} begon te stijgen (tussen {low} en {high})",
    ),
    "contrast.changed": ("{at}: {subject}", "{at}: {subject}"),
    "contrast.difference": (
        "Where it was so ({subject}; {exposed_edges} edges), {exposed_more} points more heard nothing than before; elsewhere ({other_edges} edges) {other_more} points more.",
        "Waar dat zo was ({subject}; {exposed_edges} edges) hoorde {exposed_more} punten meer niets dan tevoren; elders ({other_edges} edges) {other_more} punten meer.",
    ),
    "contrast.dose": (
        "{subject} and harm: rank correlation {correlation} over {cells} pieces of ten seconds of one edge (one: where there is more of the one, there is always more of the other; nought: no relation).",
        "{subject} en schade: rangcorrelatie {correlation} over {cells} stukken van tien seconden van één edge (één: waar meer is van het een, is altijd meer van het ander; nul: geen verband).",
    ),
    "contrast.switched": (
        "{at}: {subject}. In the half minute before, {before} percent heard nothing; in the half minute after, {after} percent.",
        "{at}: {subject}. In de halve minuut ervoor hoorde {before} procent niets; in de halve minuut erna {after} procent.",
    ),
    "series.asked": ("people asking", "het aantal mensen dat vraagt"),
    "series.refused": ("refused requests", "het aantal geweigerde aanvragen"),
    "series.unfinished_handshakes": ("unfinished handshakes", "het aantal onvoltooide handshakes"),
    "series.failed": ("failed answers", "het aantal mislukte antwoorden"),
    "series.told_to_wait": ("people told to wait", "het aantal mensen dat moet wachten"),
    "series.attack": ("hostile load", "vijandige last"),
    "series.hostile": ("Hostile load", "Vijandige last"),
    "series.people": ("Number of people", "Aantal mensen"),
}

PARAMETERS: Final[dict[str, Both]] = {
    "draw.capacity": ("what an edge bears, of what was rehearsed", "wat een edge draagt, van wat was beproefd"),
    "draw.unknown_capacity": (
        "and where nothing was rehearsed, of what it was seen to bear",
        "en waar niets was beproefd, van wat hij bleek te dragen",
    ),
    "draw.retry_hz": (
        "how often a second somebody who hears nothing asks again",
        "hoe vaak per seconde iemand die niets hoort opnieuw vraagt",
    ),
    "draw.patience_hz": ("how many a second go for good", "hoeveel er per seconde voorgoed weggaan"),
    "draw.refusal_cost": ("what a refused request costs, of a join", "wat een weigering kost, van een binnenkomst"),
    "draw.hostile": ("how much of the hostile-looking load counts", "hoeveel van de vijandig ogende last telt"),
    "draw.intent": ("how much of doubtful load was hostile", "hoeveel van de twijfelachtige last vijandig was"),
    "draw.unseen": (
        "how many of those whom nobody can have seen were there",
        "hoeveel er waren van wie niemand kan hebben gezien",
    ),
}

CODES: Final[dict[str, Both]] = {
    **LABELS, **CAUSES, **CLASSES, **STRENGTHS, **PRIORS, **SIGNALS, **GROUPS, **CHANGES, **UNKNOWNS, **CONTRASTS,
    **PARAMETERS,
}  # fmt: skip
