"""A statement of reasons as the DSA Transparency Database takes it (art. 24(5)): its fields and their rules. Pure.

Transcribed from the Commission's own validation (digital-services-act/transparency-database, StatementStoreRequest,
of 24 June 2026). Statements are checked and exported; nothing is ever submitted by this program.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_EU: Final = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
    "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
COUNTRIES: Final = (*_EU, "IS", "LI", "NO")  # the EEA
_FIRST_CONTENT, _FIRST_APPLICATION, _LAST = date(2000, 1, 1), date(2020, 1, 1), date(2038, 1, 1)

Short = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Explanation = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Facts = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
YesNo = Literal["Yes", "No"]


class Category(StrEnum):
    """STATEMENT_CATEGORY_…: what is wrong, by kind."""

    ANIMAL_WELFARE = "STATEMENT_CATEGORY_ANIMAL_WELFARE"
    CONSUMER_INFORMATION = "STATEMENT_CATEGORY_CONSUMER_INFORMATION"
    CYBER_VIOLENCE = "STATEMENT_CATEGORY_CYBER_VIOLENCE"
    CYBER_VIOLENCE_AGAINST_WOMEN = "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN"
    DATA_PROTECTION_AND_PRIVACY_VIOLATIONS = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"
    ILLEGAL_OR_HARMFUL_SPEECH = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"
    INTELLECTUAL_PROPERTY_INFRINGEMENTS = "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS"
    NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS = (
        "STATEMENT_CATEGORY_NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS"
    )
    NOT_SPECIFIED_NOTICE = "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE"
    OTHER_VIOLATION_TC = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
    PROTECTION_OF_MINORS = "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"
    RISK_FOR_PUBLIC_SECURITY = "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY"
    SCAMS_AND_FRAUD = "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"
    SELF_HARM = "STATEMENT_CATEGORY_SELF_HARM"
    UNSAFE_AND_PROHIBITED_PRODUCTS = "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS"
    VIOLENCE = "STATEMENT_CATEGORY_VIOLENCE"


Visibility = Literal[
    "DECISION_VISIBILITY_CONTENT_REMOVED",
    "DECISION_VISIBILITY_CONTENT_DISABLED",
    "DECISION_VISIBILITY_CONTENT_DEMOTED",
    "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED",
    "DECISION_VISIBILITY_CONTENT_LABELLED",
    "DECISION_VISIBILITY_OTHER",
]
Monetary = Literal["DECISION_MONETARY_SUSPENSION", "DECISION_MONETARY_TERMINATION", "DECISION_MONETARY_OTHER"]
Provision = Literal[
    "DECISION_PROVISION_PARTIAL_SUSPENSION",
    "DECISION_PROVISION_PARTIAL_TERMINATION",
    "DECISION_PROVISION_TOTAL_SUSPENSION",
    "DECISION_PROVISION_TOTAL_TERMINATION",
]
ContentType = Literal[
    "CONTENT_TYPE_APP",
    "CONTENT_TYPE_AUDIO",
    "CONTENT_TYPE_IMAGE",
    "CONTENT_TYPE_PRODUCT",
    "CONTENT_TYPE_SYNTHETIC_MEDIA",
    "CONTENT_TYPE_TEXT",
    "CONTENT_TYPE_VIDEO",
    "CONTENT_TYPE_OTHER",
]
Source = Literal[
    "SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"
]
Country = Annotated[str, StringConstraints(pattern=f"^({'|'.join(COUNTRIES)})$")]
Day = Annotated[date, Field(ge=_FIRST_CONTENT, le=_LAST)]
ApplicationDay = Annotated[date, Field(ge=_FIRST_APPLICATION, le=_LAST)]


class Statement(BaseModel):
    """One statement. `as_submitted` is what `POST …/api/v1/statement` takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision_visibility: tuple[Visibility, ...] | None = None
    decision_visibility_other: Short | None = None
    decision_monetary: Monetary | None = None
    decision_monetary_other: Short | None = None
    decision_provision: Provision | None = None
    decision_account: Literal["DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"] | None = None
    account_type: Literal["ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"] | None = None
    decision_ground: Literal["DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"]
    decision_ground_reference_url: (
        Annotated[str, StringConstraints(max_length=500, pattern=r"^https?://\S+$")] | None
    ) = None
    illegal_content_legal_ground: Short | None = None
    illegal_content_explanation: Explanation | None = None
    incompatible_content_ground: Short | None = None
    incompatible_content_explanation: Explanation | None = None
    incompatible_content_illegal: YesNo | None = None
    content_type: Annotated[tuple[ContentType, ...], Field(min_length=1)]
    content_type_other: Short | None = None
    category: Category
    category_addition: tuple[Category, ...] = ()
    category_specification: tuple[Annotated[str, StringConstraints(pattern=r"^KEYWORD_[A-Z_]+$")], ...] = ()
    category_specification_other: Short | None = None
    territorial_scope: tuple[Country, ...] = ()
    content_language: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    content_date: Day
    application_date: ApplicationDay
    end_date_account_restriction: ApplicationDay | None = None
    end_date_monetary_restriction: ApplicationDay | None = None
    end_date_service_restriction: ApplicationDay | None = None
    end_date_visibility_restriction: ApplicationDay | None = None
    decision_facts: Facts
    source_type: Source
    source_identity: Short | None = None
    automated_detection: YesNo
    automated_decision: Literal[
        "AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"
    ]
    puid: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[a-zA-Z0-9_-]+$")]

    @model_validator(mode="after")
    def _hangs_together(self) -> "Statement":
        """What one field asks of another."""
        decided = (self.decision_visibility, self.decision_monetary, self.decision_provision, self.decision_account)
        if not any(decided):
            raise ValueError("one of visibility, monetary, provision and account is decided")
        illegal = (self.illegal_content_legal_ground, self.illegal_content_explanation)
        terms = (self.incompatible_content_ground, self.incompatible_content_explanation)
        if self.decision_ground == "DECISION_GROUND_ILLEGAL_CONTENT":
            _paired(illegal, (*terms, self.incompatible_content_illegal), "illegal_content")
        else:
            _paired(terms, illegal, "incompatible_content")
        _other("decision_visibility", "DECISION_VISIBILITY_OTHER" in (self.decision_visibility or ()),
               self.decision_visibility_other)  # fmt: skip
        _other(
            "decision_monetary", self.decision_monetary == "DECISION_MONETARY_OTHER", self.decision_monetary_other
        )
        _other("content_type", "CONTENT_TYPE_OTHER" in self.content_type, self.content_type_other)
        if self.source_type == "SOURCE_VOLUNTARY" and self.source_identity is not None:
            raise ValueError("source_identity is not told with SOURCE_VOLUNTARY")
        return self

    def as_submitted(self) -> dict[str, Any]:
        """The body to submit: fields that say nothing are left out."""
        value = self.model_dump(mode="json", exclude_none=True)
        return {name: each for name, each in value.items() if each != []}


def _paired(needed: tuple[str | None, ...], excluded: tuple[str | None, ...], name: str) -> None:
    if not all(needed):
        raise ValueError(f"{name}: its ground and its explanation are told")
    if any(excluded):
        raise ValueError(f"{name}: the other ground's fields are not told")


def _other(name: str, chosen: bool, text: str | None) -> None:  # noqa: FBT001 # one word each
    if chosen != (text is not None):
        raise ValueError(f"{name}_other is told exactly when OTHER was chosen")
