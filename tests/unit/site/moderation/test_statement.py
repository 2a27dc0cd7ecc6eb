"""The Transparency Database's rules: what it would refuse is refused, what it takes is written as it stands."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from rostra.site.moderation.statement import Statement

SUSPENDED: dict[str, Any] = {
    "decision_account": "DECISION_ACCOUNT_SUSPENDED",
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "incompatible_content_ground": "Rule 1: be kind",
    "incompatible_content_explanation": "The posts insult other people, which rule 1 forbids.",
    "content_type": ["CONTENT_TYPE_AUDIO", "CONTENT_TYPE_TEXT"],
    "category": "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
    "territorial_scope": ["NL", "BE"],
    "content_language": "NL",
    "content_date": "2026-11-20",
    "application_date": "2026-11-21",
    "end_date_account_restriction": "2026-12-21",
    "decision_facts": "Three posts called another person a liar.",
    "source_type": "SOURCE_ARTICLE_16",
    "automated_detection": "No",
    "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
    "puid": "117655968153665536",
}
GOLDEN = """\
{
  "application_date": "2026-11-21",
  "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
  "automated_detection": "No",
  "category": "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH",
  "content_date": "2026-11-20",
  "content_language": "NL",
  "content_type": [
    "CONTENT_TYPE_AUDIO",
    "CONTENT_TYPE_TEXT"
  ],
  "decision_account": "DECISION_ACCOUNT_SUSPENDED",
  "decision_facts": "Three posts called another person a liar.",
  "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
  "end_date_account_restriction": "2026-12-21",
  "incompatible_content_explanation": "The posts insult other people, which rule 1 forbids.",
  "incompatible_content_ground": "Rule 1: be kind",
  "puid": "117655968153665536",
  "source_type": "SOURCE_ARTICLE_16",
  "territorial_scope": [
    "NL",
    "BE"
  ]
}"""


def test_a_statement_is_written_as_the_database_takes_it() -> None:
    written = Statement.model_validate(SUSPENDED).as_submitted()
    assert json.dumps(written, indent=2, sort_keys=True) == GOLDEN


def test_a_statement_on_illegal_content_has_the_law_instead_of_the_terms() -> None:
    given = {name: value for name, value in SUSPENDED.items() if not name.startswith("incompatible")} | {
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "illegal_content_legal_ground": "Article 261 Sr",
        "illegal_content_explanation": "It accuses somebody of theft in public.",
    }
    assert Statement.model_validate(given).illegal_content_legal_ground == "Article 261 Sr"
    with pytest.raises(ValidationError, match="other ground's fields are not told"):
        Statement.model_validate(given | {"incompatible_content_ground": "Rule 1"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"decision_account": None}, "one of visibility, monetary, provision and account"),
        ({"decision_ground": "DECISION_GROUND_MOOD"}, "decision_ground"),
        ({"incompatible_content_ground": None}, "its ground and its explanation"),
        ({"incompatible_content_ground": "x" * 501}, "at most 500"),
        ({"incompatible_content_explanation": "x" * 2001}, "at most 2000"),
        ({"decision_facts": "x" * 5001}, "at most 5000"),
        ({"decision_facts": ""}, "at least 1"),
        ({"content_type": []}, "content_type"),
        ({"content_type": ["CONTENT_TYPE_OTHER"]}, "content_type_other is told exactly"),
        ({"content_type_other": "A smell"}, "content_type_other is told exactly"),
        ({"decision_visibility": ["DECISION_VISIBILITY_OTHER"]}, "decision_visibility_other is told exactly"),
        ({"decision_monetary_other": "Less pay"}, "decision_monetary_other is told exactly"),
        ({"decision_visibility": ["DECISION_VISIBILITY_SHOUTED"]}, "decision_visibility"),
        ({"category": "STATEMENT_CATEGORY_RUDENESS"}, "category"),
        ({"category_specification": ["RUDE"]}, "category_specification"),
        ({"territorial_scope": ["US"]}, "territorial_scope"),
        ({"content_language": "nl"}, "content_language"),
        ({"content_date": "1999-12-31"}, "content_date"),
        ({"application_date": "2019-12-31"}, "application_date"),
        ({"application_date": "2038-01-02"}, "application_date"),
        ({"source_type": "SOURCE_VOLUNTARY", "source_identity": "Eva"}, "source_identity is not told"),
        ({"automated_detection": "Perhaps"}, "automated_detection"),
        ({"automated_decision": "AUTOMATED"}, "automated_decision"),
        ({"puid": "with space"}, "puid"),
        ({"puid": ""}, "puid"),
        ({"reinstated": True}, "reinstated"),
    ],
)
def test_what_the_database_would_refuse_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Statement.model_validate(SUSPENDED | change)
