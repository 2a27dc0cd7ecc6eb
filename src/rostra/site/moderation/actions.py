"""What can be decided: each action, what it restricts, its words in the API and in the Transparency Database."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Action:
    """`on` are the kinds of target; `restricts` the restriction that it puts on them (none for a mere warning).

    `warning` is AccountWarning's word for it; `statement` the Transparency Database's field and value;
    `until` that field's end date.
    """

    name: str
    on: frozenset[str]
    restricts: str | None
    warning: str
    statement: tuple[str, str] | None
    until: str = "end_date_visibility_restriction"


_ACCOUNT, _STATUS, _TALK = frozenset({"account"}), frozenset({"status"}), frozenset({"conversation"})
_VISIBILITY = "decision_visibility"
_CONTENT = "DECISION_VISIBILITY_CONTENT_"
_ACCOUNT_UNTIL, _SERVICE_UNTIL = "end_date_account_restriction", "end_date_service_restriction"

ACTIONS: Final = {
    action.name: action
    for action in (
        Action("none", _ACCOUNT | _STATUS | _TALK, None, "none", None),
        Action("label", _STATUS, "label", "none", (_VISIBILITY, _CONTENT + "LABELLED")),
        Action("mark_sensitive", _STATUS, "sensitive", "mark_statuses_as_sensitive",
               (_VISIBILITY, "DECISION_VISIBILITY_OTHER")),
        Action("hide", _STATUS, "hide", "delete_statuses", (_VISIBILITY, _CONTENT + "DISABLED")),
        Action("remove", _STATUS, "remove", "delete_statuses", (_VISIBILITY, _CONTENT + "REMOVED")),
        Action("sensitive", _ACCOUNT, "sensitive", "sensitive", (_VISIBILITY, "DECISION_VISIBILITY_OTHER")),
        Action("silence", _ACCOUNT, "silence", "silence", (_VISIBILITY, _CONTENT + "DEMOTED")),
        Action("disable", _ACCOUNT, "disable", "disable",
               ("decision_provision", "DECISION_PROVISION_TOTAL_SUSPENSION"), _SERVICE_UNTIL),
        Action("suspend", _ACCOUNT, "suspend", "suspend",
               ("decision_account", "DECISION_ACCOUNT_SUSPENDED"), _ACCOUNT_UNTIL),
        Action("limit", _TALK, "limit", "none", (_VISIBILITY, _CONTENT + "DEMOTED")),
        Action("end", _TALK, "end", "none",
               ("decision_provision", "DECISION_PROVISION_PARTIAL_TERMINATION"), _SERVICE_UNTIL),
    )
}  # fmt: skip
REINSTATE: Final = "reinstate"
SENSITIVE_IN_WORDS: Final = "Media are shown behind a warning."  # decision_visibility_other
SUSPENDING: Final = frozenset({"suspend", "disable"})  # what closes streams and takes people off the stage
