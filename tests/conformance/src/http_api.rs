//! The conformance suite of the HTTP API: what every platform must answer alike, whatever lies between a client and the router.
//! What the routes do is tested natively (`shared/api/tests`); here stands what an adapter can get wrong: bodies, headers,
//! addresses, methods, statuses, and whether what was written is read again.

use std::any::Any;
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};

use serde_json::{Value, json};
use voicecore_wire::twilio::signature::sign;
use voicecore_wire::twilio::webhook::Form;

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Headers in order.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// Its answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a site's answer comes as.
pub type Answered<'a> = Pin<Box<dyn Future<Output = Result<Answer, String>> + Send + 'a>>;

/// A system under test, complete in its configuration, with what the suite has to know of it.
pub struct Site<'a> {
    /// Sends one request; follows no redirects.
    pub send: &'a (dyn Fn(Ask) -> Answered<'a> + Sync),
    /// `PUBLIC_URL`.
    pub public_url: &'a str,
    /// `TWILIO_ACCOUNT_SID`.
    pub account_sid: &'a str,
    /// `TWILIO_AUTH_TOKEN`.
    pub auth_token: &'a str,
    /// A set-up link's token that is good, and used up by the suite.
    pub setup_token: &'a str,
    /// Whose link that is.
    pub setup_email: &'a str,
    /// A number that nobody has yet.
    pub number: &'a str,
}

/// Runs every case against a system, and panics at the first promise that is broken; the panic's message begins with the name
/// of the case. Returns how many.
pub async fn suite(site: &Site<'_>) -> u32 {
    let mut cases = 0;
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            named(stringify!($case), $case(site)).await;
            cases += 1;
        )+};
    }
    cases!(
        health_and_readiness_answer,
        every_answer_has_its_headers,
        problems_are_problems,
        addresses_for_sockets_say_so,
        webhooks_are_checked_byte_for_byte,
        bodies_are_limited,
        what_was_set_up_is_found_again,
        whoever_signs_in_stays_so_by_a_cookie,
        a_change_is_made_once_and_only_of_the_version_that_was_read,
        long_and_strange_words_come_back_as_they_went,
    );
    cases
}

/// Runs a case; its panic goes on with the case's name before its message.
async fn named(case: &str, run: impl Future<Output = ()>) {
    let mut run = pin!(run);
    let ended = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context)));
        polled.map_or_else(|panic| std::task::Poll::Ready(Err(panic)), |poll| poll.map(Ok))
    });
    if let Err(panic) = ended.await {
        resume_unwind(Box::new(format!("{case}: {}", message(&*panic))));
    }
}

/// What a panic says.
pub fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

async fn send(site: &Site<'_>, ask: Ask) -> Answer {
    let shown = format!("{} {}", ask.method, ask.path);
    match (site.send)(ask).await {
        Ok(answer) => answer,
        Err(error) => unreachable!("{shown}: {error}"),
    }
}

async fn get(site: &Site<'_>, path: &str) -> Answer {
    send(site, Ask { method: "GET", path: path.to_owned(), headers: vec![], body: vec![] }).await
}

async fn post(site: &Site<'_>, path: &str, content_type: &str, body: &[u8]) -> Answer {
    let headers = vec![("content-type", content_type.to_owned())];
    send(site, Ask { method: "POST", path: path.to_owned(), headers, body: body.to_vec() }).await
}

/// That of whoever sets the tenant up.
const PASSWORD: &str = "pässword 世界 👩‍🍳";

async fn health_and_readiness_answer(site: &Site<'_>) {
    let health = get(site, "/health").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("ok")));
    let ready = get(site, "/ready").await;
    assert_eq!((ready.status, ready.json()["status"].as_str()), (200, Some("ready")), "{}", ready.text());
}

/// On success, failure, unknown addresses and webhooks alike; a request id is ours and never twice the same.
async fn every_answer_has_its_headers(site: &Site<'_>) {
    let mut ids = BTreeSet::new();
    for path in ["/health", "/health", "/nowhere", "/api/v1/calls", "/webhooks/twilio/voice"] {
        let headers = vec![("x-request-id", "mine".to_owned())];
        let ask = Ask { method: "GET", path: path.to_owned(), headers, body: vec![] };
        let answer = send(site, ask).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("strict-transport-security").is_some(), "{path}");
        let id = answer.header("x-request-id").unwrap_or_default().to_owned();
        assert_eq!(id.len(), 24, "{path}: {id}");
        assert!(ids.insert(id), "{path}: the id of another request");
    }
}

/// Status, code and media type of what fails before any handler does anything.
async fn problems_are_problems(site: &Site<'_>) {
    let json = "application/json";
    let ask = |method, path: &str| Ask { method, path: path.to_owned(), headers: vec![], body: vec![] };
    let key = |key: &str| vec![("authorization", format!("Bearer {key}"))];
    for (answer, status, code) in [
        (get(site, "/no/such/address").await, 404, "not_found"),
        (send(site, ask("DELETE", "/health")).await, 405, "method_not_allowed"),
        (get(site, "/api/v1/calls").await, 401, "unauthenticated"),
        (
            send(site, Ask { headers: key("vc_a_b"), ..ask("GET", "/api/v1/calls") }).await,
            401,
            "unauthenticated",
        ),
        (post(site, "/api/v1/setup/claim", json, b"{").await, 400, "malformed_request"),
        (post(site, "/api/v1/setup/claim", json, b"\xff\xfe").await, 400, "malformed_request"),
        (post(site, "/api/v1/setup/claim", "text/plain", b"{}").await, 415, "unsupported_media_type"),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["code"], code);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    let head = send(site, ask("HEAD", "/health")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

/// Plain HTTP gets the document that says what is missing.
async fn addresses_for_sockets_say_so(site: &Site<'_>) {
    let call = "01939a2b-0000-7000-8000-000000000001";
    for path in ["/api/v1/live".to_owned(), format!("/media/{call}")] {
        let answer = get(site, &path).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (426, Some("upgrade_required")),
            "{path}"
        );
        // RFC 9110 wants the header; not every platform lets it through.
        assert!(matches!(answer.header("upgrade"), None | Some("websocket")), "{path}");
    }
}

/// Parameters and addresses reach the signature's check exactly as they were sent: blanks, plus signs, escapes, other scripts.
async fn webhooks_are_checked_byte_for_byte(site: &Site<'_>) {
    let body = format!(
        "AccountSid={}&CallSid=CA{}&CallStatus=ringing&From=%2B12025550117&To={}&Direction=inbound&ApiVersion=2010-04-01\
         &CallerName=J%C3%BCrgen+%26+S%C3%B6hne%20%2B&Empty=",
        site.account_sid,
        "0123456789abcdef0123456789abcdef",
        site.number.replace('+', "%2B"),
    );
    let Ok(form) = Form::parse(body.as_bytes()) else { unreachable!("the form is well-formed") };
    for path in ["/webhooks/twilio/voice", "/webhooks/twilio/voice?retry=1&x=a%20b+c%C3%A9"] {
        let signature = sign(site.auth_token, &format!("{}{path}", site.public_url), &form);
        let hook = |signature: Option<String>| {
            let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
            headers.extend(signature.map(|signature| ("x-twilio-signature", signature)));
            Ask { method: "POST", path: path.to_owned(), headers, body: body.clone().into_bytes() }
        };
        // A number that nobody has: the caller is told so.
        let answer = send(site, hook(Some(signature.clone()))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.header("content-type").is_some_and(|media_type| media_type.contains("xml")));
        assert!(answer.text().contains("<Say") && answer.text().contains("<Hangup"), "{}", answer.text());
        for bad in [None, Some(String::new()), Some(format!("{signature}A"))] {
            assert_eq!(send(site, hook(bad)).await.status, 403, "{path}");
        }
    }
}

/// A body over the limit is refused by us, not by something on the way that words it differently.
async fn bodies_are_limited(site: &Site<'_>) {
    let large = vec![b' '; 2 * 1024 * 1024];
    let answer = post(site, "/api/v1/setup/claim", "application/json", &large).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (413, Some("payload_too_large")));
}

/// A link is good for one tenant; its key opens the API; what was stored is read, filtered and paged.
async fn what_was_set_up_is_found_again(site: &Site<'_>) {
    let claim = json!({
        "token": site.setup_token,
        "tenant_name": "Конформность",
        "business_name": "Bäckerei 世界 👩‍🍳 'x' \"y\"",
        "phone_number": site.number,
        "fallback_number": "+12025550198",
        "password": PASSWORD,
    });
    let claim = claim.to_string();
    let claimed = post(site, "/api/v1/setup/claim", "application/json", claim.as_bytes()).await;
    assert_eq!(claimed.status, 201, "{}", claimed.text());
    let again = post(site, "/api/v1/setup/claim", "application/json", claim.as_bytes()).await;
    assert_eq!((again.status, again.json()["code"].as_str()), (403, Some("setup_token_invalid")));

    let key = format!("Bearer {}", claimed.json()["api_key"].as_str().unwrap_or_default());
    let ask = |path: &str| Ask {
        method: "GET",
        path: path.to_owned(),
        headers: vec![("authorization", key.clone())],
        body: vec![],
    };
    let calls = send(site, ask("/api/v1/calls?page=1&page_size=7")).await;
    assert_eq!(
        (calls.status, calls.json()["items"].as_array().map(Vec::len)),
        (200, Some(0)),
        "{}",
        calls.text()
    );
    assert_eq!(send(site, ask("/api/v1/messages")).await.status, 200);
    for (path, status) in [
        ("/api/v1/calls?page_size=101", 422),
        ("/api/v1/calls?nothing=1", 400),
        ("/api/v1/calls/01939a2b-0000-7000-8000-000000000001", 404),
    ] {
        let answer = send(site, ask(path)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
}

/// A request with a JSON body of whoever has set the tenant up, and more headers.
async fn signed(
    site: &Site<'_>,
    bearer: &str,
    (method, path): (&'static str, &str),
    body: Option<&Value>,
    more: &[(&'static str, &str)],
) -> Answer {
    let mut headers = vec![("authorization", bearer.to_owned())];
    headers.extend(body.map(|_| ("content-type", "application/json".to_owned())));
    headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let body = body.map(Value::to_string).unwrap_or_default().into_bytes();
    send(site, Ask { method, path: path.to_owned(), headers, body }).await
}

/// The `Authorization` of whoever has set the tenant up.
async fn bearer(site: &Site<'_>) -> String {
    let body = json!({"email": site.setup_email, "password": PASSWORD}).to_string();
    let signed_in = post(site, "/api/v1/auth/login", "application/json", body.as_bytes()).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    format!("Bearer {}", signed_in.json()["access_token"].as_str().unwrap_or_default())
}

/// `Idempotency-Key`, `ETag`, `If-Match`, and each method of a change: PUT, PATCH, DELETE with nothing in its answer.
async fn a_change_is_made_once_and_only_of_the_version_that_was_read(site: &Site<'_>) {
    let bearer = bearer(site).await;
    let (all, new) = ("/api/v1/departments", json!({"name": "Empfang & Küche"}));
    let mut made = Vec::new();
    for _ in 0..2 {
        let answer = signed(site, &bearer, ("POST", all), Some(&new), &[("idempotency-key", "once")]).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        made.push(answer.json()["id"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(made.first(), made.last(), "it was made twice");
    let one = format!("{all}/{}", made.first().map(String::as_str).unwrap_or_default());

    let read = signed(site, &bearer, ("GET", &one), None, &[]).await;
    let tag = read.header("etag").unwrap_or_default().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{:?}", read.headers);
    let renamed = json!({"name": "Front desk"});
    let changed = signed(site, &bearer, ("PUT", &one), Some(&renamed), &[("if-match", &tag)]).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(changed.header("etag").is_some_and(|now| now != tag), "{:?}", changed.headers);
    let outrun = signed(site, &bearer, ("PUT", &one), Some(&new), &[("if-match", &tag)]).await;
    assert_eq!(outrun.status, 412, "{}", outrun.text());

    let named = json!({"name": "Ünïcode & Söhne"});
    let patched = signed(site, &bearer, ("PATCH", "/api/v1/tenant"), Some(&named), &[]).await;
    assert_eq!((patched.status, &patched.json()["name"]), (200, &named["name"]), "{}", patched.text());

    let deleted = signed(site, &bearer, ("DELETE", &one), None, &[]).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0), "{}", deleted.text());
    assert_eq!(deleted.header("content-type"), None);
    assert_eq!(signed(site, &bearer, ("GET", &one), None, &[]).await.status, 404);
}

/// Bodies near the limit, and words in an address, byte for byte.
async fn long_and_strange_words_come_back_as_they_went(site: &Site<'_>) {
    let bearer = bearer(site).await;
    let assistants = signed(site, &bearer, ("GET", "/api/v1/assistants"), None, &[]).await;
    let first = assistants.json()["items"][0].clone();
    let one = format!("/api/v1/assistants/{}", first["id"].as_str().unwrap_or_default());
    let read = signed(site, &bearer, ("GET", &one), None, &[]).await;
    let mut settings = read.json()["draft"].clone();
    let words = "Grüße, 世界! 👩‍🍳 \"quoted\" \\ </script>\n".repeat(150);
    // What is at the ends of it is no part of it.
    let words = words.trim();
    settings["instructions"] = words.into();
    let tag = read.header("etag").unwrap_or_default().to_owned();
    let saved = signed(site, &bearer, ("PUT", &one), Some(&settings), &[("if-match", &tag)]).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let again = signed(site, &bearer, ("GET", &one), None, &[]).await.json();
    assert!(again["draft"]["instructions"] == words, "other words came back");

    let listed = "/api/v1/calls?q=%C3%BCber+%26%20100%25&page_size=1";
    let listed = signed(site, &bearer, ("GET", listed), None, &[]).await;
    assert_eq!((listed.status, &listed.json()["items"]), (200, &json!([])), "{}", listed.text());
    let wrong = signed(site, &bearer, ("GET", "/api/v1/calls?%FF=1"), None, &[]).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
}

/// A password is hashed and known again, two cookies come and go, and what was revoked is refused at once.
async fn whoever_signs_in_stays_so_by_a_cookie(site: &Site<'_>) {
    let login = |password: &str| {
        let body = json!({"email": site.setup_email, "password": password}).to_string();
        async move { post(site, "/api/v1/auth/login", "application/json", body.as_bytes()).await }
    };
    let wrong = login("not the password").await;
    assert_eq!((wrong.status, wrong.json()["code"].as_str()), (401, Some("login_refused")));
    let signed_in = login(PASSWORD).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let cookie = |answer: &Answer, name: &str| {
        let mut set =
            answer.headers.iter().filter(|(known, _)| known == "set-cookie").map(|(_, value)| value);
        let cookie = set.find(|value| value.starts_with(name)).cloned().unwrap_or_default();
        cookie.split(';').next().unwrap_or_default().to_owned()
    };
    assert!(!cookie(&signed_in, "voicecore_device=").is_empty(), "{:?}", signed_in.headers);
    let with = |method, path: &str, name, value: String| Ask {
        method,
        path: path.to_owned(),
        headers: vec![(name, value)],
        body: vec![],
    };
    let kept = cookie(&signed_in, "voicecore_refresh=");
    let refreshed = send(site, with("POST", "/api/v1/auth/refresh", "cookie", kept)).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text());
    let bearer = format!("Bearer {}", refreshed.json()["access_token"].as_str().unwrap_or_default());
    let me = send(site, with("GET", "/api/v1/me", "authorization", bearer.clone())).await;
    assert_eq!(me.json()["email"].as_str(), Some(site.setup_email), "{}", me.text());
    assert_eq!(send(site, with("GET", "/api/v1/calls", "authorization", bearer.clone())).await.status, 200);
    assert_eq!(
        send(site, with("POST", "/api/v1/auth/logout", "authorization", bearer.clone())).await.status,
        204
    );
    assert_eq!(send(site, with("GET", "/api/v1/me", "authorization", bearer)).await.status, 401);
}
