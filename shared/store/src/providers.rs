//! The tenant's own accounts at its providers.

use voicecore_domain::Provider;
use voicecore_ports::Stmt;
use voicecore_types::Millis;

use crate::row::{self, Reader, count_arg};
use crate::seal::{Column, Sealed, WrappedKey};
use crate::{Scope, StoreError};

/// A credential as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// At whose service.
    pub provider: Provider,
    /// The secrets, sealed for [`column()`].
    pub credential: Sealed,
    /// The provider's name of the account.
    pub account_id: Option<String>,
    /// When it was set.
    pub updated_at: Millis,
    /// Grows by one with every change, from 1.
    pub version: u64,
    /// The tenant's data key.
    pub wrapped_key: WrappedKey,
}

/// A credential to be stored.
#[derive(Debug, Clone)]
pub struct NewCredential<'a> {
    /// At whose service.
    pub provider: Provider,
    /// The secrets, sealed for [`column()`].
    pub credential: &'a Sealed,
    /// The provider's name of the account.
    pub account_id: Option<&'a str>,
    /// When.
    pub now: Millis,
}

/// What a provider's credential is sealed for: a credential that was moved to another provider's row does not open.
pub const fn column(provider: Provider) -> Column {
    match provider {
        Provider::OpenAi => Column::OpenAiCredential,
        Provider::Chat => Column::ChatCredential,
        Provider::Twilio => Column::TwilioCredential,
    }
}

statements! {
    LIST = "select c.provider, c.credential, c.account_id, c.updated_at, c.version, k.wrapped_key
        from provider_credentials c join tenant_keys k on k.tenant_id = c.tenant_id
        where c.tenant_id = ?1 order by c.provider";

    GET = "select c.provider, c.credential, c.account_id, c.updated_at, c.version, k.wrapped_key
        from provider_credentials c join tenant_keys k on k.tenant_id = c.tenant_id
        where c.tenant_id = ?1 and c.provider = ?2";

    PUT = "insert into provider_credentials (tenant_id, provider, credential, account_id, updated_at)
        values (?1, ?2, ?3, ?4, ?5)
        on conflict (tenant_id, provider) do update set credential = excluded.credential,
        account_id = excluded.account_id, updated_at = excluded.updated_at, version = provider_credentials.version + 1
        where provider_credentials.version = ?6";

    DELETE = "delete from provider_credentials where tenant_id = ?1 and provider = ?2 and version = ?3";
}

/// Every credential of the tenant: one for each provider at most.
pub async fn list(scope: &Scope) -> Result<Vec<StoredCredential>, StoreError> {
    let rows = scope.query(Stmt::new(LIST, vec![scope.tenant_arg()])).await?;
    row::all(&rows, |r| map_credential(&r))
}

/// The tenant's credential at one provider, if it has one.
pub async fn get(scope: &Scope, provider: Provider) -> Result<Option<StoredCredential>, StoreError> {
    let rows = scope.query(Stmt::new(GET, vec![scope.tenant_arg(), provider.as_str().into()])).await?;
    row::one(&rows, |r| map_credential(&r))
}

/// Stores a credential in the place of the one of this version (0: of none) that was there, with its entry in the audit log.
/// `false`: another one is there by now.
pub async fn set(
    scope: &Scope,
    new: &NewCredential<'_>,
    version: u64,
    audit: Stmt,
) -> Result<bool, StoreError> {
    let args = vec![
        scope.tenant_arg(),
        new.provider.as_str().into(),
        new.credential.into(),
        new.account_id.into(),
        new.now.into(),
        count_arg(version),
    ];
    scope.batch_once(vec![Stmt::new(PUT, args).exactly(1), audit]).await
}

/// Forgets a credential of this version, with an entry in the audit log. `false`: it is another one by now.
pub async fn delete(
    scope: &Scope,
    provider: Provider,
    version: u64,
    audit: Stmt,
) -> Result<bool, StoreError> {
    let args = vec![scope.tenant_arg(), provider.as_str().into(), count_arg(version)];
    scope.batch_once(vec![Stmt::new(DELETE, args).exactly(1), audit]).await
}

fn map_credential(r: &Reader<'_>) -> Result<StoredCredential, StoreError> {
    Ok(StoredCredential {
        provider: r.parsed("provider")?,
        credential: Sealed::from_stored(r.text("credential")?),
        account_id: r.opt_text("account_id")?,
        updated_at: r.moment("updated_at")?,
        version: r.count("version")?,
        wrapped_key: r.wrapped_key("wrapped_key")?,
    })
}
