//! The OpenAPI document. At `/api/v1/openapi.json` it is a file, which no code of ours has to be awake for: the dashboard's build puts it
//! there (`functions/dashboard`), Workers serve it as a static asset and Spin from the same folder. In the scripts lies of it only what
//! bodies are checked by (`described`).

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use voicecore_api_types::LiveEnvelope;

/// What the document says of the API as a whole; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "VoiceCore",
        description = "Answers the telephone for businesses. Errors are problem documents (RFC 9457) with a stable \
                       `code`; ids are UUIDs; moments are milliseconds since the UNIX epoch. Lists have pages, and totals that are exact \
                       to 10,000. A change with an `Idempotency-Key` (1 to 255 ASCII characters) is made once in 24 hours and \
                       answered alike: with another request the same key is answered 422, while it is being carried out 409. An \
                       answer that shows a secret or its end (API keys, accounts at providers) or a telephone number is not kept: the repetition is \
                       answered 409 and changes nothing. Tickets of the live stream and all that is not asked for with a \
                       permission of a tenant (signing in, one's own sessions and preferences, set-up, the routes of super \
                       admins but the one that makes a tenant) take no notice of the header. Accounts at providers, agents, assistants, businesses and their opening hours, \
                       departments, messages, notes, preferences, quality rules, roles, saved views, telephone numbers and users have versions: `ETag` is that of \
                       what was read, and a change with `If-Match` is answered 412 when it is another one by then. What has no \
                       version refuses a change with `If-Match`, except `*`, with 412. Bodies have at most 65,536 bytes. Below `/api/v1` nothing is taken away: fields, values of \
                       parameters and operations are added, so clients pass over what they do not know. An operation that is to go is marked \
                       `deprecated` here, with what stands in its place; from then on its answers carry `Deprecation` (RFC 9745: since when) \
                       and, when the day is set, `Sunset` (RFC 8594: until when), at least 180 days ahead. What cannot be had by \
                       additions is a new version beside the old one, below `/api/v2`, and all of `/api/v1` is then deprecated alike.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(LiveEnvelope)),
    modifiers(&Schemes),
)]
pub(crate) struct ApiDoc;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("vc_<prefix>_<secret>")
            .description(Some(
                "An API key, or the access token of a session. The names beside a route are the permissions that the key \
                 or the user's role must carry.",
            ))
            .build();
        let session = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "The access token of a session. The names beside a route are permissions of super admins.",
            ))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        components.add_security_scheme("session", SecurityScheme::Http(session));
    }
}
