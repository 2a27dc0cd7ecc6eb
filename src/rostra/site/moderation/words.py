"""What moderation is called in pages and letters: texts for people, translated where they are shown."""

from typing import Final

from rostra.site.moderation.statement import Category
from rostra.site.pages.languages import N_

ACTIONS: Final = {
    "none": N_("Warning"),
    "label": N_("Post labelled"),
    "mark_sensitive": N_("Post marked as sensitive"),
    "hide": N_("Post hidden"),
    "remove": N_("Post removed"),
    "sensitive": N_("All media marked as sensitive"),
    "silence": N_("Account limited"),
    "disable": N_("Account frozen"),
    "suspend": N_("Account suspended"),
    "limit": N_("Conversation limited"),
    "end": N_("Conversation ended"),
    "reinstate": N_("Reinstated"),
}
# The same, to whom it happens.
YOURS: Final = {
    "none": N_("A warning about your account"),
    "label": N_("Your post was labelled"),
    "mark_sensitive": N_("Your post was marked as sensitive"),
    "hide": N_("Your post was hidden"),
    "remove": N_("Your post was removed"),
    "sensitive": N_("All your media were marked as sensitive"),
    "silence": N_("Your account was limited"),
    "disable": N_("Your account was frozen"),
    "suspend": N_("Your account was suspended"),
    "limit": N_("Your conversation was limited"),
    "end": N_("Your conversation was ended"),
    "reinstate": N_("A restriction of yours was lifted"),
}
MEANING: Final = {
    "none": N_("Nothing is restricted."),
    "label": N_("The post is shown with a label."),
    "mark_sensitive": N_("Its media are shown behind a warning."),
    "hide": N_("Nobody sees the post."),
    "remove": N_("Nobody sees the post. When the time for an appeal is over, its content is destroyed."),
    "sensitive": N_("The media of the account are shown behind a warning."),
    "silence": N_("Only followers see what the account posts; others find it by its address."),
    "disable": N_("The account cannot be used. What it has posted stays to be seen."),
    "suspend": N_("The account cannot be used, and nobody sees what it has posted. Nothing is destroyed."),
    "limit": N_("The conversation is not listed; it can be reached by its address."),
    "end": N_("The conversation is over, or will not take place."),
    "reinstate": N_("Everything is as it was before."),
}
SOURCES: Final = {
    "SOURCE_ARTICLE_16": N_("a notice of illegal content"),
    "SOURCE_TRUSTED_FLAGGER": N_("a notice by a trusted flagger"),
    "SOURCE_TYPE_OTHER_NOTIFICATION": N_("a report"),
    "SOURCE_VOLUNTARY": N_("the moderators' own initiative"),
}
GROUNDS: Final = {"illegal": N_("against the law"), "terms": N_("against the rules of this site")}
AUTOMATED: Final = {
    "AUTOMATED_DECISION_FULLY": N_("made by a machine"),
    "AUTOMATED_DECISION_PARTIALLY": N_("made with the help of a machine"),
    "AUTOMATED_DECISION_NOT_AUTOMATED": N_("made by a person"),
}
CATEGORIES: Final = {
    Category.OTHER_VIOLATION_TC: N_("Other rule of this site"),
    Category.ILLEGAL_OR_HARMFUL_SPEECH: N_("Illegal or harmful speech"),
    Category.VIOLENCE: N_("Violence"),
    Category.CYBER_VIOLENCE: N_("Cyber violence"),
    Category.CYBER_VIOLENCE_AGAINST_WOMEN: N_("Cyber violence against women"),
    Category.SCAMS_AND_FRAUD: N_("Scams and fraud"),
    Category.PROTECTION_OF_MINORS: N_("Protection of minors"),
    Category.SELF_HARM: N_("Self-harm"),
    Category.RISK_FOR_PUBLIC_SECURITY: N_("Risk for public security"),
    Category.NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS: N_("Civic discourse or elections"),
    Category.DATA_PROTECTION_AND_PRIVACY_VIOLATIONS: N_("Data protection and privacy"),
    Category.INTELLECTUAL_PROPERTY_INFRINGEMENTS: N_("Intellectual property"),
    Category.CONSUMER_INFORMATION: N_("Consumer information"),
    Category.UNSAFE_AND_PROHIBITED_PRODUCTS: N_("Unsafe or prohibited products"),
    Category.ANIMAL_WELFARE: N_("Animal welfare"),
    Category.NOT_SPECIFIED_NOTICE: N_("Not specified in the notice"),
}
REPORTED: Final = {
    "spam": N_("Spam"),
    "legal": N_("Against the law"),
    "violation": N_("Against a rule of this site"),
    "other": N_("Something else"),
}
LETTERS: Final = {
    "order": N_("Order to act (art. 9)"),
    "information": N_("Order to inform (art. 10)"),
    "warning": N_("Warning or request"),
}
