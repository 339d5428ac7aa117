//! Encryption at rest. Pure: keys and nonces come in, from the `Rng` port.
//!
//! Each tenant has a data key, stored wrapped by `MASTER_KEY`; rotating `MASTER_KEY` means wrapping those few keys anew,
//! not touching a single row. AES-256-GCM throughout. The associated data names what a text is (tenant and column, or
//! which key), so a text moved to another tenant or column does not open. Random 96-bit nonces are safe for 2^32 texts
//! under one key; a tenant with a thousand calls a day gets there in ten thousand years.
//!
//! Formats, versioned so that another algorithm can come beside this one:
//!
//! ```text
//! sealed text   v1.<base64url(nonce ‖ ciphertext ‖ tag)>
//! sealed bytes  0x01 ‖ nonce ‖ ciphertext ‖ tag
//! wrapped key   v1.<key id>.<base64url(nonce ‖ ciphertext ‖ tag)>      key id: which MASTER_KEY, 8 characters
//! look-up hash  base64url(HMAC-SHA-256(platform key, purpose ‖ 0 ‖ value))
//! ```

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use voicecore_types::{E164, Secret, TenantId};

/// Bytes of every key.
pub const KEY_BYTES: usize = 32;
/// Bytes of every nonce.
pub const NONCE_BYTES: usize = 12;

const VERSION: &str = "v1";
const VERSION_BYTE: u8 = 1;

/// What went wrong with a key or a sealed text. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// `MASTER_KEY` is not base64 of 32 bytes.
    #[error("MASTER_KEY must be base64 of 32 bytes")]
    BadMasterKey,
    /// The stored key was wrapped by another `MASTER_KEY` than the one configured.
    #[error("the database was written with another MASTER_KEY")]
    OtherMasterKey,
    /// Malformed, tampered with, or sealed for another tenant or column.
    #[error("a sealed value cannot be opened")]
    Unreadable,
    /// Too long to be sealed (AES-GCM ends at 64 GiB).
    #[error("a value is too long to be sealed")]
    TooLong,
}

/// What a sealed value is. Part of the associated data: renaming one makes what is stored unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// `phone_numbers.number`
    PhoneNumber,
    /// `businesses.fallback_number`
    FallbackNumber,
    /// `calls.caller_number`
    CallerNumber,
    /// `messages.callback_number`
    CallbackNumber,
    /// `setup_progress.draft`
    SetupDraft,
    /// `saved_views.document`
    SavedView,
    /// `agents.phone_number`
    AgentNumber,
    /// A call's archived journal in the blob store, and what is sealed in a running one.
    Journal,
    /// `dialogues.setup`
    DialogueSetup,
    /// `dialogues.state`
    DialogueState,
    /// `provider_credentials.credential` of the model that hears and speaks
    OpenAiCredential,
    /// `provider_credentials.credential` of the model that reads and writes
    ChatCredential,
    /// `provider_credentials.credential` of the telephone
    TwilioCredential,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::PhoneNumber => "phone_numbers.number",
            Self::FallbackNumber => "businesses.fallback_number",
            Self::CallerNumber => "calls.caller_number",
            Self::CallbackNumber => "messages.callback_number",
            Self::SetupDraft => "setup_progress.draft",
            Self::SavedView => "saved_views.document",
            Self::AgentNumber => "agents.phone_number",
            Self::Journal => "blob.journal",
            Self::DialogueSetup => "dialogues.setup",
            Self::DialogueState => "dialogues.state",
            Self::OpenAiCredential => "provider_credentials.openai",
            Self::ChatCredential => "provider_credentials.chat",
            Self::TwilioCredential => "provider_credentials.twilio",
        }
    }
}

/// A sealed text as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(String);

/// A wrapped key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey(String);

/// The look-up hash of a telephone number as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupHash(String);

impl Sealed {
    /// As it was stored, here or in the storage of an actor.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub fn as_stored(&self) -> &str {
        &self.0
    }
}

impl WrappedKey {
    /// As it was stored, here or in the storage of an actor.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    pub fn as_stored(&self) -> &str {
        &self.0
    }
}

impl LookupHash {
    pub(crate) fn as_stored(&self) -> &str {
        &self.0
    }
}

/// Random bytes for a new key and for wrapping it.
pub struct FreshKey {
    /// The key.
    pub key: [u8; KEY_BYTES],
    /// The nonce it is wrapped with.
    pub nonce: [u8; NONCE_BYTES],
}

/// `MASTER_KEY`: wraps the tenants' data keys and the platform's keys. While it rotates, what its predecessor has wrapped opens,
/// too, and nothing is wrapped by that one any more.
#[derive(Debug, Clone)]
pub struct MasterKey {
    key: Secret<[u8; KEY_BYTES]>,
    previous: Option<Secret<[u8; KEY_BYTES]>>,
}

impl MasterKey {
    /// From configuration: base64 (with or without padding) of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let text = text.trim();
        let bytes = STANDARD
            .decode(text)
            .or_else(|_| STANDARD_NO_PAD.decode(text))
            .map_err(|_| SealError::BadMasterKey)?;
        let key = bytes.try_into().map_err(|_| SealError::BadMasterKey)?;
        Ok(Self { key: Secret::new(key), previous: None })
    }

    /// Opens what `previous` has wrapped as well.
    #[must_use]
    pub fn with_previous(self, previous: Self) -> Self {
        Self { previous: Some(previous.key), ..self }
    }

    /// There is a previous key, whose keys are to be wrapped anew.
    pub fn is_rotating(&self) -> bool {
        self.previous.is_some()
    }

    /// Wraps a new data key for `tenant`.
    pub fn new_tenant_key(&self, tenant: TenantId, fresh: &FreshKey) -> Result<WrappedKey, SealError> {
        self.wrap(&format!("tenant:{tenant}"), fresh)
    }

    /// Opens the data key of `tenant`.
    pub fn open_tenant(&self, tenant: TenantId, wrapped: &WrappedKey) -> Result<Sealer, SealError> {
        let key = self.unwrap(&format!("tenant:{tenant}"), wrapped)?;
        Ok(Sealer { tenant, key: Secret::new(key) })
    }

    /// The same data key, wrapped by the current `MASTER_KEY`. `None`: it is already.
    pub(crate) fn rewrap_tenant(
        &self,
        tenant: TenantId,
        wrapped: &WrappedKey,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Option<WrappedKey>, SealError> {
        self.rewrap(&format!("tenant:{tenant}"), wrapped, nonce)
    }

    /// The same look-up key, wrapped by the current `MASTER_KEY`. `None`: it is already.
    pub(crate) fn rewrap_lookup(
        &self,
        wrapped: &WrappedKey,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Option<WrappedKey>, SealError> {
        self.rewrap("platform:lookup", wrapped, nonce)
    }

    fn rewrap(
        &self,
        purpose: &str,
        wrapped: &WrappedKey,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Option<WrappedKey>, SealError> {
        // Also one that names the current key is opened: what cannot be read is not called done.
        let key = self.unwrap(purpose, wrapped)?;
        let current = wrapped.0.split('.').nth(1) == Some(&self.id());
        if current { Ok(None) } else { self.wrap(purpose, &FreshKey { key, nonce }).map(Some) }
    }

    /// Wraps a new look-up key for the platform.
    pub(crate) fn new_lookup_key(&self, fresh: &FreshKey) -> Result<WrappedKey, SealError> {
        self.wrap("platform:lookup", fresh)
    }

    /// Opens the platform's look-up key.
    pub(crate) fn open_lookup(&self, wrapped: &WrappedKey) -> Result<LookupKey, SealError> {
        Ok(LookupKey(Secret::new(self.unwrap("platform:lookup", wrapped)?)))
    }

    fn wrap(&self, purpose: &str, fresh: &FreshKey) -> Result<WrappedKey, SealError> {
        let aad = format!("voicecore:key:{VERSION}:{purpose}");
        let bytes = encrypt(self.key.expose(), &fresh.nonce, &aad, &fresh.key)?;
        Ok(WrappedKey(format!("{VERSION}.{}.{}", self.id(), URL_SAFE_NO_PAD.encode(bytes))))
    }

    fn unwrap(&self, purpose: &str, wrapped: &WrappedKey) -> Result<[u8; KEY_BYTES], SealError> {
        let mut parts = wrapped.0.splitn(3, '.');
        let (Some(VERSION), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SealError::Unreadable);
        };
        let keys = std::iter::once(&self.key).chain(&self.previous);
        let key = keys.into_iter().find(|key| id == key_id(key)).ok_or(SealError::OtherMasterKey)?;
        let aad = format!("voicecore:key:{VERSION}:{purpose}");
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| SealError::Unreadable)?;
        decrypt(key.expose(), &aad, &bytes)?.try_into().map_err(|_| SealError::Unreadable)
    }

    /// Tells one `MASTER_KEY` from another without showing anything of it: the second part of what it has wrapped.
    pub fn id(&self) -> String {
        key_id(&self.key)
    }
}

fn key_id(key: &Secret<[u8; KEY_BYTES]>) -> String {
    let mac = hmac(key.expose(), &[b"voicecore:master-key-id"]);
    let (id, _) = mac.split_at(6);
    URL_SAFE_NO_PAD.encode(id)
}

/// Seals and opens the values of one tenant.
#[derive(Debug, Clone)]
pub struct Sealer {
    tenant: TenantId,
    key: Secret<[u8; KEY_BYTES]>,
}

impl Sealer {
    /// Seals a text for a column. `nonce` is random and used once.
    pub fn seal(&self, column: Column, text: &str, nonce: [u8; NONCE_BYTES]) -> Result<Sealed, SealError> {
        let bytes = encrypt(self.key.expose(), &nonce, &self.aad(column), text.as_bytes())?;
        Ok(Sealed(format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Opens what was sealed for this tenant and column.
    pub fn open(&self, column: Column, sealed: &Sealed) -> Result<String, SealError> {
        let body = sealed.0.strip_prefix("v1.").ok_or(SealError::Unreadable)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| SealError::Unreadable)?;
        let text = decrypt(self.key.expose(), &self.aad(column), &bytes)?;
        String::from_utf8(text).map_err(|_| SealError::Unreadable)
    }

    /// Opens a telephone number.
    pub fn open_number(&self, column: Column, sealed: &Sealed) -> Result<E164, SealError> {
        self.open(column, sealed)?.parse().map_err(|_| SealError::Unreadable)
    }

    /// Seals bytes for the blob store. `nonce` is random and used once.
    pub fn seal_bytes(
        &self,
        column: Column,
        bytes: &[u8],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, SealError> {
        let mut sealed = vec![VERSION_BYTE];
        sealed.extend(encrypt(self.key.expose(), &nonce, &self.aad(column), bytes)?);
        Ok(sealed)
    }

    /// Opens bytes from the blob store.
    pub fn open_bytes(&self, column: Column, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        match sealed.split_first() {
            Some((&VERSION_BYTE, body)) => decrypt(self.key.expose(), &self.aad(column), body),
            _ => Err(SealError::Unreadable),
        }
    }

    /// A link of the tenant's audit chain. The key is derived, so that no hash is ever made with the one that encrypts.
    pub(crate) fn audit_hash(&self, text: &[u8]) -> String {
        let key = hmac(self.key.expose(), &[b"voicecore:audit-chain:v1"]);
        URL_SAFE_NO_PAD.encode(hmac(&key, &[text]))
    }

    fn aad(&self, column: Column) -> String {
        format!("voicecore:value:{VERSION}:{}:{}", self.tenant, column.name())
    }
}

/// Makes telephone numbers findable without making them readable. Never rotates (see `migrations/0001_tenants.sql`), so
/// it may be kept in memory.
#[derive(Debug, Clone)]
pub struct LookupKey(Secret<[u8; KEY_BYTES]>);

impl LookupKey {
    /// Of a number that somebody rings: unique over all tenants.
    pub fn dialled(&self, number: &E164) -> LookupHash {
        self.hash(&[b"phone_numbers.number\0", number.expose().as_bytes()])
    }

    /// Of a number that rings a tenant. Differs by tenant, so that nobody learns from the database that two tenants
    /// know the same person.
    pub fn caller(&self, tenant: TenantId, number: &E164) -> LookupHash {
        self.hash(&[
            b"calls.caller_number\0",
            tenant.to_string().as_bytes(),
            b"\0",
            number.expose().as_bytes(),
        ])
    }

    fn hash(&self, parts: &[&[u8]]) -> LookupHash {
        LookupHash(URL_SAFE_NO_PAD.encode(hmac(self.0.expose(), parts)))
    }
}

fn hmac(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104: a key shorter than the hash's block is padded with zeros. Doing it here avoids a fallible constructor.
    let mut block = [0; 64];
    block[..KEY_BYTES].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as Mac>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// `nonce ‖ ciphertext ‖ tag`
fn encrypt(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    aad: &str,
    plain: &[u8],
) -> Result<Vec<u8>, SealError> {
    let payload = Payload { msg: plain, aad: aad.as_bytes() };
    let cipher = Aes256Gcm::new(key.into());
    let body = cipher.encrypt(Nonce::from_slice(nonce), payload).map_err(|_| SealError::TooLong)?;
    Ok([nonce.as_slice(), &body].concat())
}

fn decrypt(key: &[u8; KEY_BYTES], aad: &str, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, body) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Unreadable)?;
    let payload = Payload { msg: body, aad: aad.as_bytes() };
    let cipher = Aes256Gcm::new(key.into());
    cipher.decrypt(Nonce::from_slice(nonce), payload).map_err(|_| SealError::Unreadable)
}
