"""Due process (Regulation (EU) 2022/2065): reports, decisions, restrictions as intervals, appeals, letters.

Nothing here is updated in place but what closes an interval or a case: a ban and its lifting both stay visible.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class Rule(Table):
    __tablename__ = "rules"

    id: Mapped[Id]
    position: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text, default="")
    translations: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"nl": {"text": …, "hint": …}}
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)


class Report(Table):
    """A notice (art. 16) or a report of a broken rule, from anybody."""

    __tablename__ = "reports"

    id: Mapped[Id]
    account_id: Mapped[int | None] = link("accounts.id", index=True)  # empty: somebody who is not logged in
    notifier_name: Mapped[str] = mapped_column(String(200), default="")
    notifier_email: Mapped[str] = mapped_column(String(254), default="")
    notifier_locale: Mapped[str] = mapped_column(String(8), default="en")
    source: Mapped[str] = mapped_column(String(20))  # user, anonymous, trusted_flagger, authority
    category: Mapped[str] = mapped_column(String(10))  # spam, legal, violation, other
    comment: Mapped[str] = mapped_column(Text, default="")
    good_faith: Mapped[bool] = mapped_column(default=False)
    target_account_id: Mapped[int] = link("accounts.id", index=True)
    rule_ids: Mapped[list[Any]] = mapped_column(default=list)
    forwarded: Mapped[bool] = mapped_column(default=False)
    assigned_id: Mapped[int | None] = link("accounts.id", cascade=False)
    action_taken_at: Mapped[datetime | None] = mapped_column(default=None)
    action_taken_by_id: Mapped[int | None] = link("accounts.id", cascade=False)
    outcome: Mapped[str | None] = mapped_column(String(20), default=None)  # acted, rejected
    receipt_sent_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ReportTarget(Table):
    """What exactly was reported, as it was when it was reported."""

    __tablename__ = "report_targets"

    id: Mapped[Id]
    report_id: Mapped[int] = link("reports.id", index=True)
    kind: Mapped[str] = mapped_column(String(12))  # account, status, conversation, speaker
    target_id: Mapped[int]
    url: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[dict[str, Any]]
    snapshot_hash: Mapped[str] = mapped_column(String(64))  # SHA-256 of its canonical JSON


class ReportNote(Table):
    __tablename__ = "report_notes"

    id: Mapped[Id]
    report_id: Mapped[int] = link("reports.id", index=True)
    account_id: Mapped[int] = link("accounts.id")
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Decision(Table):
    """What a moderator decided, with its statement of reasons (art. 17). One row is one strike."""

    __tablename__ = "decisions"

    id: Mapped[Id]
    action: Mapped[str] = mapped_column(
        String(20)
    )  # none, label, hide, remove, silence, suspend, disable, reinstate…
    target_account_id: Mapped[int] = link("accounts.id", index=True)
    report_id: Mapped[int | None] = link("reports.id", cascade=False)
    ground: Mapped[str] = mapped_column(String(10))  # illegal, terms
    legal_ground: Mapped[str] = mapped_column(Text, default="")  # the law, or the rule
    rule_id: Mapped[int | None] = link("rules.id", cascade=False)
    explanation: Mapped[str] = mapped_column(Text)
    facts: Mapped[str] = mapped_column(Text)  # without personal data
    category: Mapped[str] = mapped_column(String(60))  # STATEMENT_CATEGORY_…
    source_type: Mapped[str] = mapped_column(String(40))  # SOURCE_…
    automated_detection: Mapped[bool] = mapped_column(default=False)
    automated_decision: Mapped[str] = mapped_column(String(40))  # AUTOMATED_DECISION_…
    territorial_scope: Mapped[list[Any]] = mapped_column(default=list)
    content_types: Mapped[list[Any]] = mapped_column(default=list)
    ends_at: Mapped[datetime | None] = mapped_column(default=None)  # empty: without end
    decided_by_id: Mapped[int | None] = link("accounts.id", cascade=False)
    decided_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    overruled_at: Mapped[datetime | None] = mapped_column(default=None)
    overruled_by_id: Mapped[int | None] = mapped_column(default=None)  # the decision that lifted it
    appeal_until: Mapped[datetime]


class DecisionTarget(Table):
    __tablename__ = "decision_targets"

    id: Mapped[Id]
    decision_id: Mapped[int] = link("decisions.id", index=True)
    kind: Mapped[str] = mapped_column(String(12))
    target_id: Mapped[int]
    url: Mapped[str] = mapped_column(Text)


class Restriction(Table):
    """An interval in which something is not as usual. In force: begun, not ended, not lifted."""

    __tablename__ = "restrictions"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(12))  # silence, suspend, disable, sensitive; label, hide, remove
    target_kind: Mapped[str] = mapped_column(String(12))  # account, status, conversation
    target_id: Mapped[int]
    decision_id: Mapped[int] = link("decisions.id", index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    lifted_at: Mapped[datetime | None] = mapped_column(default=None)
    lift_decision_id: Mapped[int | None] = link("decisions.id")
    label: Mapped[str] = mapped_column(Text, default="")  # what a labelled post is labelled with

    __table_args__ = (Index("ix_restrictions_target", "target_kind", "target_id"),)


class Appeal(Table):
    """A complaint (art. 20) by whom a decision touches, or by a notifier whose report was rejected."""

    __tablename__ = "appeals"

    id: Mapped[Id]
    decision_id: Mapped[int | None] = link("decisions.id")
    report_id: Mapped[int | None] = link("reports.id")
    account_id: Mapped[int | None] = link("accounts.id", cascade=False)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    decided_by_id: Mapped[int | None] = link("accounts.id", cascade=False)  # a person, never automation alone
    outcome: Mapped[str | None] = mapped_column(String(10), default=None)  # upheld, reversed
    answer: Mapped[str] = mapped_column(Text, default="")
    lift_decision_id: Mapped[int | None] = link("decisions.id", cascade=False)

    __table_args__ = (UniqueConstraint("decision_id"), UniqueConstraint("report_id"))  # one complaint about each


class AuthorityLetter(Table):
    """What an authority wrote (arts. 9 and 10, or a warning), our reply, and what came of it."""

    __tablename__ = "authority_letters"

    id: Mapped[Id]
    authority: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2), default="")
    kind: Mapped[str] = mapped_column(String(20))  # order, information, warning
    reference: Mapped[str] = mapped_column(String(200), default="")
    received_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[int | None] = link("conversations.id", cascade=False)
    reply: Mapped[str] = mapped_column(Text, default="")
    replied_at: Mapped[datetime | None] = mapped_column(default=None)
    effect: Mapped[str] = mapped_column(Text, default="")
    decision_id: Mapped[int | None] = link("decisions.id", cascade=False)
    public: Mapped[bool] = mapped_column(default=True)
    recorded_by_id: Mapped[int | None] = link("accounts.id", cascade=False)


class ModerationEntry(Table):
    """The log: append-only, each entry sealed with the hash of the one before it."""

    __tablename__ = "moderation_log"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1, 2, 3…: a missing one shows
    actor_id: Mapped[int | None] = mapped_column(default=None)
    verb: Mapped[str] = mapped_column(String(40))
    subject: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    prev_hash: Mapped[str] = mapped_column(String(64), unique=True)  # nothing forks
    hash: Mapped[str] = mapped_column(String(64), unique=True)
