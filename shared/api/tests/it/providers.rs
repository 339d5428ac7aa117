//! Accounts of tenants' own at their providers: never shown, used for their calls and for nobody else's.

use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::media::{self, MediaRefusal};
use voicecore_api::{jobs, live};
use voicecore_call::OpenModel;
use voicecore_conformance::block_on;
use voicecore_domain::Permissions;
use voicecore_ports::HttpResponse;
use voicecore_types::{CallId, Millis};
use voicecore_wire::twilio::signature::sign;
use voicecore_wire::twilio::webhook::Form;

use crate::departments::all_but_sight;
use crate::world::{ACCOUNT, AUTH_TOKEN, SETTINGS, Tenant, World, incoming};

const KEY: &str = "sk-own-0123456789abcdefWXYZ";

fn put(world: &World, tenant: &Tenant, provider: &str, body: &Value) -> crate::world::Reply {
    world.request(Method::PUT, &format!("/api/v1/config/providers/{provider}"), Some(&tenant.key), Some(body))
}

fn delete(world: &World, tenant: &Tenant, provider: &str) -> crate::world::Reply {
    world.request(Method::DELETE, &format!("/api/v1/config/providers/{provider}"), Some(&tenant.key), None)
}

/// The account at Twilio of the tenant `n`.
fn account(n: u8) -> (String, String) {
    (format!("AC{:032x}", 0x1000 + u32::from(n)), format!("auth-token-of-tenant-{n:04}"))
}

/// A tenant with an account of its own at Twilio.
fn on_its_own(world: &World, n: u8) -> Tenant {
    let tenant = world.tenant(&format!("+150055502{n:02}"));
    let (account_sid, auth_token) = account(n);
    let reply = put(world, &tenant, "twilio", &json!({"account_sid": account_sid, "auth_token": auth_token}));
    assert_eq!(reply.status, 200, "{}", reply.body);
    tenant
}

/// A webhook signed with `token`, from the account `account`.
fn webhook(
    world: &World,
    target: &str,
    token: &str,
    account: &str,
    sid: &str,
    to: &str,
) -> crate::world::Reply {
    let mut parameters = incoming(sid, to);
    parameters[1] = ("AccountSid", account);
    world.send(World::signed_by(token, target, &parameters))
}

#[test]
fn what_was_set_is_never_shown() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let (account_sid, auth_token) = account(7);
    let shown = [
        put(&world, &tenant, "openai", &json!({"api_key": KEY})),
        put(&world, &tenant, "chat", &json!({"api_key": "gsk-of-the-tenant-9876"})),
        {
            // Entries of one moment have no order of their own.
            world.doubles.clock.advance(Millis(1));
            put(&world, &tenant, "twilio", &json!({"account_sid": account_sid, "auth_token": auth_token}))
        },
        world.get("/api/v1/config/providers", &tenant.key),
        world.get("/api/v1/audit", &tenant.key),
    ];
    let dump = world.doubles.db.dump().join("\n");
    for secret in [KEY, "gsk-of-the-tenant-9876", &auth_token] {
        for reply in &shown {
            assert!(reply.status.is_success(), "{}", reply.body);
            // Not even a part of it that is longer than the four characters.
            assert!(!reply.body.contains(&secret[secret.len() - 5..]), "{}", reply.body);
        }
        assert!(!dump.contains(&secret[..8]) && !dump.contains(&secret[secret.len() - 5..]));
    }
    let mine = shown[3].json();
    assert_eq!(mine["items"][0]["ends_with"], json!("WXYZ"));
    assert_eq!(mine["items"][2]["account_sid"], json!(account_sid));
    let fields = &shown[4].json()["items"][0]["fields"];
    assert_eq!(*fields, json!(["account_sid", "auth_token"]));
    // Whoever has none sees that the installation's is used, and nothing of it.
    let theirs = world.get("/api/v1/config/providers", &other.key);
    for item in theirs.json()["items"].as_array().unwrap() {
        assert_eq!((&item["source"], &item["ends_with"]), (&json!("installation"), &Value::Null));
    }
    for (_, secret) in &SETTINGS[2..] {
        assert!(!theirs.body.contains(&secret[secret.len() - 4..]));
    }
    for provider in ["openai", "chat", "twilio"] {
        assert_eq!(delete(&world, &other, provider).status, 404);
        assert_eq!(delete(&world, &tenant, provider).status, 204);
        assert_eq!(delete(&world, &tenant, provider).status, 404);
    }
    assert_eq!(world.get("/api/v1/config/providers", &tenant.key).body, theirs.body);
}

#[test]
fn every_wrong_field_is_named_and_nothing_stored() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let fields = |provider: &str, body: Value| {
        let reply = put(&world, &tenant, provider, &body);
        reply.assert_problem(422, "invalid_request");
        let errors = reply.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields("openai", json!({})), ["api_key"]);
    assert_eq!(
        fields("openai", json!({"api_key": "too short", "auth_token": "x"})),
        ["api_key", "auth_token"]
    );
    assert_eq!(fields("openai", json!({"api_key": "with\u{0}a-zero-0123456789"})), ["api_key"]);
    assert_eq!(
        fields("chat", json!({"api_key": "k".repeat(513), "account_sid": "x"})),
        ["api_key", "account_sid"]
    );
    assert_eq!(fields("twilio", json!({"api_key": KEY})), ["auth_token", "account_sid", "api_key"]);
    put(&world, &tenant, "groq", &json!({"api_key": KEY})).assert_problem(404, "not_found");
    let stored = world.sql("select count(*) as n from provider_credentials");
    assert_eq!(stored.rows[0]["n"], voicecore_ports::Value::Int(0));
}

/// An account is that of all departments: whoever sees only some may look whose is used, and change nothing, whatever else they may do.
#[test]
fn accounts_are_for_those_who_see_all_departments() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    all_but_sight(&world, &tenant, "some@example.com");
    let some = world.login("some@example.com");
    let ask = |method: Method, provider: &str, body: Option<&Value>| {
        world.request(method, &format!("/api/v1/config/providers/{provider}"), Some(&some), body)
    };
    let twilio = json!({"account_sid": account(1).0, "auth_token": account(1).1});
    let accounts =
        [("openai", json!({"api_key": KEY})), ("chat", json!({"api_key": KEY})), ("twilio", twilio)];
    for (provider, body) in &accounts {
        for there in [false, true] {
            if there {
                assert_eq!(put(&world, &tenant, provider, body).status, 200);
            }
            let before = world.doubles.db.dump();
            for reply in [ask(Method::PUT, provider, Some(body)), ask(Method::DELETE, provider, None)] {
                reply.assert_problem(403, "forbidden");
                assert!(reply.body.contains("`departments:all`"), "{}", reply.body);
            }
            assert_eq!(world.doubles.db.dump(), before, "{provider}");
        }
    }
    assert_eq!(world.get("/api/v1/config/providers", &some).status, 200);
    // It is that permission that is missing, and no other.
    world.sql_with(
        "update roles set permissions = ?1 where name = 'R'",
        vec![Permissions::of_tenant().to_string().into()],
    );
    for (provider, body) in &accounts {
        assert_eq!(ask(Method::PUT, provider, Some(body)).status, 200, "{provider}");
        assert_eq!(ask(Method::DELETE, provider, None).status, 204, "{provider}");
    }
}

/// B3 as well: what is set while a call runs is for the next one.
#[test]
fn the_tenants_own_model_is_paid_by_the_tenant() {
    let world = World::new();
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    let open = OpenModel { path: "/realtime?model=m".to_owned(), audio_frame: ["", ""] };
    let asked = |setup: &live::CallSetup| {
        let request = live::model_request(&world.app, setup, &open).unwrap();
        assert_eq!(request.url, "https://api.openai.com/v1/realtime?model=m");
        request.authorization.expose().clone()
    };
    let load = |call: CallId| block_on(live::load_call(&world.app, call)).unwrap();
    let running = load(world.call(&tenant, 1).1);
    put(&world, &tenant, "openai", &json!({"api_key": KEY}));
    let (next, others) = (load(world.call(&tenant, 2).1), load(world.call(&other, 3).1));
    assert_eq!(asked(&running), "Bearer sk-of-openai-0123456789");
    assert_eq!(asked(&next), format!("Bearer {KEY}"));
    assert_eq!(asked(&others), "Bearer sk-of-openai-0123456789");
    // What an actor keeps of it is sealed, and opens for nobody else.
    assert!(!serde_json::to_string(&next).unwrap().contains(KEY));
    let stolen = live::CallSetup { openai_credential: next.openai_credential.clone(), ..others };
    assert!(live::model_request(&world.app, &stolen, &open).is_err());
    let keyless =
        world.restarted(&[("OPENAI_API_KEY", ""), ("OPENAI_BASE_URL", "http://127.0.0.1:19400/v1/")]);
    let refused = live::model_request(&keyless.app, &running, &open).unwrap_err();
    assert_eq!(refused.problem().missing, ["OPENAI_API_KEY"]);
    assert_eq!(
        live::model_request(&keyless.app, &next, &open).unwrap().url,
        "http://127.0.0.1:19400/v1/realtime?model=m"
    );
}

#[test]
fn a_turn_based_call_asks_the_tenants_own_model() {
    for (provider, settings, expected) in [
        ("chat", &[][..], KEY),
        // The installation asks OpenAI, and so does the tenant's own account.
        ("openai", &[], KEY),
        // Another provider must not be sent OpenAI's key, whoever's it is.
        (
            "openai",
            &[("CHAT_BASE_URL", "https://chat.example.com/v1"), ("CHAT_API_KEY", "key-of-chat")],
            "key-of-chat",
        ),
    ] {
        let world = World::with(settings);
        world.doubles.actors.remove();
        let tenant = world.tenant("+15005550001");
        put(&world, &tenant, provider, &json!({"api_key": KEY}));
        let (sid, reply) = world.ring(&tenant.number, 1);
        let mut parameters = incoming(&sid, &tenant.number);
        parameters.push(("SpeechResult", "What are your opening hours?"));
        world.webhook(&reply.attribute("action"), &parameters);
        let asked = world.doubles.http.requests();
        let keys: Vec<_> =
            asked.iter().flat_map(|r| &r.headers).filter(|(name, _)| name == "Authorization").collect();
        assert!(
            !keys.is_empty() && keys.iter().all(|(_, key)| *key == format!("Bearer {expected}")),
            "{provider}"
        );
    }
}

#[test]
fn calls_over_a_tenants_own_account_are_ended_there() {
    let world = World::new();
    world.actors_reply(CallReply::NotRunning);
    let tenant = on_its_own(&world, 1);
    let (sid, token) = account(1);
    let reply =
        webhook(&world, "/webhooks/twilio/voice", &token, &sid, &format!("CA{:032x}", 1), &tenant.number);
    let call = crate::world::call_id(&reply);
    let answer = |status: u16| {
        world.doubles.http.answer(Ok(HttpResponse { status, body: b"{\"code\":20404}".to_vec() }));
    };
    // Unknown there: it came over the installation's account, before the tenant had its own.
    answer(404);
    answer(200);
    assert_eq!(world.post(&format!("/api/v1/calls/{call}/end"), &tenant.key).status, 202);
    let urls: Vec<String> = world.doubles.http.requests().into_iter().map(|request| request.url).collect();
    assert!(urls[0].contains(&sid) && urls[1].contains(ACCOUNT) && urls.len() == 2, "{urls:?}");
    // The job of every minute asks the same.
    world.doubles.clock.advance(Millis::from_secs(6 * 3_600));
    answer(200);
    block_on(jobs::scheduled(&world.app)).unwrap();
    let urls: Vec<String> = world.doubles.http.requests().into_iter().map(|request| request.url).collect();
    assert!(urls[0].contains(&sid) && urls.len() == 1, "{urls:?}");
}

#[test]
fn the_media_socket_opens_by_the_token_of_the_calls_own_tenant() {
    let world = World::new();
    let (one, _two) = (on_its_own(&world, 1), on_its_own(&world, 2));
    let (sid, token) = account(1);
    let reply =
        webhook(&world, "/webhooks/twilio/voice", &token, &sid, &format!("CA{:032x}", 1), &one.number);
    let (url, call) = (reply.attribute("url"), crate::world::call_id(&reply));
    let target = url.strip_prefix("wss://voice.example.com").unwrap();
    let open = |token: &str| {
        block_on(media::authorize_upgrade(&world.app, target, Some(&sign(token, &url, &Form::default()))))
    };
    assert_eq!(open(&token), Ok(call));
    assert_eq!(open(AUTH_TOKEN), Ok(call));
    assert_eq!(open(&account(2).1), Err(MediaRefusal::Signature));
    world.db.asked();
    assert_eq!(block_on(media::authorize_upgrade(&world.app, target, None)), Err(MediaRefusal::Signature));
    assert_eq!(world.db.asked(), 0);
    world.db.off(true);
    assert_eq!(open(&token), Err(MediaRefusal::Unavailable));
}

/// While the database hangs or is away nothing can be checked of such an account: whoever is on the line hears something, in time, that
/// is said to anybody; and is answered again when the database is back.
#[test]
fn somebody_whose_signature_cannot_be_checked_hears_something() {
    for hangs in [false, true] {
        let world = World::new();
        world.actors_reply(CallReply::NotRunning);
        let tenant = on_its_own(&world, 1);
        let (sid, token) = account(1);
        let call = format!("CA{:032x}", 1);
        let ask = |target: &str, token: &str| webhook(&world, target, token, &sid, &call, &tenant.number);
        let connected = ask("/webhooks/twilio/voice", &token);
        let action = connected.attribute("action");
        let before = world.doubles.db.dump();
        world.db.off(!hangs);
        world.db.hangs(hangs);
        let clock = &world.doubles.clock;
        for (target, says) in [
            ("/webhooks/twilio/voice", "retry=1"),
            ("/webhooks/twilio/voice?retry=1", "retry=2"),
            ("/webhooks/twilio/voice?retry=2", "<Hangup/>"),
            (action.strip_prefix(crate::world::ORIGIN).unwrap(), "<Hangup/>"),
            ("/webhooks/twilio/fallback", "<Hangup/>"),
            ("/webhooks/twilio/dial-ended", "<Hangup/>"),
        ] {
            let began = voicecore_ports::Clock::now(&**clock);
            // Genuine or not: the same, because nobody knows.
            let replies = [ask(target, &token), ask(target, "not-the-token-of-anybody-000000")];
            let took = voicecore_ports::Clock::now(&**clock).since(began);
            assert!(took.0 <= 2 * 1_100, "{target}: {took:?} for two");
            assert_eq!(replies[0].body, replies[1].body);
            let heard = replies[0].twiml();
            assert!(heard.contains("<Say") && heard.contains(says), "{target}: {heard}");
            for secret in ["Bella", &tenant.number, &tenant.id, &tenant.business_id] {
                assert!(!heard.contains(secret), "{target}: {heard}");
            }
        }
        for target in ["/webhooks/twilio/status", "/webhooks/twilio/stream-status"] {
            ask(target, &token).assert_problem(503, "unavailable");
        }
        // Who shows no signature, or that of the installation's account, is refused as ever.
        world
            .form("/webhooks/twilio/voice", &incoming(&call, &tenant.number), None)
            .assert_problem(403, "signature_invalid");
        world.db.off(false);
        world.db.hangs(false);
        assert_eq!(world.doubles.db.dump(), before);
        ask("/webhooks/twilio/voice?retry=2", &token).attribute("action");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// A tenant's token vouches for that tenant alone, whatever else of ours the request names.
    #[test]
    fn b26_a_tenants_signature_opens_nothing_of_anothers(
        signer in 0_usize..3, account_of in 0_usize..3, number in 0_usize..3, known_call in prop::option::of(0_usize..3),
        address in prop::option::of(0_usize..3), path in 0_usize..3,
    ) {
        let world = World::new();
        world.actors_reply(CallReply::NotRunning);
        // The third has no account of its own.
        let tenants = [on_its_own(&world, 0), on_its_own(&world, 1), world.tenant("+15005550299")];
        let accounts = [account(0), account(1), account(2)];
        let calls: Vec<(String, CallId)> = (0..3_u32).map(|n| world.call(&tenants[n as usize], 100 + n)).collect();
        let path = ["voice", "status", "stream-ended"][path];
        let call = address.map(|n| format!("?call={}", calls[n].1)).unwrap_or_default();
        let target = format!("/webhooks/twilio/{path}{call}");
        let fresh = format!("CA{:032x}", 900);
        let sid = known_call.map_or(&fresh, |n| &calls[n].0);
        let before = world.doubles.db.dump();
        let reply = webhook(&world, &target, &accounts[signer].1, &accounts[account_of].0, sid, &tenants[number].number);
        let all_mine = [Some(account_of), Some(number), known_call, address].into_iter().flatten().all(|n| n == signer);
        let expected = all_mine && signer < 2;
        prop_assert_eq!(reply.status.as_u16() != 403, expected, "{} {}", reply.status, reply.body);
        if !expected {
            prop_assert_eq!(world.doubles.db.dump(), before);
        }
    }
}
