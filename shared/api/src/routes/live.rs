//! The live stream: what happens on the tenant's calls, while it happens.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use voicecore_api_types::{LiveTicket, Problem};
use voicecore_ports::ActorError;

use crate::actors::{HubCommand, HubReply, ask_hub};
use crate::auth::{Access, LiveRead, sees_all};
use crate::live::ticket::{LIVE_PATH, new_ticket};
use crate::{ApiError, AppState};

/// A ticket that opens the live stream once, within thirty seconds.
#[utoipa::path(post, path = "/api/v1/live/tickets", tag = "live", security(("api_key" = ["live:read"])),
    responses(
        (status = 201, description = "The ticket.", body = LiveTicket),
        (status = 501, description = "The platform has no sockets.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Too many tickets are open. Wait for some to expire.", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "It failed.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_ticket(
    access: Access<LiveRead>,
    State(app): State<AppState>,
) -> Result<(StatusCode, Json<LiveTicket>), ApiError> {
    // The feed is of all calls.
    sees_all(&access.principal)?;
    let tenant = access.principal.scope.tenant();
    let base = app.config.public_url.get()?.websocket();
    let (ticket, ticket_hash) = new_ticket(&app.config, &*app.ports.rng, tenant)?;
    let command = HubCommand::Ticket { ticket_hash, watcher: access.principal.actor.watcher() };
    match ask_hub(&*app.ports.actors, tenant, &command).await {
        Ok(HubReply::TicketIssued { expires_at }) => {
            let url = format!("{base}{LIVE_PATH}?ticket={ticket}");
            Ok((StatusCode::CREATED, Json(LiveTicket { ticket, expires_at, url })))
        }
        Ok(HubReply::TooManyTickets) => {
            Err(ApiError::Conflict("Too many tickets are open. Wait for some to expire."))
        }
        Ok(HubReply::Published { .. } | HubReply::Accepted | HubReply::Erased) => {
            Err(ApiError::Internal("the hub answered another question".to_owned()))
        }
        Err(ActorError::Unsupported) => {
            Err(ApiError::Unsupported("This deployment has no live stream: its platform has no sockets."))
        }
        Err(error) => Err(ApiError::Unavailable { part: "hub", cause: error.to_string() }),
    }
}

/// The live stream, as a WebSocket. Messages are `LiveEnvelope`s; after a gap too long to fill, `{"type":"resync"}` says to
/// load everything afresh. It is closed with 4401 as soon as whoever opened it may not listen any more, within a minute at the
/// latest, and with 1013 when that cannot be found out. This description is all that plain HTTP gets: 426.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", security(()),
    params(
        ("ticket" = String, Query, description = "From `POST /api/v1/live/tickets`; works once."),
        ("after" = Option<u64>, Query, description = "The last `seq` that was seen: what came after is sent first."),
    ),
    responses(
        (status = 101, description = "The socket is open."),
        (status = 401, description = "The ticket is unknown, used or expired, or who asked for it may not listen any more.", body = Problem, content_type = "application/problem+json"),
        (status = 426, description = "The request is no upgrade to a WebSocket.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "There were too many requests: `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Nobody can be asked who may listen, or there are too many who do.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn live() -> ApiError {
    ApiError::UpgradeRequired
}
