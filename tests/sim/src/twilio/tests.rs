//! Whole calls against a small product of this test's own: what is documented is what happens.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Account, CallReport, CallSpec, ModelSide, Speaker, StreamEnd, Twilio, sign};
use crate::openai::{FaultPlan, SessionReport};
use crate::registry::{Registry, Speaker as Who};
use crate::scenario::{EndedBy, Outcome, Scenario};
use crate::speech::{Speech, Synthesiser, Word};
use crate::violations::Violations;

const SID: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PUBLIC: &str = "https://vc.example.com";

/// No model takes part in these tests.
struct NoModel;

impl ModelSide for NoModel {
    fn sessions(&self) -> Vec<SessionReport> {
        Vec::new()
    }
    fn set_faults(&self, _: FaultPlan) {}
}

/// A URL with the parameters that came with it.
type Asked = (String, HashMap<String, String>);

/// What the product is to answer, by path, and what it was asked.
#[derive(Clone)]
struct Product {
    answers: Arc<HashMap<&'static str, (u16, &'static str, String)>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    audio: Arc<Vec<u8>>,
    received: Arc<Mutex<Vec<Value>>>,
}

struct Bench {
    twilio: Twilio,
    product: Product,
    rest: String,
}

async fn bench(answers: &[(&'static str, &str)]) -> Bench {
    let answers =
        answers.iter().map(|(path, body)| (*path, (200, "text/xml", format!("<Response>{body}</Response>"))));
    bench_with(answers.collect()).await
}

async fn bench_with(answers: HashMap<&'static str, (u16, &'static str, String)>) -> Bench {
    let registry = Registry::default();
    let words =
        (0..4).map(|n| Word { text: format!("w{n}"), start_ms: n * 500, end_ms: n * 500 + 500 }).collect();
    let tone =
        (0..16_000).map(|n| crate::speech::encode((7_000.0 * (f64::from(n) * 0.4).sin()) as i16)).collect();
    let speech = Speech { text: "w0 w1 w2 w3".into(), audio: tone, words };
    let audio = registry.register(Who::Assistant { item: "item_1".into() }, &speech).audio();
    let product = Product {
        answers: Arc::new(answers),
        asked: Arc::default(),
        audio: Arc::new(audio),
        received: Arc::default(),
    };
    let app = Router::new()
        .route("/media/{call}", get(media))
        .route("/{*path}", any(answer))
        .with_state(product.clone());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let app_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let mut account = Account::new(SID, TOKEN, PUBLIC, &app_url);
    account.voice_url = format!("{PUBLIC}/voice");
    account.fallback_url = Some(format!("{PUBLIC}/fallback"));
    account.status_url = Some(format!("{PUBLIC}/status"));
    let violations = Violations::default();
    let twilio =
        Twilio::new(account, registry, violations, Synthesiser::with_user_cache(), Arc::new(NoModel));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let rest = format!("http://{}/2010-04-01/Accounts/{SID}", listener.local_addr().unwrap());
    let router = twilio.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Bench { twilio, product, rest }
}

/// Notes the request if it is signed, and answers as told.
async fn answer(State(product): State<Product>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let params: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let signature = sign(TOKEN, &format!("{PUBLIC}{uri}"), &params);
    if headers.get("x-twilio-signature").map(HeaderValue::as_bytes) != Some(signature.as_bytes()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    product.asked.lock().unwrap().push((uri.to_string(), params.into_iter().collect()));
    let (status, kind, body) =
        product.answers.get(uri.path()).cloned().unwrap_or((204, "text/xml", String::new()));
    (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, kind)], body).into_response()
}

async fn media(
    State(product): State<Product>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let signature = sign(TOKEN, &format!("wss://vc.example.com{uri}"), &[]);
    if headers.get("x-twilio-signature").map(HeaderValue::as_bytes) != Some(signature.as_bytes()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(async move |socket| converse(product, socket).await)
}

/// Speaks two seconds, asks for a mark after one, throws the rest away at key 5 and hangs up at key 9.
async fn converse(product: Product, mut socket: WebSocket) {
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let event: Value = serde_json::from_str(&text).unwrap();
        let stream = event["streamSid"].clone();
        let send = |event: Value| Message::Text(event.to_string().into());
        match (event["event"].as_str().unwrap(), event["dtmf"]["digit"].as_str()) {
            ("start", _) => {
                for (n, chunk) in product.audio.chunks(1_600).enumerate() {
                    let payload = STANDARD.encode(chunk);
                    let media = json!({"event": "media", "streamSid": stream, "media": {"payload": payload}});
                    socket.send(send(media)).await.unwrap();
                    if n == 4 {
                        let mark =
                            json!({"event": "mark", "streamSid": stream, "mark": {"name": "one second"}});
                        socket.send(send(mark)).await.unwrap();
                    }
                }
                let mark = json!({"event": "mark", "streamSid": stream, "mark": {"name": "the end"}});
                socket.send(send(mark)).await.unwrap();
            }
            ("dtmf", Some("5")) => {
                socket.send(send(json!({"event": "clear", "streamSid": stream}))).await.unwrap();
            }
            ("dtmf", Some("9")) => return drop(socket.send(Message::Close(None)).await),
            _ => {}
        }
        product.received.lock().unwrap().push(event);
    }
}

impl Bench {
    async fn call(&self, scenario: &str) -> CallReport {
        let scenario = Scenario::from_toml(&format!("name = 'n'\nabout = 'a'\n{scenario}")).unwrap();
        let spec = CallSpec { to: "+15005550006".into(), from: "+15005550001".into(), scenario };
        self.twilio.ring(spec).await.unwrap().report().await.unwrap()
    }

    /// The parameters with which `path` was asked, the last time.
    fn asked(&self, path: &str) -> HashMap<String, String> {
        let asked = self.product.asked.lock().unwrap();
        asked.iter().rev().find(|(uri, _)| uri == path).map(|(_, params)| params.clone()).unwrap_or_default()
    }

    async fn until_asked(&self, path: &str) -> HashMap<String, String> {
        for _ in 0..500 {
            let params = self.asked(path);
            if !params.is_empty() {
                return params;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} was never asked");
    }

    /// The numbers of the account that a query finds, or Twilio's error code.
    async fn numbers(&self, query: &str, token: &str) -> Result<Vec<Value>, u64> {
        let request = reqwest::Client::new().get(format!("{}/IncomingPhoneNumbers.json{query}", self.rest));
        let credentials = STANDARD.encode(format!("{SID}:{token}"));
        let response = request.header("authorization", format!("Basic {credentials}")).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        match body["incoming_phone_numbers"].as_array() {
            Some(numbers) => Ok(numbers.clone()),
            None => Err(body["code"].as_u64().unwrap_or(0)),
        }
    }

    async fn post(&self, path: &str, token: &str, params: &[(&str, &str)]) -> (u16, u64) {
        let request = reqwest::Client::new().post(format!("{}/{path}", self.rest)).form(params);
        let credentials = STANDARD.encode(format!("{SID}:{token}"));
        let response = request.header("authorization", format!("Basic {credentials}")).send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["code"].as_u64().unwrap_or(0))
    }
}

const STREAM: &str = "<Connect action=\"/after?call=1#rc=2\"><Stream url=\"wss://vc.example.com/media/1\" statusCallback=\"/stream\">
    <Parameter name=\"token\" value=\"v\"/></Stream></Connect>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_played_marked_cleared_and_followed_by_its_action() {
    let bench = bench(&[("/voice", STREAM), ("/after", "<Play digits=\"1\"/><Hangup/>")]).await;
    let steps =
        "[[step]]\npress = '5'\nat_ms = 1500\n[[step]]\npress = '9'\nat_ms = 1900\n[[step]]\nwait_end = true";
    let report = bench.call(steps).await;
    assert_eq!((report.ended_by, report.status.as_str()), (EndedBy::App, "completed"));
    assert_eq!(report.violations, Vec::<String>::new());
    let received = bench.product.received.lock().unwrap().clone();
    let position = |name: &str, key: &str| {
        received.iter().position(|event| event[name][key] != Value::Null && event["event"] == name).unwrap()
    };
    assert_eq!(received[0]["event"], "connected");
    assert_eq!(received[1]["start"]["customParameters"], json!({"token": "v"}));
    // One second of audio lies between the start and the first mark: 50 frames, give or take the way there.
    let first_mark = position("mark", "name");
    let frames = received[..first_mark].iter().filter(|event| event["event"] == "media").count();
    assert!((49..=55).contains(&frames), "{frames}");
    // The second mark comes back with the clear, long before its audio would have been played.
    let key = position("dtmf", "digit");
    let second = received.iter().rposition(|event| event["event"] == "mark").unwrap();
    assert!(second > key && received[second]["mark"]["name"] == "the end");
    let turn = report.turns.iter().find(|turn| turn.speaker == Speaker::Assistant).unwrap();
    assert!(turn.cut && turn.total_ms == 2_000 && turn.item.as_deref() == Some("item_1"));
    assert!((1_300..1_600).contains(&turn.heard_ms), "{}", turn.heard_ms);
    assert_eq!((turn.text.as_str(), turn.whole_text.as_str()), ("w0 w1 w2", "w0 w1 w2 w3"));
    assert_eq!(report.streams[0].end, StreamEnd::ClosedByApp);
    let after = bench.asked("/after?call=1");
    assert_eq!((after["CallStatus"].as_str(), after["Direction"].as_str()), ("in-progress", "inbound"));
    assert_eq!(bench.until_asked("/stream").await["CallSid"], report.call_sid);
    assert_eq!(bench.until_asked("/status").await["CallStatus"], "completed");
    // What was heard is as long as the call, and loud where the assistant spoke.
    assert_eq!(report.heard.len() as u64 / 8_000, report.duration_ms / 1_000);
    let at = turn.start_ms as usize * 8;
    let exact = report.heard[at..].windows(8_000).take(8).any(|heard| heard == &bench.product.audio[..8_000]);
    assert!(exact, "the first second was not heard sample for sample");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_ends_the_stream_and_the_call() {
    let bench = bench(&[("/voice", STREAM)]).await;
    let report = bench.call("[[step]]\nhang_up = true\nat_ms = 700").await;
    assert_eq!((report.ended_by, report.streams[0].end), (EndedBy::Caller, StreamEnd::CallEnded));
    assert_eq!(bench.product.received.lock().unwrap().last().unwrap()["event"], "stop");
    assert_eq!(bench.until_asked("/after?call=1").await["CallStatus"], "completed");
    assert_eq!(bench.asked("/status")["CallDuration"], "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gather_record_and_dial_follow_their_actions() {
    let bench = bench(&[
        ("/voice", "<Gather numDigits=\"1\" timeout=\"3\" action=\"/key\"><Pause length=\"1\"/></Gather><Hangup/>"),
        ("/key", "<Dial action=\"/dialled\"><Number statusCallback=\"/leg\" statusCallbackEvent=\"answered\">+15005550009</Number></Dial>"),
        ("/dialled", "<Record timeout=\"3\" playBeep=\"false\" action=\"/recorded\"/><Hangup/>"),
        ("/recorded", "<Hangup/>"),
    ])
    .await;
    let scenario = "[callee]\nafter_ms = 300\nsays = 'Hi.'\ntalk_ms = 200
        [[step]]\npress = '7'\nat_ms = 400\n[[step]]\nsay = 'My number is four.'\n[[step]]\nwait_end = true";
    let report = bench.call(scenario).await;
    assert_eq!((report.ended_by, report.dialled), (EndedBy::App, Some(Outcome::Answered)));
    assert_eq!(bench.asked("/key")["Digits"], "7");
    assert_eq!(
        (bench.asked("/dialled")["DialCallStatus"].as_str(), report.recordings.len()),
        ("completed", 1)
    );
    assert_eq!(bench.until_asked("/leg").await["To"], "+15005550009");
    assert_eq!(bench.asked("/recorded")["RecordingSid"], report.recordings[0]);
    let paths: Vec<_> = report.twiml.iter().map(|document| document.url.clone()).collect();
    assert_eq!(paths, ["/voice", "/key", "/dialled", "/recorded"].map(|path| format!("{PUBLIC}{path}")));
    assert!(report.turns.iter().any(|turn| turn.speaker == Speaker::Callee && turn.text == "Hi."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_webhook_leads_to_the_fallback_url() {
    let answers = [
        ("/voice", (500, "text/plain", "oops".to_owned())),
        ("/fallback", (200, "application/xml; charset=utf-8", "<Response><Hangup/></Response>".to_owned())),
    ];
    let bench = bench_with(answers.into()).await;
    let report = bench.call("[[step]]\nwait_end = true").await;
    assert_eq!(report.ended_by, EndedBy::App);
    let asked = bench.asked("/fallback");
    assert_eq!(
        (asked["ErrorCode"].as_str(), asked["ErrorUrl"].clone()),
        ("11200", format!("{PUBLIC}/voice"))
    );
    assert_eq!(report.violations.len(), 1, "{:?}", report.violations);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_twiml_ends_the_call_with_an_application_error() {
    let body =
        "<Response><Connect><Stream url=\"wss://vc.example.com/media/1?token=x\"/></Connect></Response>";
    let wrong_type = HashMap::from([("/voice", (200, "text/plain", "<Response/>".to_owned()))]);
    let wrong_url = HashMap::from([("/voice", (200, "text/xml", body.to_owned()))]);
    let (one, other) = (bench_with(wrong_type).await, bench_with(wrong_url).await);
    let (one, other) =
        tokio::join!(one.call("[[step]]\nwait_end = true"), other.call("[[step]]\nwait_end = true"));
    for (report, code) in [(one, "12300"), (other, "31920")] {
        assert_eq!((report.ended_by, report.status.as_str()), (EndedBy::Platform, "failed"));
        assert!(
            report.violations.iter().any(|violation| violation.contains(code)),
            "{:?}",
            report.violations
        );
        assert!(report.turns.iter().any(|turn| turn.text.contains("application error")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_call_is_never_answered() {
    let bench = bench(&[("/voice", "<Reject reason=\"busy\"/>")]).await;
    let report = bench.call("[[step]]\nwait_end = true").await;
    assert_eq!((report.status.as_str(), report.heard.len()), ("busy", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_api_replaces_twiml_and_ends_calls_and_refuses_the_rest() {
    let bench = bench(&[("/voice", STREAM), ("/after", "<Pause length=\"20\"/>")]).await;
    let scenario = Scenario::from_toml("name = 'n'\nabout = 'a'\n[[step]]\nwait_end = true").unwrap();
    let spec = CallSpec { to: "+15005550006".into(), from: "+15005550001".into(), scenario };
    let handle = bench.twilio.ring(spec).await.unwrap();
    let call = format!("Calls/{}.json", handle.call_sid);
    bench.until_asked("/voice").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(bench.post(&call, "wrong", &[("Status", "completed")]).await, (401, 20003));
    assert_eq!(bench.post("Calls/CA404.json", TOKEN, &[("Status", "completed")]).await, (404, 20404));
    assert_eq!(bench.post(&call, TOKEN, &[("Stauts", "completed")]).await, (400, 20001));
    assert_eq!(
        bench.post(&call, TOKEN, &[("Twiml", "<Response><Pause length=\"20\"/></Response>")]).await,
        (200, 0)
    );
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.post(&call, TOKEN, &[("Status", "completed")]).await, (200, 0));
    let report = handle.report().await.unwrap();
    assert_eq!((report.ended_by, report.streams[0].end), (EndedBy::App, StreamEnd::Replaced));
    assert_eq!(report.twiml.last().unwrap().url, "rest");
    assert_eq!(bench.post(&call, TOKEN, &[("Status", "completed")]).await, (404, 20404));
    assert_eq!(bench.post(&call, TOKEN, &[("Twiml", "<Response/>")]).await, (400, 21220));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_api_lists_the_numbers_of_the_account() {
    let bench = bench(&[]).await;
    let found = bench.numbers("?PhoneNumber=%2B15005550006", TOKEN).await.unwrap();
    assert_eq!((found.len(), &found[0]["phone_number"]), (1, &"+15005550006".into()));
    assert_eq!((&found[0]["voice_method"], &found[0]["trunk_sid"]), (&"POST".into(), &Value::Null));
    assert_eq!(found[0]["voice_url"], bench.twilio.account().voice_url);
    assert_eq!(bench.numbers("?PhoneNumber=%2B15005550000", TOKEN).await, Ok(vec![]));
    assert_eq!(bench.numbers("?PhoneNumber=%2B15005550006", "wrong").await, Err(20003));
    for bad in ["", "?PhoneNumber=+15005550006", "?Number=%2B15005550006"] {
        assert_eq!(bench.numbers(bad, TOKEN).await, Err(20001), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_api_shows_the_account_to_its_owner() {
    let bench = bench(&[]).await;
    let ask = |token: &str| {
        let credentials = STANDARD.encode(format!("{SID}:{token}"));
        let request = reqwest::Client::new().get(format!("{}.json", bench.rest));
        request.header("authorization", format!("Basic {credentials}")).send()
    };
    let account: Value = ask(TOKEN).await.unwrap().json().await.unwrap();
    assert_eq!((&account["sid"], &account["status"]), (&SID.into(), &"active".into()));
    assert_eq!(ask("wrong").await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_this_machine_rings_a_scenario_and_no_other_page_does() {
    let bench = bench(&[("/webhooks/twilio/voice", "<Reject/>")]).await;
    let control = bench.rest.split("/2010-04-01").next().unwrap();
    let client = reqwest::Client::new();
    let allowed = |response: &reqwest::Response| {
        response.headers().get("access-control-allow-origin").map(|o| o.to_str().unwrap().to_owned())
    };
    for (origin, may) in [
        ("http://127.0.0.1:8787", true),
        ("http://localhost:5173", true),
        ("http://127.0.0.1.evil.example", false),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let url = format!("{control}/sim/scenarios");
        let response = client.get(&url).header("origin", origin).send().await.unwrap();
        assert_eq!(allowed(&response), may.then(|| origin.to_owned()), "{origin}");
        let listed: Value = response.json().await.unwrap();
        assert!(listed["items"].as_array().unwrap().iter().any(|s| s["name"] == "greeting-and-booking"));
        let asks = client.request(reqwest::Method::OPTIONS, format!("{url}/silence/calls"));
        let response = asks.header("origin", origin).send().await.unwrap();
        assert_eq!((response.status().as_u16(), allowed(&response).is_some()), (204, may));
    }
    let ring = |name: &str| {
        let body = json!({"to": "+12025550143", "from": "+12025550117"});
        client.post(format!("{control}/sim/scenarios/{name}/calls")).json(&body).send()
    };
    let response = ring("silence").await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let placed: Value = response.json().await.unwrap();
    assert!(bench.twilio.find(placed["call_sid"].as_str().unwrap()).is_some());
    for unknown in ["nobody", "..%2FREADME"] {
        assert_eq!(ring(unknown).await.unwrap().status(), StatusCode::NOT_FOUND);
    }
}
