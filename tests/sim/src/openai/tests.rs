//! Over real sockets, as the product sees it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue, protocol::CloseFrame},
};

use super::*;
use crate::{
    registry::{Heard, Recogniser, Speaker},
    speech::{FRAME_BYTES, FRAME_MS, SILENCE},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

async fn start(change: impl FnOnce(&mut OpenAiConfig)) -> OpenAiSim {
    let mut config = OpenAiConfig::new("sk-test");
    config.timing = Timing {
        connect_ms: 0,
        first_audio_ms: 20,
        first_audio_jitter_ms: 5,
        speed: 40.0,
        ..Timing::default()
    };
    change(&mut config);
    OpenAiSim::start(config).await.unwrap()
}

async fn connect(sim: &OpenAiSim, query: &str, key: &str, beta: bool) -> Result<Socket, (u16, Value)> {
    let mut request = format!("ws://{}/v1/realtime{query}", sim.addr()).into_client_request().unwrap();
    request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Bearer {key}")).unwrap());
    if beta {
        request.headers_mut().insert("openai-beta", HeaderValue::from_static("realtime=v1"));
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err((response.status().as_u16(), serde_json::from_slice(body).unwrap()))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn open(sim: &OpenAiSim) -> Socket {
    connect(sim, "?model=gpt-realtime-2.1", "sk-test", false).await.unwrap()
}

async fn send(socket: &mut Socket, event: Value) {
    socket.send(Message::Text(event.to_string().into())).await.unwrap();
}

/// Events up to the first of this type.
async fn until(socket: &mut Socket, kind: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    while events.last().is_none_or(|event| event["type"] != kind) {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await;
        let message = message.unwrap_or_else(|_| panic!("no {kind} after {events:?}")).unwrap().unwrap();
        events.push(serde_json::from_str(message.to_text().unwrap()).unwrap());
    }
    events
}

async fn configure(socket: &mut Socket) {
    let pcmu = json!({ "type": "audio/pcmu" });
    send(
        socket,
        json!({ "type": "session.update", "session": { "type": "realtime", "instructions": "Be kind.", "audio": {
            "input": { "format": pcmu, "transcription": { "model": "gpt-4o-mini-transcribe", "language": "en" },
                "turn_detection": { "type": "server_vad" } },
            "output": { "format": pcmu, "voice": "marin" } } } }),
    )
    .await;
    until(socket, "session.updated").await;
}

async fn append(socket: &mut Socket, audio: &[u8]) {
    for frame in audio.chunks(FRAME_BYTES) {
        send(socket, json!({ "type": "input_audio_buffer.append", "audio": STANDARD.encode(frame) })).await;
    }
}

#[tokio::test]
async fn only_the_right_key_an_existing_model_and_the_ga_shape_get_in() {
    let sim = start(|_| ()).await;
    let refused = |query: &'static str, key: &'static str| {
        let sim = &sim;
        async move {
            let (status, body) = connect(sim, query, key, false).await.unwrap_err();
            (status, body["error"]["code"].as_str().unwrap().to_owned())
        }
    };
    assert_eq!(refused("?model=gpt-realtime-2.1", "sk-wrong").await, (401, "invalid_api_key".into()));
    assert_eq!(refused("?model=gpt-9", "sk-test").await, (404, "model_not_found".into()));
    assert_eq!(refused("", "sk-test").await, (400, "missing_required_parameter".into()));
    let mut socket = connect(&sim, "?model=gpt-realtime-2.1", "sk-test", true).await.unwrap();
    let error = until(&mut socket, "error").await.pop().unwrap();
    assert_eq!(error["error"]["code"], "beta_api_shape_disabled");
    let close = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(close, Message::Close(Some(CloseFrame { code, .. })) if u16::from(code) == 4_000));
    assert_eq!(sim.violations().len(), 4);
    assert_eq!(sim.sessions().len(), 0);
}

#[tokio::test]
async fn a_whole_turn_over_a_socket_is_heard_answered_and_recorded() {
    let directory = std::env::temp_dir().join(format!("voicecore-traffic-{}", std::process::id()));
    let sim = start(|config| config.record = Some(directory.clone())).await;
    let registry = sim.inner.config.registry.clone();
    let mut socket = open(&sim).await;
    assert_eq!(until(&mut socket, "session.created").await.len(), 1);
    configure(&mut socket).await;

    let speech = sim.inner.config.synthesiser.say(&Voice::caller(), "How much is it?").unwrap();
    let utterance = registry.register(Speaker::Caller { call: "CA1".into() }, &speech);
    append(&mut socket, &utterance.audio()).await;
    append(&mut socket, &[SILENCE; 40 * FRAME_BYTES]).await;
    let events = until(&mut socket, "response.done").await;

    let mut recogniser = Recogniser::new(registry.clone());
    let deltas = events.iter().filter(|event| event["type"] == "response.output_audio.delta");
    let heard: Vec<_> = deltas
        .flat_map(|event| recogniser.push(&STANDARD.decode(event["delta"].as_str().unwrap()).unwrap()))
        .collect();
    let report = sim.sessions().pop().unwrap();
    let item = &report.responses[0].items[0];
    let is_item =
        |one: &Heard| matches!(one, Heard::Frame { utterance, .. } if Some(*utterance) == item.utterance);
    assert!(heard.iter().all(is_item));
    assert_eq!(heard.len() as u32 * FRAME_MS, item.sent_ms);
    assert!(report.responses[0].text.contains("twenty five dollars"));
    assert_eq!((report.turns[0].transcript.as_str(), report.open), ("How much is it?", true));

    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    tokio::time::timeout(PATIENCE, async {
        while sim.sessions()[0].open {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(sim.sessions()[0].ended.as_deref(), Some("client"));
    let lines = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap().lines().count();
    assert!(lines("server.ndjson") >= events.len() + 2);
    assert_eq!(lines("client.ndjson"), 1 + utterance.frames.len() + 40);
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(sim.violations(), []);
}

#[tokio::test]
async fn connections_are_refused_and_broken_on_command() {
    let sim = start(|config| config.timing.speed = 4.0).await;
    let refuse = FaultKind::Refuse { status: 429, code: "insufficient_quota".into() };
    let drop = Fault::once(Trigger::Speech { ms: 100 }, FaultKind::Drop);
    sim.set_faults(FaultPlan { faults: vec![Fault::once(Trigger::Connect { nth: Some(1) }, refuse), drop] });
    let (status, body) = connect(&sim, "?model=gpt-realtime-2.1", "sk-test", false).await.unwrap_err();
    assert_eq!((status, body["error"]["code"].as_str()), (429, Some("insufficient_quota")));

    let mut socket = open(&sim).await;
    configure(&mut socket).await;
    send(&mut socket, json!({ "type": "response.create" })).await;
    let broken = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(_))) => panic!("a broken connection says nothing"),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    };
    tokio::time::timeout(PATIENCE, broken).await.unwrap();
    assert_eq!(sim.sessions()[0].ended.as_deref(), Some("dropped"));

    let mut socket = open(&sim).await;
    configure(&mut socket).await;
    let close = FaultKind::Close { code: 1_011, reason: "on command".into() };
    sim.set_faults(FaultPlan { faults: vec![Fault::once(Trigger::Now, close)] });
    let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(message, Message::Close(Some(CloseFrame { code, .. })) if u16::from(code) == 1_011));
    assert_eq!(sim.violations(), []);
}

#[tokio::test]
async fn completions_are_answered_by_the_same_rules_and_refused_as_strictly() {
    let sim = start(|_| ()).await;
    let ask = |body: Value, key: &'static str| {
        let url = format!("{}/chat/completions", sim.base_url());
        async move {
            let answer = reqwest::Client::new().post(url).bearer_auth(key).json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let tool =
        json!({ "type": "function", "function": { "name": "transfer", "parameters": { "type": "object" } } });
    let messages = json!([{ "role": "user", "content": "I want to speak to a human." }]);
    let body = json!({ "model": "gpt-5-mini", "messages": messages, "tools": [tool] });
    let (status, answer) = ask(body.clone(), "sk-test").await;
    let choice = &answer["choices"][0];
    assert_eq!((status, choice["finish_reason"].as_str()), (200, Some("tool_calls")));
    let call = choice["message"]["tool_calls"][0].clone();
    assert_eq!(call["function"]["name"], "transfer");

    let mut next = body.clone();
    let reply = json!([messages[0], { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "tool_call_id": call["id"], "content": "{\"ok\":true}" }]);
    next["messages"] = reply;
    let (status, answer) = ask(next.clone(), "sk-test").await;
    assert_eq!((status, answer["choices"][0]["finish_reason"].as_str()), (200, Some("stop")));
    assert_eq!(sim.violations(), []);

    next["messages"][2]["tool_call_id"] = json!("call_other");
    assert_eq!(ask(next, "sk-test").await.0, 400);
    let (status, answer) =
        ask(json!({ "model": "m", "messages": messages, "max_output_tokens": 1 }), "sk-test").await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("unknown_parameter")));
    assert_eq!(ask(body, "sk-wrong").await.0, 401);
    assert_eq!(sim.violations().len(), 3);
}

#[tokio::test]
async fn the_models_are_listed_for_the_right_key() {
    let sim = start(|_| {}).await;
    let client = reqwest::Client::new();
    let ask = |key| client.get(format!("http://{}/v1/models", sim.addr())).bearer_auth(key).send();
    assert_eq!(ask("sk-other").await.unwrap().status(), 401);
    let listed: Value = ask("sk-test").await.unwrap().json().await.unwrap();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert!(ids.contains(&&json!("gpt-realtime-2.1")), "{listed}");
}
