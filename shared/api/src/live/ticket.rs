//! The ticket that opens a tenant's live stream. Browsers cannot send an `Authorization` header with a WebSocket, and a key
//! in an address ends up in logs: so a key is changed for a ticket that works once and for thirty seconds.
//!
//! `<tenant>.<secret>.<signature>`: the tenant finds the hub, which knows the hash of the whole and forgets it when it is
//! used. The signature lets the router turn strangers away: waking a hub, for a tenant that need not even exist, makes an
//! object with storage.

use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use voicecore_ports::Rng;
use voicecore_types::TenantId;

use crate::config::{Config, ConfigMissing};
use crate::error::ApiError;
use crate::hex;
use crate::sign::{LIVE_TICKET, SIGNATURE_BYTES, sign};

/// The longest ticket that is looked at, in bytes.
const MAX_TICKET_BYTES: usize = 192;
/// Where the live stream is opened.
pub const LIVE_PATH: &str = "/api/v1/live";

const SECRET_BYTES: usize = 32;

/// The ticket opens nothing. As a response: 401 without a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// Absent, or the query is not `ticket=…&after=…`.
    #[error("not a well-formed ticket")]
    Malformed,
    /// The hub does not know it (any more).
    #[error("the ticket is unknown, used or expired")]
    Refused,
}

impl IntoResponse for TicketRefusal {
    fn into_response(self) -> Response {
        ApiError::Unauthenticated(None).into_response()
    }
}

/// What a ticket may open, if the hub knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveAccess {
    /// Whose stream.
    pub tenant_id: TenantId,
    /// By what the hub knows the ticket.
    pub ticket_hash: String,
    /// Events up to this `seq` are known already; `None`: only new ones are wanted.
    pub after: Option<u64>,
}

/// A new ticket for the stream of `tenant`, and its hash for the hub.
pub(crate) fn new_ticket(
    config: &Config,
    rng: &dyn Rng,
    tenant: TenantId,
) -> Result<(String, String), ConfigMissing> {
    let mut secret = [0; SECRET_BYTES];
    rng.fill(&mut secret);
    let ticket = signed(config, &format!("{tenant}.{}", hex(&secret)))?;
    let hash = hash(&ticket);
    Ok((ticket, hash))
}

/// `unsigned` with its signature behind it.
fn signed(config: &Config, unsigned: &str) -> Result<String, ConfigMissing> {
    let secret = config.keys.jwt_secret.get()?;
    Ok(format!("{unsigned}.{}", hex(&sign(secret, LIVE_TICKET, &[unsigned.as_bytes()]))))
}

/// Reads the address of an upgrade request like [`open_ticket`], and refuses a ticket that this system did not make. To be
/// asked before a hub is woken; whether the ticket is still good only the hub knows.
pub fn authorize_live(config: &Config, path_and_query: &str) -> Result<LiveAccess, TicketRefusal> {
    let (ticket, access) = read(path_and_query)?;
    let unsigned = ticket.rsplit_once('.').map_or("", |(unsigned, _)| unsigned);
    let expected = signed(config, unsigned).map_err(|_| TicketRefusal::Refused)?;
    // Hashes are compared, so that the time it takes tells nothing of the signature.
    if hash(&expected) == access.ticket_hash { Ok(access) } else { Err(TicketRefusal::Refused) }
}

/// Reads the address of an upgrade request to the live stream: `/api/v1/live?ticket=…&after=<seq>`, as in the request line.
pub fn open_ticket(path_and_query: &str) -> Result<LiveAccess, TicketRefusal> {
    read(path_and_query).map(|(_, access)| access)
}

fn read(path_and_query: &str) -> Result<(String, LiveAccess), TicketRefusal> {
    let query = path_and_query.split_once('?').map_or("", |(_, query)| query);
    let (mut ticket, mut after) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "ticket" if ticket.is_none() && value.len() <= MAX_TICKET_BYTES => {
                ticket = Some(value.into_owned());
            }
            "after" if after.is_none() => after = Some(value.parse().map_err(|_| TicketRefusal::Malformed)?),
            _ => return Err(TicketRefusal::Malformed),
        }
    }
    let ticket = ticket.ok_or(TicketRefusal::Malformed)?;
    let mut parts = ticket.split('.');
    let (Some(tenant), Some(secret), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TicketRefusal::Malformed);
    };
    let well_formed = is_hex(secret, SECRET_BYTES) && is_hex(signature, SIGNATURE_BYTES);
    let tenant_id = tenant.parse().ok().filter(|_| well_formed).ok_or(TicketRefusal::Malformed)?;
    let access = LiveAccess { tenant_id, ticket_hash: hash(&ticket), after };
    Ok((ticket, access))
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The secret is random enough to need no slow hash.
fn hash(ticket: &str) -> String {
    hex(&Sha256::digest(ticket.as_bytes()))
}

#[cfg(test)]
mod tests {
    use voicecore_types::Millis;

    use super::*;
    use crate::testing::Counter;

    fn config(secret: &'static str) -> Config {
        Config::from_lookup(&|name| (name == "JWT_SECRET").then(|| secret.repeat(8)))
    }

    fn open(query: &str) -> Result<LiveAccess, TicketRefusal> {
        open_ticket(&format!("{LIVE_PATH}?{query}"))
    }

    #[test]
    fn ticket_names_its_tenant_and_hash() {
        let tenant = TenantId::new(Millis(1), &[7; 10]);
        let (ticket, hash) = new_ticket(&config("abcd"), &Counter::default(), tenant).unwrap();
        let access = open(&format!("ticket={ticket}&after=17")).unwrap();
        assert_eq!(access, LiveAccess { tenant_id: tenant, ticket_hash: hash.clone(), after: Some(17) });
        assert_eq!(open(&format!("ticket={ticket}")).unwrap().after, None);
        assert!(!ticket.contains(&hash) && !hash.contains(&ticket));
    }

    #[test]
    fn only_tickets_of_this_system_reach_a_hub() {
        let ours = config("abcd");
        let tenant = TenantId::new(Millis(1), &[7; 10]);
        let other = TenantId::new(Millis(2), &[7; 10]);
        let (ticket, hash) = new_ticket(&ours, &Counter::default(), tenant).unwrap();
        let authorize =
            |config: &Config, ticket: &str| authorize_live(config, &format!("{LIVE_PATH}?ticket={ticket}"));
        assert_eq!(authorize(&ours, &ticket).unwrap().ticket_hash, hash);
        let forged = ticket.replace(&tenant.to_string(), &other.to_string());
        assert_eq!(authorize(&ours, &forged), Err(TicketRefusal::Refused));
        assert_eq!(authorize(&config("efgh"), &ticket), Err(TicketRefusal::Refused));
        assert_eq!(authorize(&Config::from_lookup(&|_| None), &ticket), Err(TicketRefusal::Refused));
    }

    #[test]
    fn everything_else_is_malformed() {
        let tenant = TenantId::new(Millis(1), &[7; 10]);
        let (ticket, _) = new_ticket(&config("abcd"), &Counter::default(), tenant).unwrap();
        for query in [
            String::new(),
            "ticket=".to_owned(),
            format!("ticket={ticket}0"),
            format!("ticket={}", ticket.replace('.', "")),
            format!("ticket=x{ticket}"),
            format!("ticket={ticket}&ticket={ticket}"),
            format!("ticket={ticket}&after=x"),
            format!("ticket={ticket}&after=-1"),
            format!("ticket={ticket}&more=1"),
            format!("ticket={}", "a.".repeat(200)),
        ] {
            assert_eq!(open(&query), Err(TicketRefusal::Malformed), "{query}");
        }
    }
}
