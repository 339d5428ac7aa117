//! The chain: each sealed entry carries a keyed hash over its content, its place and the hash before it, and the chain's end
//! is kept apart, under a keyed hash of its own: that of the last entry is in the log for everybody to copy, so an end that was
//! only that could be moved to where the log was cut off. The key is derived from the tenant's data key, so whoever has the
//! database alone can neither change, remove, insert nor reorder sealed entries without [`verify`] finding the place. A chain
//! whose end does not fit is not gone on with: that would make it fit again.
//!
//! What it cannot know: that a tenant's log, its end included, was put back to an older state, of which the oldest is none. Whoever
//! wants to see that notes the end of the chain elsewhere (an export does).

use voicecore_ports::{Rows, Stmt, Value};
use voicecore_types::{Millis, TenantId};

use super::list::{AuditRow, audit_columns, map_audit};
use crate::row::{self, Reader, count_arg};
use crate::seal::Sealer;
use crate::{Scope, StoreError};

/// Entries sealed in one batch: with the statements that move the end of the chain, below the port's limit.
pub const SEALED_AT_ONCE: u32 = 40;
/// The most entries of one step of a verification.
pub const MAX_VERIFIED: u32 = 1_000;
/// The hash before the first.
const GENESIS: &str = "";

/// What one step of sealing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// Entries sealed.
    pub sealed: u32,
    /// There may be more to seal: the step was full, or another sealer was faster.
    pub more: bool,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// The place of the last sealed entry.
    pub seq: u64,
    /// A keyed hash over the place and the hash of that entry.
    pub hash: String,
}

/// What is wrong at a place of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The entry is gone.
    Missing,
    /// The entry, its place or its hash is not what was sealed.
    Changed,
    /// An entry claims a place that the chain does not have.
    Inserted,
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The first place that does not fit.
    pub seq: u64,
    /// What is wrong there.
    pub flaw: Flaw,
}

/// What one step of a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries that fit, in this step.
    pub checked: u32,
    /// The first place that does not.
    pub broken: Option<Broken>,
    /// Where the next step begins. `None`: the chain has been walked to its end, or is broken.
    pub next: Option<u64>,
    /// The end of the chain. `None`: nothing has been sealed yet.
    pub head: Option<ChainHead>,
    /// Entries that wait to be sealed.
    pub unsealed: u64,
}

statements! {
    HEAD = "select h.seq, h.end_hash, l.hash as last from audit_chains h
        left join audit_log l on l.tenant_id = h.tenant_id and l.seq = h.seq where h.tenant_id = ?1";

    UNSEALED = concat!("select ", audit_columns!(), " from audit_log
        where tenant_id = ?1 and seq is null order by at, id limit ?2");

    UNSEALED_COUNT = "select count(*) as total from audit_log where tenant_id = ?1 and seq is null";

    NEW_CHAIN = "insert into audit_chains (tenant_id, seq, end_hash, sealed_at) values (?1, 0, '', ?2)
        on conflict (tenant_id) do nothing";

    MOVE_HEAD = "update audit_chains set seq = ?2, end_hash = ?3, sealed_at = ?4
        where tenant_id = ?1 and seq = ?5 and end_hash = ?6";

    SEAL = "update audit_log set seq = ?3, hash = ?4 where id = ?2 and tenant_id = ?1 and seq is null";

    /// From the place before the first one wanted: its hash is where the step begins.
    WALK = concat!("select ", audit_columns!(), " from audit_log
        where tenant_id = ?1 and seq >= ?2 and seq <= ?3 order by seq");

    /// A place before the first, or after the last.
    STRAY = "select seq from audit_log where tenant_id = ?1
        and (seq < 1 or seq > coalesce((select h.seq from audit_chains h where h.tenant_id = ?1), 0)) limit 1";
}

/// Seals the oldest unsealed entries, at most [`SEALED_AT_ONCE`]. All or nothing: of two who seal at once one moves the end of
/// the chain, and the other has stored nothing.
///
/// # Errors
/// [`StoreError::BrokenChain`]: the end is not the one that was sealed; nothing is added to it.
pub async fn seal(scope: &Scope, sealer: &Sealer, now: Millis) -> Result<Sealing, StoreError> {
    let tenant = || scope.tenant_arg();
    let found = scope
        .batch(vec![
            Stmt::new(HEAD, vec![tenant()]),
            Stmt::new(UNSEALED, vec![tenant(), SEALED_AT_ONCE.into()]),
        ])
        .await?;
    let [head, rows] = found.as_slice() else { return Err(StoreError::OddRow { column: "seq" }) };
    let found = row::one(head, |r| Ok((map_head(&r)?, r.opt_text("last")?.unwrap_or_default())))?;
    let rows = row::all(rows, |r| map_audit(&r))?;
    if rows.is_empty() {
        return Ok(Sealing { sealed: 0, more: false });
    }
    let (head, last) = match found {
        None => (ChainHead { seq: 0, hash: GENESIS.to_owned() }, GENESIS.to_owned()),
        Some((head, last)) if head.hash == end(scope.tenant(), sealer, head.seq, &last) => (head, last),
        Some(_) => return Err(StoreError::BrokenChain),
    };
    let (last, places) = links(scope.tenant(), sealer, (head.seq, last), &rows);
    let mut stmts = vec![
        Stmt::new(NEW_CHAIN, vec![tenant(), now.into()]),
        Stmt::new(
            MOVE_HEAD,
            vec![
                tenant(),
                count_arg(last.seq),
                last.hash.into(),
                now.into(),
                count_arg(head.seq),
                head.hash.into(),
            ],
        )
        .exactly(1),
    ];
    stmts.extend(places.into_iter().map(|args| {
        let [id, seq, hash] = args;
        Stmt::new(SEAL, vec![tenant(), id, seq, hash]).exactly(1)
    }));
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    Ok(if scope.batch_once(stmts).await? {
        Sealing { sealed: count, more: count == SEALED_AT_ONCE }
    } else {
        Sealing { sealed: 0, more: true }
    })
}

/// The new end behind a place and its hash, and id, place and hash of each row.
fn links(
    tenant: TenantId,
    sealer: &Sealer,
    (mut seq, mut hash): (u64, String),
    rows: &[AuditRow],
) -> (ChainHead, Vec<[Value; 3]>) {
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        seq = seq.saturating_add(1);
        hash = link(tenant, sealer, &hash, seq, row);
        places.push([row.id.to_string().into(), count_arg(seq), hash.as_str().into()]);
    }
    (ChainHead { seq, hash: end(tenant, sealer, seq, &hash) }, places)
}

/// Walks the chain from behind place `after`, at most `limit` entries and at most [`MAX_VERIFIED`]. Begin with 0 and go on with
/// [`Verified::next`]. A step trusts the hash at `after`, which the step before has checked.
pub async fn verify(scope: &Scope, sealer: &Sealer, after: u64, limit: u32) -> Result<Verified, StoreError> {
    let tenant = || scope.tenant_arg();
    let until = after.saturating_add(limit.clamp(1, MAX_VERIFIED).into());
    // One batch is one moment: whoever seals meanwhile is seen as a whole or not at all.
    let found = scope
        .batch(vec![
            Stmt::new(HEAD, vec![tenant()]),
            Stmt::new(WALK, vec![tenant(), count_arg(after.max(1)), count_arg(until)]),
            Stmt::new(STRAY, vec![tenant()]),
            Stmt::new(UNSEALED_COUNT, vec![tenant()]),
        ])
        .await?;
    let [head, rows, stray, unsealed] = found.as_slice() else {
        return Err(StoreError::OddRow { column: "seq" });
    };
    // A row that cannot be read is not what was sealed.
    let rows: Vec<Option<AuditRow>> = row::all(rows, |r| Ok(map_audit(&r).ok()))?;
    let unsealed = row::one(unsealed, |r| r.count("total"))?.unwrap_or(0);
    let (head, head_readable) = match row::one(head, |r| map_head(&r)) {
        Ok(head) => (head, true),
        Err(_) => (None, false),
    };
    let last = head.as_ref().map_or(0, |head| head.seq);
    if after > last {
        return Ok(Verified { checked: 0, broken: None, next: None, head, unsealed });
    }
    let (checked, walked) = walk(scope.tenant(), sealer, &rows, after, until.min(last));
    let reached_end = until >= last;
    let broken = match walked {
        Err(broken) => Some(broken),
        Ok(_) if !reached_end => None,
        Ok(hash) => {
            let end = |head: &ChainHead| end(scope.tenant(), sealer, head.seq, &hash);
            let fits = head_readable && head.as_ref().is_none_or(|head| head.hash == end(head));
            if fits { inserted(stray, last)? } else { Some(Broken { seq: last, flaw: Flaw::Changed }) }
        }
    };
    let next = (broken.is_none() && !reached_end).then_some(until);
    Ok(Verified { checked, broken, next, head, unsealed })
}

fn inserted(stray: &Rows, last: u64) -> Result<Option<Broken>, StoreError> {
    // A place that is no number is none of the chain's either.
    let seq = row::one(stray, |r| Ok(r.count("seq").unwrap_or(last.saturating_add(1))))?;
    Ok(seq.map(|seq| Broken { seq, flaw: Flaw::Inserted }))
}

/// How many of the places behind `after` up to `end` fit, and the hash of the last or the first that does not.
fn walk(
    tenant: TenantId,
    sealer: &Sealer,
    rows: &[Option<AuditRow>],
    after: u64,
    end: u64,
) -> (u32, Result<String, Broken>) {
    let mut rows = rows.iter();
    let mut previous = GENESIS.to_owned();
    if after > 0 {
        match rows.next() {
            Some(Some(AuditRow { sealed: Some((seq, hash)), .. })) if *seq == after => {
                previous.clone_from(hash);
            }
            _ => return (0, Err(Broken { seq: after, flaw: Flaw::Missing })),
        }
    }
    let mut checked = 0;
    for seq in after.saturating_add(1)..=end {
        let found = rows.next().map(|row| row.as_ref().and_then(|row| Some((row, row.sealed.as_ref()?))));
        let flaw = match found {
            None => Flaw::Missing,
            Some(Some((_, (at, _)))) if *at > seq => Flaw::Missing,
            Some(Some((row, (at, hash))))
                if *at == seq && *hash == link(tenant, sealer, &previous, seq, row) =>
            {
                previous.clone_from(hash);
                checked += 1;
                continue;
            }
            Some(_) => Flaw::Changed,
        };
        return (checked, Err(Broken { seq, flaw }));
    }
    (checked, Ok(previous))
}

/// The hash of an entry at its place.
fn link(tenant: TenantId, sealer: &Sealer, previous: &str, seq: u64, row: &AuditRow) -> String {
    let (tenant, id) = (tenant.to_string(), row.id.to_string());
    let (seq, at) = (seq.to_string(), row.at.0.to_string());
    keyed(
        sealer,
        &[
            Some(tenant.as_str()),
            Some(previous),
            Some(&seq),
            Some(&id),
            Some(&at),
            Some(&row.actor_kind),
            row.actor_id.as_deref(),
            Some(&row.action),
            row.subject_id.as_deref(),
            row.fields.as_deref(),
        ],
    )
}

/// The hash of a chain's end: fewer parts than an entry has, so that none is hashed alike.
fn end(tenant: TenantId, sealer: &Sealer, seq: u64, last: &str) -> String {
    keyed(sealer, &[Some(&tenant.to_string()), Some(&seq.to_string()), Some(last)])
}

/// Each part says whether it is there and how long it is, so that no two lists are hashed alike.
fn keyed(sealer: &Sealer, parts: &[Option<&str>]) -> String {
    let mut text = Vec::new();
    for part in parts {
        match part {
            None => text.push(0),
            Some(part) => {
                text.push(1);
                text.extend((part.len() as u64).to_be_bytes());
                text.extend(part.as_bytes());
            }
        }
    }
    sealer.audit_hash(&text)
}

fn map_head(r: &Reader<'_>) -> Result<ChainHead, StoreError> {
    Ok(ChainHead { seq: r.count("seq")?, hash: r.text("end_hash")? })
}
