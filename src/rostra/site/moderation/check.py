"""What `rostra fsck` says of moderation: the log is whole, and nothing that was decided has been altered since."""

from pathlib import Path

from sqlalchemy import inspect, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from rostra.bus.fsck import Finding
from rostra.site.database.engine import Database
from rostra.site.database.tables.moderation import Decision, ModerationEntry, ReportTarget, Restriction
from rostra.site.moderation.decisions import sealed_subject
from rostra.site.moderation.log import broken, hash_of

_LOG = "moderation log"


async def check_database(url: str) -> tuple[int, list[Finding]]:
    """What `check_moderation` says of this database; nothing of one that no site has used yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return 0, []  # to look would make it
    database = Database(url)
    try:
        async with database.read() as session:
            connection = await session.connection()
            if not await connection.run_sync(lambda each: inspect(each).has_table(ModerationEntry.__tablename__)):
                return 0, []
            return await check_moderation(session)
    except DBAPIError as error:
        return 0, [Finding("database", f"cannot be read: {error.orig}")]
    finally:
        await database.close()


async def check_moderation(session: AsyncSession) -> tuple[int, list[Finding]]:
    """How many entries, decisions and snapshots were read, and every finding."""
    entries = (await session.scalars(select(ModerationEntry).order_by(ModerationEntry.number))).all()
    findings = [Finding(f"{_LOG} entry {number}", what) for number, what in broken(entries)]
    sealed = {
        entry.subject.get("decision"): entry.subject.get("sealed")
        for entry in entries
        if entry.verb in {"decided", "reinstated"}
    }
    decided = (await session.scalars(select(Decision))).all()
    for decision in decided:
        where = f"decision {decision.id}"
        if str(decision.id) not in sealed:
            findings.append(Finding(where, "the moderation log does not know it"))
        elif sealed_subject(decision)["sealed"] != sealed.pop(str(decision.id)):
            findings.append(Finding(where, "its statement of reasons was changed after it was made"))
    missing = "the moderation log knows it, the database does not"
    findings += [Finding(f"decision {gone}", missing) for gone in sealed]
    seen = (await session.scalars(select(ReportTarget))).all()
    findings += [
        Finding(f"report {target.report_id}", f"the snapshot of {target.url} was changed after it was taken")
        for target in seen
        if hash_of(target.snapshot) != target.snapshot_hash
    ]
    findings += await _restriction_findings(session)
    return len(entries) + len(decided) + len(seen), findings


async def _restriction_findings(session: AsyncSession) -> list[Finding]:
    """A restriction is what its decision says, and what was lifted is lifted by another decision."""
    rows = await session.execute(
        select(Restriction, Decision).join(Decision, Decision.id == Restriction.decision_id)
    )
    findings = []
    for row, decision in rows:
        where = f"restriction {row.id}"
        if row.ends_at != decision.ends_at or row.starts_at != decision.decided_at:
            findings.append(Finding(where, f"it does not last as decision {decision.id} says"))
        if (row.lifted_at is None) != (row.lift_decision_id is None):
            findings.append(Finding(where, "it was lifted without a decision"))
    return findings
