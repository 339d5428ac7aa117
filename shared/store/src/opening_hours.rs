//! When a business is open.

use voicecore_domain::opening_hours::OpeningHours;
use voicecore_ports::Stmt;
use voicecore_types::BusinessId;

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, Reader, count_arg};
use crate::{Scope, StoreError};

statements! {
    GET = "select time_zone, opening_hours, version from businesses where id = ?1 and tenant_id = ?2";

    SET = "update businesses set time_zone = ?3, opening_hours = ?4, updated_at = ?5, version = version + 1
        where id = ?1 and tenant_id = ?2 and version = ?6";
}

/// Both columns of a business. What cannot be read is what nobody has said.
pub(crate) fn map(r: &Reader<'_>) -> Result<Option<OpeningHours>, StoreError> {
    let (zone, spans) = (r.opt_text("time_zone")?, r.opt_text("opening_hours")?);
    Ok(zone.zip(spans).and_then(|(zone, spans)| OpeningHours::from_stored(&zone, &spans)))
}

/// The hours of a business, if somebody has said them, and its version. `None`: there is no such business.
pub async fn get(
    scope: &Scope,
    business: BusinessId,
) -> Result<Option<(Option<OpeningHours>, u64)>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![business.to_string().into(), scope.tenant_arg()])).await?;
    row::one(&rows, |r| Ok((map(&r)?, r.count("version")?)))
}

/// Says them, or takes back what was said, of a business of this version; on record. `false`: it is another one by now.
pub async fn set(
    scope: &Scope,
    (business, version): (BusinessId, u64),
    hours: Option<&OpeningHours>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let args = vec![
        business.to_string().into(),
        scope.tenant_arg(),
        hours.map(|hours| hours.zone().name()).into(),
        hours.map(OpeningHours::to_stored).into(),
        entry.at.into(),
        count_arg(version),
    ];
    scope.batch_once(vec![Stmt::new(SET, args).exactly(1), audit_log::entry(scope, entry)]).await
}
