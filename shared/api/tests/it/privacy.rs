//! A12: after any traffic, no store, log or export holds an address of the network or a place.

use axum::body::Body;
use axum::http::{HeaderName, Method, Request, header};
use proptest::prelude::*;
use serde_json::json;
use voicecore_api::actors::CallReply;
use voicecore_api::{jobs, live};
use voicecore_call::{AfterStream, ToolCall};
use voicecore_conformance::block_on;
use voicecore_ports::Blob as _;

use crate::world::{ACCOUNT, Reply, World};

const ADDRESS_HEADERS: [&str; 9] = [
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "x-forwarded-for",
    "x-real-ip",
    "true-client-ip",
    "forwarded",
    "fastly-client-ip",
    "spin-client-addr",
    "x-client-ip",
];
const PLACE_HEADERS: [&str; 6] =
    ["cf-ipcity", "cf-ipcountry", "cf-region", "cf-postal-code", "cf-iplatitude", "cf-timezone"];
/// What Twilio says of places, of both ends and under both names, and of networks.
const PLACE_PARAMETERS: [&str; 18] = [
    "FromCity",
    "FromState",
    "FromZip",
    "FromCountry",
    "ToCity",
    "ToState",
    "ToZip",
    "ToCountry",
    "CallerCity",
    "CallerState",
    "CallerZip",
    "CallerCountry",
    "CalledCity",
    "CalledState",
    "CalledZip",
    "CalledCountry",
    "SipSourceIp",
    "X-Location",
];

/// What must be found nowhere.
#[derive(Debug, Clone)]
struct Markers {
    v4: String,
    v6: String,
    place: String,
}

fn markers() -> impl Strategy<Value = Markers> {
    (any::<[u8; 3]>(), any::<[u16; 3]>(), "[A-Z]{7}").prop_map(|(a, b, word)| Markers {
        v4: format!("203.{}.{}.{}", a[0], a[1], a[2]),
        v6: format!("2001:db8:{:x}:{:x}::{:x}", b[0], b[1], b[2]),
        place: format!("Q{word}VILLE"),
    })
}

impl Markers {
    /// The request as it comes out of a network that says where it has been.
    fn mark(&self, mut request: Request<Body>) -> Request<Body> {
        let headers = request.headers_mut();
        for name in ADDRESS_HEADERS {
            let value = match name {
                "forwarded" => format!("for={};proto=https", self.v4),
                "x-forwarded-for" => format!("{}, {}", self.v4, self.v6),
                "cf-connecting-ipv6" => self.v6.clone(),
                _ => self.v4.clone(),
            };
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        for name in PLACE_HEADERS {
            headers.insert(HeaderName::from_static(name), self.place.parse().unwrap());
        }
        request
    }

    fn webhook(&self, world: &World, target: &str, sid: &str, to: &str, more: &[(&str, &str)]) -> Reply {
        let mut parameters = vec![
            ("CallSid", sid),
            ("AccountSid", ACCOUNT),
            ("CallStatus", "in-progress"),
            ("Direction", "inbound"),
            ("From", crate::world::CALLER),
            ("To", to),
        ];
        parameters.extend(PLACE_PARAMETERS.iter().map(|name| {
            (*name, if *name == "SipSourceIp" { self.v4.as_str() } else { self.place.as_str() })
        }));
        parameters.extend(more);
        world.send(self.mark(World::signed(target, &parameters)))
    }

    fn api(
        &self,
        world: &World,
        method: Method,
        target: &str,
        key: &str,
        body: Option<serde_json::Value>,
    ) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        world.send(self.mark(request.unwrap()))
    }

    fn in_text(&self, text: &str) -> bool {
        [&self.v4, &self.v6, &self.place].iter().any(|marker| text.contains(marker.as_str()))
    }
}

/// Everything that somebody could read afterwards.
fn everything(world: &World) -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = world.doubles.db.dump().into_iter().map(|text| ("database", text)).collect();
    for key in world.doubles.blob.keys() {
        let bytes = block_on(world.doubles.blob.get(&key)).unwrap().unwrap_or_default();
        all.push(("object", format!("{key} {}", String::from_utf8_lossy(&bytes))));
    }
    for (key, value) in world.doubles.kv.entries() {
        all.push(("cache", format!("{key} {}", String::from_utf8_lossy(&value))));
    }
    all.extend(world.doubles.queue.take().iter().map(|job| ("queue", job.to_string())));
    all.extend(
        world
            .doubles
            .actors
            .commands()
            .iter()
            .map(|(name, command)| ("actor", format!("{name:?} {command}"))),
    );
    all.extend(world.doubles.rate_limits.keys().into_iter().map(|key| ("rate limit", key)));
    for request in world.doubles.http.requests() {
        all.push((
            "request to others",
            format!("{} {:?} {}", request.url, request.headers, String::from_utf8_lossy(&request.body)),
        ));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a12_no_store_log_or_export_holds_an_address_or_a_place(
        markers in markers(), turn_based in any::<bool>(), steps in prop::collection::vec((0_u8..12, any::<bool>()), 1..14),
    ) {
        let world = World::new();
        world.actors_reply(CallReply::AfterStream { after: AfterStream::Apologise });
        let claim = json!({
            "token": world.setup_token().expose(),
            "tenant_name": "T",
            "business_name": "B",
            "phone_number": "+15005550001",
            "fallback_number": "+15005550019",
            "voice_mode": if turn_based { "turn_based" } else { "streaming" },
        });
        let set_up = markers.api(&world, Method::POST, "/api/v1/setup/claim", "none", Some(claim));
        prop_assert_eq!(set_up.status.as_u16(), 201, "{}", set_up.body);
        let key = set_up.json()["api_key"].as_str().unwrap().to_owned();
        let sid = "CA00000000000000000000000000000001";
        let number = "+15005550001";
        let mut log = vec![];
        let first = markers.webhook(&world, "/webhooks/twilio/voice", sid, number, &[]);
        let call = world.sql("select id from calls").rows[0]["id"].clone();
        let voicecore_ports::Value::Text(call) = call else { panic!("{call:?}") };
        log.push(first);
        for (step, off) in steps {
            world.db.off(off);
            let target = |path: &str| format!("/webhooks/twilio/{path}?call={call}");
            let recording = [("RecordingSid", "RE00000000000000000000000000000001"), ("RecordingDuration", "7"), ("DialCallStatus", "busy")];
            log.push(match step {
                0 => markers.webhook(&world, &target("status"), sid, number, &[]),
                1 => markers.webhook(&world, &target("stream-ended"), sid, number, &[]),
                2 => markers.webhook(&world, &target("stream-status"), sid, number, &[("StreamSid", "MZ00000000000000000000000000000001"), ("StreamEvent", "stream-started"), ("StreamName", &markers.place)]),
                3 => markers.webhook(&world, &format!("{}&step=1", target("turn")), sid, number, &[("SpeechResult", "hello"), ("Confidence", "0.9")]),
                4 => markers.webhook(&world, &target("voicemail"), sid, number, &recording),
                5 => markers.webhook(&world, &target("dial-ended"), sid, number, &recording),
                6 => markers.webhook(&world, &target("fallback"), sid, number, &[("ErrorUrl", &format!("https://x.example/{}", markers.v4))]),
                7 => markers.api(&world, Method::GET, "/api/v1/calls", &key, None),
                8 => markers.api(&world, Method::POST, &format!("/api/v1/calls/{call}/end"), &key, None),
                9 => markers.api(&world, Method::POST, "/api/v1/live/tickets", &key, None),
                10 => markers.api(&world, Method::PUT, "/api/v1/config/providers/openai", &key, Some(json!({"api_key": "sk-0123456789abcdef"}))),
                _ => markers.api(&world, Method::GET, &format!("/nowhere/{step}"), &key, None),
            });
            world.db.off(false);
        }
        if let Ok(setup) = block_on(live::load_call(&world.app, call.parse().unwrap())) {
            let tool = ToolCall { tool_call_id: "t".to_owned(), name: "take_message".to_owned(), arguments: json!({"message": "hi"}).to_string() };
            let told = block_on(live::run_tool(&world.app, &setup, &tool));
            block_on(live::record_tool(&world.app, &setup, &tool, &told)).unwrap();
        }
        for job in world.doubles.queue.take() {
            prop_assert!(!markers.in_text(&job.to_string()), "queue: {}", job);
            let _ = block_on(jobs::handle(&world.app, job));
        }
        let _ = block_on(jobs::scheduled(&world.app));
        // Exports, and what the log and clients are told.
        for export in ["/api/v1/audit/export?format=csv", "/api/v1/audit/export", "/api/v1/audit", "/api/v1/calls", "/api/v1/messages"] {
            log.push(world.get(export, &key));
        }
        for reply in &log {
            let seen = format!("{} {:?} {:?}", reply.body, reply.headers, reply.cause);
            prop_assert!(!markers.in_text(&seen), "{}", seen);
        }
        for (place, text) in everything(&world) {
            prop_assert!(!markers.in_text(&text), "{}: {}", place, text);
        }
    }
}
