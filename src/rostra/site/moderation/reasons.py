"""The reasons of a decision (art. 17): given by a moderator, checked before anything is decided."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic import ValidationError

from rostra.site.answers import invalid
from rostra.site.database.tables.moderation import Decision, Report
from rostra.site.moderation.actions import ACTIONS, SENSITIVE_IN_WORDS
from rostra.site.moderation.statement import Category, Statement
from rostra.site.snowflake import instant_of

_HANDLE: Final = re.compile(r"(?<!\w)@\w+|[\w.+-]+@[\w-]+\.\w+")
NOT_AUTOMATED: Final = "AUTOMATED_DECISION_NOT_AUTOMATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """`legal_ground` is the law or the rule; `facts` are published and name nobody; no `territory`: everywhere."""

    ground: str  # illegal, terms
    legal_ground: str
    explanation: str
    facts: str
    category: str = Category.OTHER_VIOLATION_TC
    rule_id: int | None = None
    territory: tuple[str, ...] = ()
    automated_detection: bool = False
    automated_decision: str = NOT_AUTOMATED


def source_of(report: Report | None) -> str:
    """Who made us look, as the Transparency Database calls it."""
    if report is None:
        return "SOURCE_VOLUNTARY"
    if report.source == "trusted_flagger":
        return "SOURCE_TRUSTED_FLAGGER"
    return "SOURCE_ARTICLE_16" if report.category == "legal" else "SOURCE_TYPE_OTHER_NOTIFICATION"


def check_names_nobody(facts: str, names: Sequence[str]) -> None:
    """RefusedError if the facts, which are published, hold an address, a handle, or one of `names`."""
    folded = facts.casefold()
    named = next(
        (name for name in names if len(name) > 2 and re.search(rf"\b{re.escape(name.casefold())}\b", folded)), ""
    )
    found = _HANDLE.search(facts)
    if named or found:
        shown = named or (found.group() if found else "")
        raise invalid(f"Validation failed: Facts are published and must not name anybody ({shown})")


def statement_of(decision: Decision, target_ids: Sequence[int]) -> Statement:
    """The statement that the Transparency Database would take. RefusedError (422) if it would not take it."""
    action = ACTIONS[decision.action]
    assert action.statement is not None, "A warning restricts nothing: it needs no statement."
    field, value = action.statement
    fields: dict[str, Any] = {field: [value] if field == "decision_visibility" else value}
    if value == "DECISION_VISIBILITY_OTHER":
        fields["decision_visibility_other"] = SENSITIVE_IN_WORDS
    if decision.ground == "illegal":
        fields |= {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": decision.legal_ground,
            "illegal_content_explanation": decision.explanation,
        }
    else:
        fields |= {
            "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
            "incompatible_content_ground": decision.legal_ground,
            "incompatible_content_explanation": decision.explanation,
        }
    if decision.ends_at is not None:
        fields[action.until] = decision.ends_at.date()
    try:
        return Statement.model_validate({
            **fields,
            "content_type": [f"CONTENT_TYPE_{each}" for each in decision.content_types],
            "category": decision.category,
            "territorial_scope": decision.territorial_scope,
            "content_date": _made_on(min(target_ids), decision.decided_at),
            "application_date": decision.decided_at.date(),
            "decision_facts": decision.facts,
            "source_type": decision.source_type,
            "automated_detection": "Yes" if decision.automated_detection else "No",
            "automated_decision": decision.automated_decision,
            "puid": str(decision.id),
        })  # fmt: skip
    except ValidationError as error:
        raise invalid(f"Validation failed: {_said(error)}") from error


def _made_on(snowflake: int, decided_at: datetime) -> date:
    """The day on which the content was made: its id tells, unless it was given by hand."""
    made = instant_of(snowflake)
    return made.date() if made.year >= 2000 else decided_at.date()


def _said(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "statement"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
