//! Signing in and out, mails, lock-out.

use axum::http::{Method, Request, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_types::Millis;

use crate::world::{PASSWORD, Reply, Tenant, World};

const NUMBER: &str = "+15005550006";
pub(crate) const EMAIL: &str = "ada@example.com";
const REFRESH: &str = "/api/v1/auth/refresh";

pub(crate) fn world() -> (World, Tenant) {
    let world = World::new();
    let tenant = world.tenant(NUMBER);
    world.user(&tenant.id, EMAIL, "manager");
    (world, tenant)
}

pub(crate) fn post(world: &World, target: &str, body: &Value) -> Reply {
    world.request(Method::POST, target, None, Some(body))
}

fn refresh(world: &World, cookies: &[String]) -> Reply {
    world.with_cookies(REFRESH, cookies, &json!({}))
}

fn token(reply: &Reply) -> String {
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

/// The token of a link in a mail.
pub(crate) fn linked(link: &str) -> String {
    link.split_once("?token=").unwrap().1.to_owned()
}

#[test]
fn whoever_is_signed_in_knows_who_they_are() {
    let (world, tenant) = world();
    let reply = world.try_login(" Ada@Example.com ", PASSWORD, &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let set: Vec<_> = reply.headers.get_all(header::SET_COOKIE).iter().collect();
    for cookie in &set {
        let cookie = cookie.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/api/v1/auth"] {
            assert!(cookie.contains(part), "{cookie}");
        }
    }
    assert_eq!(set.len(), 2);
    assert!(!reply.body.contains("vcr_"), "the refresh token is in the cookie alone");
    let me = world.get("/api/v1/me", &token(&reply)).json();
    assert_eq!(
        (&me["email"], &me["role"], &me["tenant_id"]),
        (&json!(EMAIL), &json!("manager"), &json!(tenant.id))
    );
    assert_eq!(me["memberships"].as_array().unwrap().len(), 1);
    assert_eq!(world.get("/api/v1/calls", &token(&reply)).status, 200);
    assert_eq!(world.count("select count(*) as n from users where last_login_at is not null"), 1);
    assert_eq!(world.count("select count(*) as n from memberships where last_login_at is not null"), 1);
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'session.create'"), 1);
}

/// A tenant is not told when its people work for others.
#[test]
fn a01_a_tenant_sees_who_signed_in_to_it_and_nothing_of_others() {
    let (world, first) = world();
    let second = world.tenant("+15005550002");
    world.sql_with(
        "insert into memberships (user_id, tenant_id, role, created_at) select id, ?1, 'viewer', 2 from users where email = ?2",
        vec![second.id.as_str().into(), EMAIL.into()],
    );
    let seen_by = |tenant: &Tenant| {
        let users = world.get("/api/v1/users", &tenant.key).json();
        let all = users["items"].as_array().unwrap().iter();
        all.filter(|user| user["email"] == EMAIL).map(|user| user["last_login_at"].as_u64()).next().unwrap()
    };
    let session = token(&world.try_login(EMAIL, PASSWORD, &[]));
    let signed_in = world.app.ports.clock.now().0;
    assert_eq!((seen_by(&first), seen_by(&second)), (Some(signed_in), None));
    world.doubles.clock.advance(Millis::from_secs(60));
    let to = json!({"tenant_id": second.id});
    assert_eq!(world.request(Method::POST, "/api/v1/auth/tenant", Some(&session), Some(&to)).status, 204);
    let went_over = world.app.ports.clock.now().0;
    assert_eq!((seen_by(&first), seen_by(&second)), (Some(signed_in), Some(went_over)));
    world.doubles.clock.advance(Millis::from_secs(60));
    let again = json!({"email": EMAIL, "password": PASSWORD, "tenant_id": second.id});
    assert_eq!(world.with_cookies("/api/v1/auth/login", &[], &again).status, 200);
    assert_eq!((seen_by(&first), seen_by(&second)), (Some(signed_in), Some(world.app.ports.clock.now().0)));
}

#[test]
fn strangers_and_wrong_passwords_are_refused_alike() {
    let (world, _) = world();
    let wrong = world.try_login(EMAIL, "wrong password, sorry", &[]);
    let nobody = world.try_login("nobody@example.com", "wrong password, sorry", &[]);
    wrong.assert_problem(401, "login_refused");
    nobody.assert_problem(401, "login_refused");
    assert_eq!(wrong.body, nobody.body);
    world.sql("update users set password_hash = null");
    world.try_login(EMAIL, PASSWORD, &[]).assert_problem(401, "login_refused");
}

#[test]
fn guessing_is_slowed_for_everybody_but_the_known_device() {
    let (world, _) = world();
    let device = world.try_login(EMAIL, PASSWORD, &[]).cookies();
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..5 {
            world.try_login(email, "wrong password, sorry", &[]).assert_problem(401, "login_refused");
        }
        let slowed = world.try_login(email, PASSWORD, &[]);
        slowed.assert_problem(429, "too_many_attempts");
        assert_eq!(slowed.headers[header::RETRY_AFTER], "1");
    }
    // The person at their own device notices nothing of it.
    assert_eq!(world.try_login(EMAIL, PASSWORD, &device).status, 200);
    // Whoever waits may try again, and then waits twice as long.
    world.doubles.clock.advance(Millis(1_000));
    world.try_login(EMAIL, "wrong password, sorry", &[]).assert_problem(401, "login_refused");
    world.doubles.clock.advance(Millis(1_000));
    assert_eq!(world.try_login(EMAIL, PASSWORD, &[]).headers[header::RETRY_AFTER], "1");
    world.doubles.clock.advance(Millis(1_000));
    assert_eq!(world.try_login(EMAIL, PASSWORD, &[]).status, 200);
    // Another address does not profit from the device.
    for _ in 0..5 {
        world.try_login("nobody@example.com", "x", &device);
    }
    world.try_login("nobody@example.com", "x", &device).assert_problem(429, "too_many_attempts");
    // No address of the network, and not what was tried, is kept.
    assert!(!world.doubles.db.dump().iter().any(|text| text.contains("nobody@example.com")));
}

#[test]
fn failures_that_are_old_are_forgotten() {
    let (world, _) = world();
    world.try_login(EMAIL, "wrong password, sorry", &[]);
    voicecore_conformance::block_on(voicecore_api::jobs::scheduled(&world.app)).unwrap();
    assert_eq!(world.count("select count(*) as n from login_throttles"), 1);
    world.doubles.clock.advance(Millis::from_secs(86_401));
    voicecore_conformance::block_on(voicecore_api::jobs::scheduled(&world.app)).unwrap();
    assert_eq!(world.count("select count(*) as n from login_throttles"), 0);
    // So are sessions, a month after they are over.
    world.login(EMAIL);
    world.doubles.clock.advance(Millis::from_secs(59 * 86_400));
    voicecore_conformance::block_on(voicecore_api::jobs::scheduled(&world.app)).unwrap();
    assert_eq!(world.count("select count(*) as n from sessions"), 1);
    world.doubles.clock.advance(Millis::from_secs(2 * 86_400));
    voicecore_conformance::block_on(voicecore_api::jobs::scheduled(&world.app)).unwrap();
    assert_eq!(world.count("select count(*) as n from sessions"), 0);
}

#[test]
fn an_access_token_ends_and_is_refreshed() {
    let (world, _) = world();
    let signed_in = world.try_login(EMAIL, PASSWORD, &[]);
    let old = token(&signed_in);
    world.doubles.clock.advance(Millis::from_secs(900));
    world.get("/api/v1/me", &old).assert_problem(401, "unauthenticated");
    let refreshed = refresh(&world, &signed_in.cookies());
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    assert_eq!(world.get("/api/v1/me", &token(&refreshed)).status, 200);
    assert_ne!(refreshed.cookies()[0], signed_in.cookies()[0]);
    for cookies in
        [vec![], vec!["voicecore_refresh=x".to_owned()], vec![format!("{}0", signed_in.cookies()[0])]]
    {
        refresh(&world, &cookies).assert_problem(401, "unauthenticated");
    }
}

#[test]
fn a_cookie_works_twice_within_ten_seconds_and_gives_the_same_next_one() {
    let (world, _) = world();
    let first = world.try_login(EMAIL, PASSWORD, &[]).cookies();
    let second = refresh(&world, &first).cookies();
    world.doubles.clock.advance(Millis(10_000));
    let again = refresh(&world, &first);
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.cookies(), second);
    assert_eq!(refresh(&world, &second).status, 200);
}

#[test]
fn a_cookie_that_was_stolen_ends_the_session_of_both() {
    let (world, tenant) = world();
    let other = world.tenant("+15005550002");
    world.sql_with(
        "insert into memberships (user_id, tenant_id, role, created_at) select id, ?1, 'viewer', 2 from users where email = ?2",
        vec![other.id.as_str().into(), EMAIL.into()],
    );
    let signed_in = world.try_login(EMAIL, PASSWORD, &[]);
    let first = signed_in.cookies();
    let second = refresh(&world, &first);
    let third = refresh(&world, &second.cookies());
    assert_eq!(world.get("/api/v1/me", &token(&third)).status, 200);
    let reused = |tenant: &Tenant| {
        let entries = world.get("/api/v1/audit", &tenant.key).json();
        let entries = entries["items"].as_array().unwrap().clone();
        entries.into_iter().filter(|entry| entry["action"] == "session.reuse").collect::<Vec<_>>()
    };
    assert!(reused(&tenant).is_empty());
    // The first one, which is two generations old.
    refresh(&world, &first).assert_problem(401, "unauthenticated");
    world.get("/api/v1/me", &token(&third)).assert_problem(401, "unauthenticated");
    refresh(&world, &third.cookies()).assert_problem(401, "unauthenticated");
    // On record once, where the session worked, by whom and which.
    refresh(&world, &first).assert_problem(401, "unauthenticated");
    let entries = reused(&tenant);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["subject_id"], signed_in.json()["session_id"]);
    assert!(reused(&other).is_empty());
}

/// The name of a session is told to many (audit logs, exports): whoever makes up a cookie for it does nothing to the session, and leaves
/// no entry.
#[test]
fn whoever_knows_the_name_of_a_session_cannot_end_it() {
    let (world, tenant) = world();
    let signed_in = world.try_login(EMAIL, PASSWORD, &[]);
    let first = signed_in.cookies()[0].clone();
    let refreshed = refresh(&world, std::slice::from_ref(&first));
    let session = signed_in.json()["session_id"].as_str().unwrap().to_owned();
    world.doubles.clock.advance(Millis::from_secs(60));
    // With every digit of the secret part of one that was good changed in turn, too, and as it was before tokens were signed.
    let (name, secret) = first.rsplit_once('_').unwrap();
    let changed = (0..secret.len()).step_by(7).map(|at| {
        let digit = if secret.as_bytes()[at] == b'0' { '1' } else { '0' };
        format!("{name}_{}{digit}{}", &secret[..at], &secret[at + 1..])
    });
    let forged = [64, 128].map(|digits| format!("voicecore_refresh=vcr_{session}_{}", "a".repeat(digits)));
    for cookie in changed.chain(forged).chain([format!("{name}_{}", &secret[..64])]) {
        refresh(&world, std::slice::from_ref(&cookie)).assert_problem(401, "unauthenticated");
        assert_eq!(world.get("/api/v1/me", &token(&refreshed)).status, 200, "{cookie}");
    }
    assert!(!world.get("/api/v1/audit", &tenant.key).body.contains("session.reuse"));
    assert_eq!(refresh(&world, &refreshed.cookies()).status, 200);
}

#[test]
fn sessions_are_listed_and_revoked_at_once() {
    let (world, _) = world();
    let (phone, laptop) = (world.login(EMAIL), world.login(EMAIL));
    let third = world.login(EMAIL);
    let list = world.get("/api/v1/sessions", &phone).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(items.iter().filter(|item| item["current"] == true).count(), 1);
    let me = world.get("/api/v1/me", &laptop).json();
    let target = format!("/api/v1/sessions/{}", me["session_id"].as_str().unwrap());
    assert_eq!(world.request(Method::DELETE, &target, Some(&phone), None).status, 204);
    world.get("/api/v1/me", &laptop).assert_problem(401, "unauthenticated");
    world.request(Method::DELETE, &target, Some(&phone), None).assert_problem(404, "not_found");
    assert_eq!(world.request(Method::DELETE, "/api/v1/sessions", Some(&phone), None).status, 204);
    world.get("/api/v1/calls", &third).assert_problem(401, "unauthenticated");
    assert_eq!(world.get("/api/v1/me", &phone).status, 200);
    assert_eq!(world.request(Method::POST, "/api/v1/auth/logout", Some(&phone), None).status, 204);
    world.get("/api/v1/me", &phone).assert_problem(401, "unauthenticated");
}

#[test]
fn nobody_ends_the_session_of_somebody_else() {
    let (world, tenant) = world();
    world.user(&tenant.id, "eve@example.com", "tenant_admin");
    let (ada, eve) = (world.login(EMAIL), world.login("eve@example.com"));
    let me = world.get("/api/v1/me", &ada).json();
    let target = format!("/api/v1/sessions/{}", me["session_id"].as_str().unwrap());
    world.request(Method::DELETE, &target, Some(&eve), None).assert_problem(404, "not_found");
    assert_eq!(world.get("/api/v1/me", &ada).status, 200);
}

#[test]
fn a_forgotten_password_is_replaced_by_mail_once() {
    let (world, _) = world();
    let old = world.try_login(EMAIL, PASSWORD, &[]);
    let forgot = "/api/v1/auth/forgot-password";
    let (known, unknown) = (
        post(&world, forgot, &json!({"email": EMAIL})),
        post(&world, forgot, &json!({"email": "nobody@example.com"})),
    );
    assert_eq!((known.status.as_u16(), unknown.status.as_u16()), (202, 202));
    assert_eq!(known.body, unknown.body);
    let mails = world.mails();
    let [(to, link)] = mails.as_slice() else { panic!("{}", mails.len()) };
    assert_eq!(to, EMAIL);
    assert!(link.starts_with("https://voice.example.com/reset-password?token=vcp_"));
    assert!(!world.doubles.db.dump().iter().any(|text| text.contains(&linked(link))));

    let reset = |password: &str| {
        let body = json!({"token": linked(link), "password": password});
        post(&world, "/api/v1/auth/reset-password", &body)
    };
    assert_eq!(reset("short").wrong_fields(), ["password"]);
    let done = reset("another long password");
    assert_eq!(done.status, 204, "{}", done.body);
    reset("yet another password").assert_problem(403, "token_invalid");
    // Every session is over, and the old password with them.
    world.get("/api/v1/me", &token(&old)).assert_problem(401, "unauthenticated");
    refresh(&world, &old.cookies()).assert_problem(401, "unauthenticated");
    world.try_login(EMAIL, PASSWORD, &[]).assert_problem(401, "login_refused");
    assert_eq!(world.try_login(EMAIL, "another long password", &[]).status, 200);
    // A device on which the password was chosen is a known one.
    for _ in 0..6 {
        world.try_login(EMAIL, "wrong password, sorry", &[]);
    }
    assert_eq!(world.try_login(EMAIL, "another long password", &done.cookies()).status, 200);
}

#[test]
fn the_link_for_a_new_password_ends_after_an_hour() {
    let (world, _) = world();
    post(&world, "/api/v1/auth/forgot-password", &json!({"email": EMAIL}));
    let link = world.mails()[0].1.clone();
    world.doubles.clock.advance(Millis::from_secs(3_600));
    let body = json!({"token": linked(&link), "password": "another long password"});
    post(&world, "/api/v1/auth/reset-password", &body).assert_problem(403, "token_invalid");
}

#[test]
fn mails_are_in_the_language_of_the_tenant() {
    for (language, invites, chooses) in [
        ("null", "invites you", "Choose a new password"),
        ("'de'", "lädt Sie", "Wählen Sie ein neues Passwort"),
        ("'ja'", "invites you", "Choose a new password"),
    ] {
        let (world, tenant) = world();
        world.sql(Box::leak(format!("update assistant_versions set language = {language}").into_boxed_str()));
        world.user(&tenant.id, "boss@example.com", "tenant_admin");
        let invite = json!({"email": "new@example.com", "role": "agent"});
        let boss = world.login("boss@example.com");
        assert_eq!(
            world.request(Method::POST, "/api/v1/users/invitations", Some(&boss), Some(&invite)).status,
            201
        );
        post(&world, "/api/v1/auth/forgot-password", &json!({"email": "boss@example.com"}));
        let sent = world.sent();
        let subject = |n: usize| sent[n]["subject"].as_str().unwrap();
        assert!(subject(0).contains(invites) && subject(1).contains(chooses), "{sent:?}");
        assert!(sent[0]["html"].as_str().unwrap().contains("Bella &amp; Sons"));
    }
}

#[test]
fn mailboxes_are_not_filled() {
    let (world, _) = world();
    for _ in 0..20 {
        assert_eq!(post(&world, "/api/v1/auth/forgot-password", &json!({"email": EMAIL})).status, 202);
    }
    assert_eq!(world.mails().len(), 5);
}

#[test]
fn without_a_mail_service_it_is_said_what_is_missing() {
    let world = World::with(&[("EMAIL_API_KEY", "")]);
    let reply = post(&world, "/api/v1/auth/forgot-password", &json!({"email": EMAIL}));
    reply.assert_problem(503, "config_missing");
    assert_eq!(reply.json()["missing"], json!(["EMAIL_API_KEY"]));
}

#[test]
fn forms_do_what_the_api_does() {
    let (world, _) = world();
    post(&world, "/api/v1/auth/forgot-password", &json!({"email": EMAIL}));
    let token = linked(&world.mails()[0].1);
    let short = world.form("/reset-password", &[("token", &token), ("password", "short")], None);
    assert_eq!(short.status, 422);
    assert!(short.body.contains("at least 12 characters") && !short.body.contains("\"short\""));
    let form =
        world.form("/reset-password", &[("token", "<b>"), ("password", "another long password")], None);
    assert!(form.status == 403 && form.body.contains("&lt;b&gt;") && !form.body.contains("<b>"));
    let done =
        world.form("/reset-password", &[("token", &token), ("password", "another long password")], None);
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(world.try_login(EMAIL, "another long password", &[]).status, 200);
}

#[test]
fn mails_that_the_service_does_not_take_are_tried_again() {
    let (world, _) = world();
    post(&world, "/api/v1/auth/forgot-password", &json!({"email": EMAIL}));
    let job = world.doubles.queue.take().pop().unwrap();
    for status in [500, 429, 401, 422] {
        let answer = voicecore_ports::HttpResponse { status, body: vec![] };
        world.doubles.http.answer(Ok(answer));
        let failed = voicecore_conformance::block_on(voicecore_api::jobs::handle(&world.app, job.clone()));
        let text = format!("{:?}", failed.unwrap_err());
        assert!(!text.contains(EMAIL) && !text.contains("vcp_"), "{text}");
    }
    let mail = &world.doubles.http.requests()[0];
    let header =
        |name: &str| mail.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(header("authorization"), Some("Bearer re_of-mails-0123456789"));
    assert!(header("idempotency-key").is_some());
}

/// A request, by whom, with which body, and the fields that are named.
type BadBody<'a> = (Method, String, Option<&'a str>, Value, &'a [&'a str]);

/// Every wrong field is named, whatever is wrong with it, and what was sent is not repeated.
#[test]
fn bad_bodies_are_answered_field_by_field() {
    let (world, tenant) = world();
    world.user(&tenant.id, "boss@example.com", "tenant_admin");
    world.super_admin("root@example.com");
    let boss = world.login("boss@example.com");
    let root = world.login("root@example.com");
    let nobodys = "00000000-0000-7000-8000-000000000000";
    let cases: Vec<BadBody<'_>> = vec![
        (
            Method::POST,
            "/api/v1/auth/login".into(),
            None,
            json!({"email": 1, "password": []}),
            &["email", "password"],
        ),
        (Method::POST, "/api/v1/auth/login".into(), None, json!({}), &["email", "password"]),
        (Method::POST, "/api/v1/auth/login".into(), None, json!([]), &["body"]),
        (
            Method::POST,
            "/api/v1/auth/login".into(),
            None,
            json!({"email": "a@example.com", "password": "x".repeat(300), "tenant_id": "x", "more": 1}),
            &["password", "tenant_id", "more"],
        ),
        (Method::POST, "/api/v1/auth/forgot-password".into(), None, json!({"email": "a@b"}), &["email"]),
        (
            Method::POST,
            "/api/v1/auth/reset-password".into(),
            None,
            json!({"token": "x"}),
            &["token", "password"],
        ),
        (
            Method::POST,
            "/api/v1/auth/accept-invitation".into(),
            None,
            json!({"name": "a\u{0}b", "password": {}}),
            &["token", "name", "password"],
        ),
        (Method::POST, "/api/v1/auth/tenant".into(), Some(&boss), json!({"tenant_id": 5}), &["tenant_id"]),
        (
            Method::POST,
            "/api/v1/users/invitations".into(),
            Some(&boss),
            json!({"email": "<script>", "name": "x".repeat(201), "departments": ["a"]}),
            &["email", "name", "role", "departments"],
        ),
        (
            Method::PATCH,
            format!("/api/v1/users/{nobodys}"),
            Some(&boss),
            json!({"role": 1, "departments": "x", "active": "yes"}),
            &["role", "departments", "active"],
        ),
        (
            Method::POST,
            "/api/v1/roles".into(),
            Some(&boss),
            json!({"name": "", "permissions": ["tenants:write"]}),
            &["name", "permissions"],
        ),
        (
            Method::PUT,
            format!("/api/v1/roles/{nobodys}"),
            Some(&boss),
            json!({"permissions": ["'; drop table users"]}),
            &["name", "permissions"],
        ),
        (
            Method::POST,
            "/api/v1/departments".into(),
            Some(&boss),
            json!({"name": null, "parent_id": "1"}),
            &["name", "parent_id"],
        ),
        (
            Method::POST,
            "/api/v1/api-keys".into(),
            Some(&boss),
            json!({"name": {}, "permissions": {}, "expires_at": 5}),
            &["name", "permissions", "expires_at"],
        ),
        (
            Method::POST,
            format!("/api/v1/api-keys/{nobodys}/rotate"),
            Some(&boss),
            json!({"overlap_seconds": 1e99}),
            &["overlap_seconds"],
        ),
        (
            Method::POST,
            "/api/v1/tenants".into(),
            Some(&root),
            json!({"owner_email": "x", "phone_number": "5", "fallback_number": 5, "language": "EN"}),
            &["name", "owner_email", "phone_number", "fallback_number", "language"],
        ),
        (
            Method::PATCH,
            format!("/api/v1/tenants/{}", tenant.id),
            Some(&root),
            json!({"max_concurrent_calls": -1, "max_daily_calls": 1.5, "max_hourly_calls_per_caller": [], "max_daily_cost_micros": "1"}),
            &[
                "max_concurrent_calls",
                "max_daily_calls",
                "max_hourly_calls_per_caller",
                "max_daily_cost_micros",
            ],
        ),
    ];
    let before = world.doubles.db.dump();
    for (method, target, who, body, expected) in cases {
        let named = world.request(method, &target, who, Some(&body)).wrong_fields();
        assert_eq!(named, expected, "{target} {body}");
    }
    for (body, media_type, status, code) in [
        (&b"{"[..], "application/json", 400, "malformed_request"),
        (b"\xff\xfe", "application/json", 400, "malformed_request"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
    ] {
        let request = Request::post("/api/v1/auth/login").header(header::CONTENT_TYPE, media_type);
        world.send(request.body(axum::body::Body::from(body)).unwrap()).assert_problem(status, code);
    }
    let deep = format!("{{\"email\":{}", "[".repeat(50_000));
    let request = Request::post("/api/v1/auth/login").header(header::CONTENT_TYPE, "application/json");
    world.send(request.body(axum::body::Body::from(deep)).unwrap()).assert_problem(400, "malformed_request");
    assert_eq!(world.doubles.db.dump(), before, "something was stored");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// B26: whatever happened to a session, a request passes exactly when its token is whole and not expired, and session, user
    /// and membership are good.
    #[test]
    fn b26_only_good_credentials_pass(
        steps in prop::collection::vec(0_u8..8, 0..4),
        wait in prop_oneof![Just(0_u64), 1..899_u64, Just(900), Just(1_000)],
        touched in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let (world, _) = world();
        let mut shown = world.login(EMAIL).into_bytes();
        let (mut session, mut user, mut member) = (true, true, true);
        for step in steps {
            match step {
                0 => { world.sql("update sessions set revoked_at = 1"); session = false; }
                1 => { world.sql("update sessions set expires_at = 1"); session = false; }
                2 => { world.sql("update users set deactivated_at = 1"); user = false; }
                3 => { world.sql("update users set deactivated_at = null"); user = true; }
                4 => { world.sql("update memberships set deactivated_at = 1"); member = false; }
                5 => { world.sql("update memberships set deactivated_at = null"); member = true; }
                6 => { world.sql("delete from memberships where role = 'manager'"); }
                _ => {}
            }
        }
        let removed = world.count("select count(*) as n from memberships where role = 'manager'") == 0;
        world.doubles.clock.advance(Millis::from_secs(wait));
        let mut whole = true;
        if let Some((at, byte)) = touched {
            let at = at.index(shown.len());
            whole = shown[at] == byte;
            shown[at] = byte;
        }
        let good = whole && wait < 900 && session && user;
        let mut request = Request::get("/api/v1/calls");
        let mut value = b"Bearer ".to_vec();
        value.extend(&shown);
        if let Ok(value) = axum::http::HeaderValue::from_bytes(&value) {
            request = request.header(header::AUTHORIZATION, value);
        } else {
            prop_assert!(!whole);
        }
        let reply = world.send(request.body(axum::body::Body::empty()).unwrap());
        let expected = if !good { 401 } else if member && !removed { 200 } else { 403 };
        prop_assert_eq!(reply.status.as_u16(), expected, "{}", reply.body);
    }
}
