//! Bad input to every endpoint of the OpenAPI document, asked by whoever it is for (a key, somebody who is signed in, a super admin):
//! a clear 4xx, and nothing stored. What may be any text is stored and shown as just that.

use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::{MAX_BODY_BYTES, openapi_document};

use crate::world::{Reply, Tenant, World};

/// A system with somebody for every route.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) tenant: Tenant,
    /// Access tokens: of an administrator of the tenant, and of a super admin.
    pub(crate) admin: String,
    pub(crate) root: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        world.user(&tenant.id, "admin@example.com", "tenant_admin");
        world.super_admin("root@example.com");
        let (admin, root) = (world.login("admin@example.com"), world.login("root@example.com"));
        // When a key was used last is noted to the minute.
        world.get("/api/v1/calls", &tenant.key);
        Self { world, tenant, admin, root }
    }

    pub(crate) fn credentials(&self, who: Who) -> &str {
        match who {
            Who::Key => &self.tenant.key,
            Who::Person => &self.admin,
            Who::SuperAdmin => &self.root,
        }
    }

    /// Asks as an administrator of the tenant.
    pub(crate) fn ask(&self, method: Method, target: &str, body: &Value) -> Reply {
        self.world.request(method, target, Some(&self.admin), Some(body))
    }
}

/// Whom a route is for.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Key,
    Person,
    SuperAdmin,
}

const ID: &str = "00000000-0000-7000-8000-000000000000";

pub(crate) struct Operation {
    pub(crate) who: Who,
    pub(crate) method: Method,
    /// As the document has it, with its method.
    pub(crate) name: String,
    pub(crate) path: String,
    /// The schema of its JSON body, if it takes one.
    pub(crate) body: Option<Value>,
    query: Vec<String>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi_document().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let who = match operation["security"][0].get("session").and_then(Value::as_array) {
                None => Who::Key,
                Some(needs) if needs.is_empty() => Who::Person,
                Some(_) => Who::SuperAdmin,
            };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let schema =
                schema["$ref"].as_str().and_then(|name| document.pointer(name.strip_prefix('#').unwrap()));
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query =
                parameters.filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap().to_owned());
            operations.push(Operation {
                who,
                method: method.to_uppercase().parse().unwrap(),
                name: format!("{} {path}", method.to_uppercase()),
                path: path
                    .replace("{provider}", "openai")
                    .replace("{business_id}", ID)
                    .replace("{note_id}", ID)
                    .replace("{number}", "1")
                    .replace("{call_id}", ID),
                body: schema.cloned(),
                query: query.collect(),
            });
        }
    }
    operations
}

fn send(site: &Site, operation: &Operation, target: &str, body: Vec<u8>) -> Reply {
    let request = Request::builder()
        .method(operation.method.clone())
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {}", site.credentials(operation.who)))
        .header(header::CONTENT_TYPE, "application/json");
    site.world.send(request.body(Body::from(body)).unwrap())
}

/// A refusal that says what is wrong, names a code and repeats nothing of what was sent.
#[track_caller]
pub(crate) fn assert_refused(reply: &Reply, what: &str) {
    assert!(reply.status.is_client_error(), "{what}: {} {}", reply.status, reply.body);
    assert_eq!(reply.content_type(), "application/problem+json", "{what}");
    let problem = reply.json();
    assert!(problem["code"].is_string() && problem["detail"].is_string(), "{what}: {problem}");
    for sent in ["<script>", "drop table", "1=1", "\u{0}", "SENTINEL"] {
        assert!(!reply.body.contains(sent), "{what} repeats {sent}");
    }
}

/// The stored texts, but for the one of the key that asks.
pub(crate) fn stored(world: &World) -> Vec<String> {
    world.doubles.db.dump()
}

pub(crate) const WORDS: [&str; 7] = [
    "SENTINEL' or 1=1; drop table calls; --",
    "SENTINEL<script>alert(1)</script>",
    "SENTINEL\u{0}",
    "SENTINEL{{7*7}}${jndi:ldap://x}",
    "SENTINEL../../../../etc/passwd",
    "SENTINEL\r\nX-Injected: 1",
    "SENTINEL\u{202e}\u{feff}",
];

/// It has no character that hides, turns or ends a line.
pub(crate) fn is_seen(text: &str) -> bool {
    !text.contains(['\0', '\r', '\n', '\u{202e}', '\u{feff}'])
}

#[test]
fn bodies_that_are_no_bodies_are_refused_everywhere() {
    let site = Site::new();
    let world = &site.world;
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(5_000), close.repeat(5_000)).into_bytes();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("no JSON", b"SENTINEL".to_vec()),
        ("a text", b"\"SENTINEL\"".to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        ("a list", b"[{}]".to_vec()),
        ("cut off", b"{\"token\": \"SENTINEL".to_vec()),
        ("two values", b"{} {}".to_vec()),
        ("not UTF-8", b"{\"token\": \"\xff\xfe\"}".to_vec()),
        ("half a surrogate", br#"{"token": "\ud800"}"#.to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("deep lists", deep("[", "]")),
        ("deep objects", deep("{\"a\":", "}")),
        ("a huge number", b"{\"token\": 1e999999}".to_vec()),
        (
            "a field twice",
            b"{\"token\": \"a\", \"token\": \"b\", \"api_key\": \"a\", \"api_key\": \"b\"}".to_vec(),
        ),
        ("an unknown field", b"{\"SENTINEL<b>\": 1}".to_vec()),
        ("too large", format!("{{\"token\": \"{}\"}}", "x".repeat(MAX_BODY_BYTES)).into_bytes()),
    ];
    let before = stored(world);
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.body.is_some()) {
        let target = operation.path.replace("{id}", ID);
        for (what, body) in &bodies {
            let what = format!("{what} to {} {target}", operation.method);
            let reply = send(&site, operation, &target, body.clone());
            assert_refused(&reply, &what);
            if what.starts_with("too large") {
                assert_eq!(reply.status, 413, "{what}");
            }
            tried += 1;
        }
        let mut request =
            Request::builder().method(operation.method.clone()).uri(&target).body(Body::from("{}")).unwrap();
        request.headers_mut().insert(
            header::AUTHORIZATION,
            format!("Bearer {}", site.credentials(operation.who)).parse().unwrap(),
        );
        request.headers_mut().insert(header::CONTENT_TYPE, "text/xml".parse().unwrap());
        assert_eq!(world.send(request).status, 415);
    }
    assert!(tried > 0);
    assert_eq!(stored(world), before);
}

/// Each field by itself gets each wrong type and each hostile word; whatever is refused has stored nothing.
#[test]
fn every_field_of_every_body_is_checked() {
    let site = Site::new();
    let world = &site.world;
    let before = stored(world);
    for operation in operations() {
        let Some(schema) = &operation.body else { continue };
        let target = operation.path.replace("{id}", ID);
        for field in schema["properties"].as_object().unwrap().keys() {
            let wrong = [json!(7), json!(true), json!([]), json!({}), json!(1.5), json!([["SENTINEL"]])];
            // A name may be any text that one sees (`what_may_be_any_text_is_nothing_but_text`).
            let words = WORDS.iter().filter(|word| field != "name" || !is_seen(word));
            let words = words.map(|word| json!(word)).chain([json!("x".repeat(60_000))]);
            for value in wrong.into_iter().chain(words) {
                // A secret may be any visible characters: it is sealed, and never becomes a part of anything but a header.
                let visible = |text: &str| {
                    (16..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
                };
                // What a dashboard keeps of its layout is its own affair.
                let own = field == "layout" && value.is_object();
                // A tenant's own limit by itself is a change that can be made.
                let own = own
                    || (field == "max_hourly_calls_per_caller"
                        && value.is_u64()
                        && operation.path == "/api/v1/tenant");
                if own || (field == "api_key" && value.as_str().is_some_and(visible)) {
                    continue;
                }
                let what = format!(
                    "{field} = {} to {} {target}",
                    &value.to_string()[..value.to_string().len().min(40)],
                    operation.method
                );
                let body = json!({field: value}).to_string().into_bytes();
                let reply = send(&site, &operation, &target, body);
                assert_refused(&reply, &what);
            }
            // A zero is named with its field, wherever it stands.
            let mut body = json!({});
            for other in schema["properties"].as_object().unwrap().keys() {
                body[other] = json!("SENTINEL\u{0}");
            }
            let reply = send(&site, &operation, &target, body.to_string().into_bytes());
            assert_refused(&reply, &format!("zeros to {target}"));
        }
    }
    assert_eq!(stored(world), before);
}

/// A value that its field takes.
fn good(target: &str, field: &str) -> Value {
    match field {
        "token" if target.ends_with("/accept-invitation") => json!(format!("vci_{}", "0".repeat(64))),
        "token" if target.ends_with("/reset-password") => json!(format!("vcp_{}", "0".repeat(64))),
        "permissions" | "opening_hours" => json!([]),
        "email" | "owner_email" => json!("new@example.com"),
        "phone_number" => json!("+15005550077"),
        "time_zone" => json!("Europe/Berlin"),
        "role" => json!("viewer"),
        "provider" => json!("twilio"),
        "availability" => json!("busy"),
        "noun" => json!("calls"),
        "step" if target.ends_with("/messages") => json!(1),
        "step" => json!("agents"),
        "state" => json!("skipped"),
        "tenant_id" | "business_id" => json!(ID),
        "action" => json!("pause"),
        "password" => json!("correct horse battery staple"),
        _ => json!("Something"),
    }
}

/// One field of an otherwise good body is wrong: 422, which names it and nothing else, before anything is looked for.
#[test]
fn a_wrong_field_is_named_alone() {
    let site = Site::new();
    let before = stored(&site.world);
    let mut tried = 0;
    for operation in operations() {
        let Some(schema) = &operation.body else { continue };
        let target = operation.path.replace("{id}", ID);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for field in schema["properties"].as_object().unwrap().keys() {
            let mut body = json!({});
            for field in required.iter().filter_map(Value::as_str) {
                body[field] = good(&target, field);
            }
            // No field takes a list of lists.
            body[field] = json!([["SENTINEL"]]);
            let what = format!("{field} to {} {target}", operation.method);
            let reply = send(&site, &operation, &target, body.to_string().into_bytes());
            assert_refused(&reply, &what);
            assert_eq!(reply.wrong_fields(), [field.as_str()], "{what}: {}", reply.body);
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
    assert_eq!(stored(&site.world), before);
}

/// Every body has an example, in its schema, and the code takes its values: what it refuses is a reference to what this system does not
/// have, or a token of nobody's.
#[test]
fn every_body_has_an_example_that_is_taken() {
    let site = Site::new();
    site.world.actors_reply(CallReply::NotRunning);
    let mut tried = 0;
    for operation in operations() {
        let Some(schema) = &operation.body else { continue };
        let what = format!("{} {}", operation.method, operation.path);
        let examples = schema["examples"].as_array().unwrap_or_else(|| panic!("{what} has no example"));
        assert!(!examples.is_empty(), "{what} has no example");
        for example in examples {
            let properties = schema["properties"].as_object().unwrap();
            for field in example.as_object().unwrap().keys() {
                assert!(properties.contains_key(field), "{what}: there is no {field}");
            }
            let target = operation.path.replace("{id}", ID);
            let reply = send(&site, &operation, &target, example.to_string().into_bytes());
            assert!(![400, 405, 413, 415].contains(&reply.status.as_u16()), "{what}: {}", reply.body);
            if reply.status == 422 {
                let wrong = reply.wrong_fields();
                let references =
                    ["business_id", "assistant_id", "parent_id", "departments", "version", "token"];
                let good = wrong.iter().all(|field| references.contains(&field.as_str()));
                assert!(good, "{what}: {}", reply.body);
            }
            tried += 1;
        }
    }
    assert!(tried >= 38, "{tried}");
}

#[test]
fn every_parameter_of_every_query_is_checked() {
    let site = Site::new();
    let world = &site.world;
    world.actors_reply(CallReply::NotRunning);
    let before = stored(world);
    let long = "x".repeat(4_000);
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.path.starts_with("/api/")) {
        let target = operation.path.replace("{id}", ID);
        for name in &operation.query {
            for value in ["%00", "SENTINEL%00", "%ff%fe", &long] {
                let reply = send(&site, operation, &format!("{target}?{name}={value}"), vec![]);
                assert_refused(&reply, &format!("{target}?{name}={}", &value[..value.len().min(20)]));
                tried += 1;
            }
            // Words that mean something elsewhere mean nothing here: no such thing, or not acceptable.
            for word in WORDS.iter().filter(|word| !word.contains('\u{0}')) {
                let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, word).finish();
                let reply = send(&site, operation, &format!("{target}?{query}"), vec![]);
                assert!(!reply.status.is_server_error(), "{target}?{query}: {}", reply.body);
                assert!(!reply.body.contains("SENTINEL"), "{target}?{query}: {}", reply.body);
            }
        }
        if !operation.query.is_empty() {
            let reply = send(&site, operation, &format!("{target}?SENTINEL%3Cb%3E=1"), vec![]);
            assert_refused(&reply, &format!("an unknown parameter of {target}"));
        }
    }
    assert!(tried > 20);
    assert_eq!(stored(world), before);
}

#[test]
fn every_id_of_every_path_is_checked() {
    let site = Site::new();
    let world = &site.world;
    let before = stored(world);
    for operation in operations().iter().filter(|operation| operation.path.contains("{id}")) {
        for id in
            ["SENTINEL", "%00", "%ff", "..%2f..%2fetc", "1%20or%201=1", "%3Cscript%3E", &"9".repeat(3_000)]
        {
            let reply = send(&site, operation, &operation.path.replace("{id}", id), vec![]);
            assert_refused(&reply, &format!("{} with {id:.20}", operation.path));
        }
    }
    assert_eq!(stored(world), before);
}

/// Each route that takes a text of somebody's own, with everything else as it should be; and where that text is shown then. `{}` is
/// the id of what was made.
fn free_texts(word: &str, n: usize) -> Vec<(Who, Method, &'static str, Value, &'static str, &'static str)> {
    let number = |series: u32| format!("+1500555{:04}", series * 100 + u32::try_from(n).unwrap());
    let mail = |who: &str| format!("{who}{n}@example.com");
    let (post, put, patch) = (Method::POST, Method::PUT, Method::PATCH);
    vec![
        (
            Who::Person,
            post.clone(),
            "/api/v1/roles",
            json!({"name": word, "permissions": []}),
            "/api/v1/roles",
            "name",
        ),
        (
            Who::Person,
            post.clone(),
            "/api/v1/departments",
            json!({"name": word}),
            "/api/v1/departments/{}",
            "name",
        ),
        (
            Who::Person,
            put,
            "/api/v1/departments/{}",
            json!({"name": format!("{word} again")}),
            "/api/v1/departments/{}",
            "name",
        ),
        (
            Who::Person,
            post.clone(),
            "/api/v1/api-keys",
            json!({"name": word, "permissions": ["calls:read"]}),
            "/api/v1/api-keys",
            "name",
        ),
        (
            Who::Person,
            post.clone(),
            "/api/v1/users/invitations",
            json!({"email": mail("guest"), "role": "viewer", "name": word}),
            "/api/v1/users/invitations",
            "name",
        ),
        (
            Who::SuperAdmin,
            post,
            "/api/v1/tenants",
            json!({"name": word, "owner_email": mail("owner"), "owner_name": word, "business_name": word,
                "phone_number": number(1), "fallback_number": number(2)}),
            "/api/v1/tenants",
            "name",
        ),
        (
            Who::SuperAdmin,
            patch,
            "/api/v1/tenants/{}",
            json!({"name": format!("{word} again")}),
            "/api/v1/tenants/{}",
            "name",
        ),
    ]
}

/// What may be any text is stored as it is and shown as it is, as a JSON text: it ends no statement, becomes no markup, and nothing
/// that was stored before is another.
#[test]
fn what_may_be_any_text_is_nothing_but_text() {
    let site = Site::new();
    let mut made = String::new();
    for (n, word) in WORDS.iter().enumerate() {
        for (who, method, target, body, shown_at, field) in free_texts(word, n) {
            let what = format!("{method} {target} with {word:?}");
            let before = stored(&site.world);
            let target = target.replace("{}", &made);
            let token = site.credentials(who);
            let reply = site.world.request(method, &target, Some(token), Some(&body));
            if !is_seen(word) {
                assert_refused(&reply, &what);
                assert_eq!(stored(&site.world), before, "{what}");
                continue;
            }
            assert!(reply.status.is_success(), "{what}: {}", reply.body);
            assert_eq!(reply.headers["x-content-type-options"], "nosniff", "{what}");
            for id in ["id", "tenant_id"] {
                made = reply.json()[id].as_str().map_or(made, str::to_owned);
            }
            let shown = site.world.get(&shown_at.replace("{}", &made), token);
            assert_eq!(shown.content_type(), "application/json", "{what}");
            let shown = shown.json();
            let items = shown["items"].as_array().cloned().unwrap_or_else(|| vec![shown]);
            assert!(items.iter().any(|item| item[field] == body["name"]), "{what}: {items:?}");
            // Names that were changed are gone; the rest is there, as it was.
            let after = stored(&site.world);
            let gone: Vec<_> = before.iter().filter(|text| !after.contains(text)).collect();
            assert!(gone.iter().all(|text| text.contains("SENTINEL")), "{what}: {gone:?}");
        }
    }
    // In the mails that go out, too.
    site.world.mails();
    assert_eq!(site.ask(Method::GET, "/api/v1/calls", &Value::Null).status, 200);
}

/// All zeros are named at once, below lists and objects too.
#[test]
fn each_field_with_a_zero_is_named() {
    let world = World::new();
    let claim =
        json!({"token": "a\u{0}", "tenant_name": "b", "business_name": "\u{0}", "phone_number": "\\u0000"});
    let reply = world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim));
    reply.assert_problem(422, "invalid_request");
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    let mut fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
    fields.sort();
    assert_eq!(fields, ["business_name", "token"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever fields are missing or of the wrong type: exactly those are named, all of them at once.
    #[test]
    fn a22_every_wrong_field_is_named_at_once(marks in prop::collection::vec(0_u8..4, 10)) {
        let world = World::new();
        let fields = [
            ("token", true), ("tenant_name", true), ("business_name", true), ("phone_number", true), ("fallback_number", false),
            ("language", false), ("voice", false), ("instructions", false), ("greeting", false), ("voice_mode", false),
        ];
        let (mut body, mut wrong) = (json!({}), Vec::new());
        for ((field, required), mark) in fields.into_iter().zip(marks) {
            let valid = if field == "voice_mode" { json!("streaming") } else { json!("text") };
            match mark {
                0 => wrong.extend(required.then_some(field)),
                1 => {
                    body[field] = json!(7);
                    wrong.push(field);
                }
                2 => {
                    body[field] = json!(["SENTINEL"]);
                    wrong.push(field);
                }
                _ => body[field] = valid,
            }
        }
        let reply = world.request(Method::POST, "/api/v1/setup/claim", None, Some(&body));
        if wrong.is_empty() {
            return Ok(());
        }
        reply.assert_problem(422, "invalid_request");
        let errors = reply.json()["errors"].as_array().unwrap().clone();
        let mut named: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
        named.sort();
        wrong.sort_unstable();
        prop_assert_eq!(named, wrong);
        prop_assert!(!reply.body.contains("SENTINEL"));
    }
}
