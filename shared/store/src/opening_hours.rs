//! When a business is open.

use voicecore_domain::opening_hours::OpeningHours;
use voicecore_ports::Stmt;
use voicecore_types::BusinessId;

use crate::audit_log::{self, AuditEntry};
use crate::row::{self, Reader};
use crate::{Scope, StoreError};

statements! {
    GET = "select time_zone, opening_hours from businesses where id = ?1 and tenant_id = ?2";

    SET = "update businesses set time_zone = ?3, opening_hours = ?4, updated_at = ?5, version = version + 1
        where id = ?1 and tenant_id = ?2";
}

/// Both columns of a business. What cannot be read is what nobody has said.
pub(crate) fn map(r: &Reader<'_>) -> Result<Option<OpeningHours>, StoreError> {
    let (zone, spans) = (r.opt_text("time_zone")?, r.opt_text("opening_hours")?);
    Ok(zone.zip(spans).and_then(|(zone, spans)| OpeningHours::from_stored(&zone, &spans)))
}

/// The hours of a business, if somebody has said them. The outer `None`: there is no such business.
pub async fn get(scope: &Scope, business: BusinessId) -> Result<Option<Option<OpeningHours>>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![business.to_string().into(), scope.tenant_arg()])).await?;
    row::one(&rows, |r| map(&r))
}

/// Says them, or takes back what was said; on record. `false`: there is no such business.
pub async fn set(
    scope: &Scope,
    business: BusinessId,
    hours: Option<&OpeningHours>,
    entry: &AuditEntry<'_>,
) -> Result<bool, StoreError> {
    let args = vec![
        business.to_string().into(),
        scope.tenant_arg(),
        hours.map(|hours| hours.zone().name()).into(),
        hours.map(OpeningHours::to_stored).into(),
        entry.at.into(),
    ];
    scope.batch_once(vec![Stmt::new(SET, args).exactly(1), audit_log::entry(scope, entry)]).await
}
