//! The tenant's own accounts at its providers.

use voicecore_domain::Provider;
use voicecore_ports::{DbError, Stmt};
use voicecore_types::Millis;

use crate::row::{self, Reader};
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
    LIST = "select c.provider, c.credential, c.account_id, c.updated_at, k.wrapped_key
        from provider_credentials c join tenant_keys k on k.tenant_id = c.tenant_id
        where c.tenant_id = ?1 order by c.provider";

    GET = "select c.provider, c.credential, c.account_id, c.updated_at, k.wrapped_key
        from provider_credentials c join tenant_keys k on k.tenant_id = c.tenant_id
        where c.tenant_id = ?1 and c.provider = ?2";

    PUT = "insert into provider_credentials (tenant_id, provider, credential, account_id, updated_at)
        values (?1, ?2, ?3, ?4, ?5)
        on conflict (tenant_id, provider) do update set credential = excluded.credential,
        account_id = excluded.account_id, updated_at = excluded.updated_at";

    DELETE = "delete from provider_credentials where tenant_id = ?1 and provider = ?2";
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

/// Stores a credential in the place of the one that was there, with its entry in the audit log.
pub async fn set(scope: &Scope, new: &NewCredential<'_>, audit: Stmt) -> Result<(), StoreError> {
    let args = vec![
        scope.tenant_arg(),
        new.provider.as_str().into(),
        new.credential.into(),
        new.account_id.into(),
        new.now.into(),
    ];
    scope.batch(vec![Stmt::new(PUT, args).exactly(1), audit]).await?;
    Ok(())
}

/// Forgets a credential, with an entry in the audit log. `false`: there was none, and nothing was stored.
pub async fn delete(scope: &Scope, provider: Provider, audit: Stmt) -> Result<bool, StoreError> {
    let delete = Stmt::new(DELETE, vec![scope.tenant_arg(), provider.as_str().into()]).exactly(1);
    match scope.batch(vec![delete, audit]).await {
        Ok(_) => Ok(true),
        Err(DbError::Unexpected { index: 0 }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

fn map_credential(r: &Reader<'_>) -> Result<StoredCredential, StoreError> {
    Ok(StoredCredential {
        provider: r.parsed("provider")?,
        credential: Sealed::from_stored(r.text("credential")?),
        account_id: r.opt_text("account_id")?,
        updated_at: r.moment("updated_at")?,
        wrapped_key: r.wrapped_key("wrapped_key")?,
    })
}
