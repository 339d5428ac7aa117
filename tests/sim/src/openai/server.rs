//! The server: who may come in, and the sockets.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use super::{
    Inner, chat,
    error::ApiError,
    faults::{Armed, FaultKind},
    recording::Side,
    session::{Output, Session, only_at_connect},
};
use crate::speech::Speech;

/// A message may hold an append of 15 MiB and what stands around it; above it the socket breaks.
const MAX_MESSAGE: usize = 17 * 1024 * 1024;
/// `tungstenite` zeroes its read buffer before every read; the default of 128 KiB costs a third of the CPU.
const READ_BUFFER: usize = 4_096;
/// How long a client has to answer a close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Speech on its way to a session.
const SPEECH_QUEUE: usize = 64;
/// Without a deadline the loop looks at the time so often.
const IDLE_TICK_MS: u64 = 1_000;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/v1/realtime", get(realtime))
        .route("/v1/chat/completions", post(chat::completions))
        .route("/v1/models", get(models))
        .fallback(async || {
            let error =
                ApiError::request("unknown_url", "Unknown request URL. Please check the URL for typos.");
            refusal(StatusCode::NOT_FOUND, &error)
        })
        .with_state(inner)
}

/// The models that the key may use.
async fn models(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    if let Some(refused) = inner.check_key(&headers) {
        return refused;
    }
    let model = |id: &String| json!({"id": id, "object": "model", "created": 0, "owned_by": "system"});
    let data: Vec<Value> = inner.config.models.iter().map(model).collect();
    Json(json!({"object": "list", "data": data})).into_response()
}

#[derive(Debug, Deserialize)]
struct RealtimeQuery {
    model: Option<String>,
}

async fn realtime(
    State(inner): State<Arc<Inner>>,
    Query(query): Query<RealtimeQuery>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let (faults, armed) = inner.board.connect();
    let slow = faults.iter().map(|fault| if let FaultKind::SlowConnect { ms } = fault { *ms } else { 0 });
    let wait = slow.sum::<u64>() + inner.config.timing.connect_ms;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    if let Some(refused) = faults.iter().find_map(refused_on_command) {
        return refused;
    }
    if let Some(refused) = inner.check_key(&headers) {
        return refused;
    }
    let model = query.model.unwrap_or_default();
    if let Some(refused) = inner.check_model(&model) {
        return refused;
    }
    let upgrade = match upgrade {
        Ok(upgrade) => {
            upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).read_buffer_size(READ_BUFFER)
        }
        Err(rejection) => {
            inner.violations.record("openai", "connect", "no_upgrade", rejection.to_string());
            return rejection.into_response();
        }
    };
    if headers.get("openai-beta").is_some() {
        inner.violations.record("openai", "connect", "beta_api_shape_disabled", "header OpenAI-Beta");
        return upgrade.on_upgrade(refuse_beta);
    }
    let at_once = faults.into_iter().filter(|kind| !only_at_connect(kind)).collect();
    upgrade.on_upgrade(move |socket| run(inner, socket, model, at_once, armed))
}

pub(super) fn refused_on_command(fault: &FaultKind) -> Option<Response> {
    let FaultKind::Refuse { status, code } = fault else { return None };
    let kind = match (*status, code.as_str()) {
        (_, "insufficient_quota") => "insufficient_quota",
        (429, _) => "requests",
        (500.., _) => "server_error",
        _ => "invalid_request_error",
    };
    let error =
        ApiError { kind: kind.into(), ..ApiError::request(code, format!("Fault on command: {code}.")) };
    Some(refusal(StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &error))
}

pub(super) fn refusal(status: StatusCode, error: &ApiError) -> Response {
    (status, Json(error.body())).into_response()
}

impl Inner {
    /// 401 unless the right key is shown.
    pub(super) fn check_key(&self, headers: &HeaderMap) -> Option<Response> {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let error = match shown.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(key) if key == self.config.api_key => return None,
            Some(_) => ApiError::request("invalid_api_key", "Incorrect API key provided."),
            None => ApiError {
                code: None,
                ..ApiError::request("", "Missing bearer or basic authentication in header")
            },
        };
        self.violations.record("openai", "connect", "invalid_api_key", &error.message);
        Some(refusal(StatusCode::UNAUTHORIZED, &error))
    }

    /// 4xx unless there is such a model.
    fn check_model(&self, model: &str) -> Option<Response> {
        let (status, error) = if self.config.models.iter().any(|known| known == model) {
            return None;
        } else if model.is_empty() {
            let error = ApiError::invalid(
                "missing_required_parameter",
                "model",
                "Missing required parameter: 'model'.",
            );
            (StatusCode::BAD_REQUEST, error)
        } else {
            let message = format!("The model `{model}` does not exist or you do not have access to it.");
            (StatusCode::NOT_FOUND, ApiError::request("model_not_found", message))
        };
        self.violations.record("openai", "connect", error.code.clone().unwrap_or_default(), &error.message);
        Some(refusal(status, &error))
    }
}

/// What the service does since the beta shape is gone.
async fn refuse_beta(mut socket: WebSocket) {
    let message = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.";
    let error = ApiError::request("beta_api_shape_disabled", message);
    let event = json!({ "type": "error", "event_id": "event_beta", "error": error.event(None) });
    // The client may be gone already; there is nobody else to tell.
    drop(socket.send(Message::Text(event.to_string().into())).await);
    let reason = "invalid_request_error.beta_api_shape_disabled".into();
    drop(socket.send(Message::Close(Some(CloseFrame { code: 4_000, reason }))).await);
}

/// Speech for a response.
type Said = (String, Arc<Speech>);

/// How a session went on after its outputs.
enum Next {
    GoOn,
    Closed,
    Dropped,
}

async fn run(
    inner: Arc<Inner>,
    socket: WebSocket,
    model: String,
    at_once: Vec<FaultKind>,
    armed: Vec<Armed>,
) {
    let (mut sink, mut stream) = socket.split();
    let (said_to, mut said) = mpsc::channel::<Said>(SPEECH_QUEUE);
    let mut commands = inner.board.subscribe();
    let mut session = Session::new(&model, inner.next_seed(), inner.shared(), armed, inner.now_ms());
    inner.remember(session.report());
    for kind in at_once {
        session.inject_at(inner.now_ms(), kind);
    }
    loop {
        match deliver(&inner, &mut session, &mut sink, &said_to).await {
            Ok(Next::GoOn) => {}
            Ok(Next::Dropped) => return,
            Ok(Next::Closed) => {
                // The client's answer to the close, or its patience.
                let answer = async { while let Some(Ok(_)) = stream.next().await {} };
                drop(tokio::time::timeout(CLOSE_PATIENCE, answer).await);
                return;
            }
            Err(_) => return session.ended("client"),
        }
        let wake = session.deadline().unwrap_or_else(|| inner.now_ms() + IDLE_TICK_MS);
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    inner.recording.line(Side::Client, &text);
                    session.text(inner.now_ms(), &text);
                }
                Some(Ok(Message::Binary(bytes))) => session.binary(inner.now_ms(), bytes.len()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return session.ended("client"),
            },
            Some((response_id, speech)) = said.recv() => session.spoken(inner.now_ms(), &response_id, &speech),
            Ok(kind) = commands.recv() => session.inject_at(inner.now_ms(), kind),
            () = tokio::time::sleep_until(inner.instant(wake)) => session.tick(inner.now_ms()),
        }
    }
}

/// Does what the session wants done.
async fn deliver(
    inner: &Arc<Inner>,
    session: &mut Session,
    sink: &mut SplitSink<WebSocket, Message>,
    said_to: &mpsc::Sender<Said>,
) -> Result<Next, axum::Error> {
    while let Some(output) = session.next_output() {
        match output {
            Output::Event(event) => {
                let text = event.to_string();
                inner.recording.line(Side::Server, &text);
                sink.send(Message::Text(text.into())).await?;
            }
            Output::Fault(text) => sink.send(Message::Text(text.into())).await?,
            Output::Synthesise { response_id, text } => synthesise(inner, response_id, text, said_to.clone()),
            Output::Close { code, reason } => {
                sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
                return Ok(Next::Closed);
            }
            Output::Drop => return Ok(Next::Dropped),
        }
    }
    Ok(Next::GoOn)
}

fn synthesise(inner: &Arc<Inner>, response_id: String, text: String, said_to: mpsc::Sender<Said>) {
    let inner = inner.clone();
    tokio::task::spawn_blocking(move || match inner.config.synthesiser.say(&inner.config.voice, &text) {
        // The session may have ended meanwhile.
        Ok(speech) => drop(said_to.blocking_send((response_id, speech))),
        Err(error) => {
            inner.violations.record("openai", response_id, "simulator_speechless", error.to_string());
        }
    });
}

impl Inner {
    /// Milliseconds since the simulator was started: the clock of all sessions.
    pub(super) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn instant(&self, ms: u64) -> Instant {
        self.started + Duration::from_millis(ms)
    }
}
