//! Rate limits (X3) and pages of other origins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use voicecore_api::SqlRateLimits;
use voicecore_conformance::doubles::MemoryRateLimits;
use voicecore_domain::rate_limits::{OF_A_TENANT, OF_ALL_STRANGERS};
use voicecore_types::Millis;

use crate::identity::EMAIL;
use crate::openapi::{document, operations, target};
use crate::world::{NOW, PASSWORD, Reply, World};

/// What needs no credentials and is counted, with the family whose quota it shares.
const FOR_STRANGERS: [(Method, &str, u8); 13] = [
    (Method::POST, "/api/v1/auth/login", 0),
    (Method::POST, "/api/v1/auth/refresh", 1),
    (Method::POST, "/api/v1/auth/forgot-password", 2),
    (Method::POST, "/api/v1/auth/reset-password", 3),
    (Method::POST, "/api/v1/auth/accept-invitation", 3),
    (Method::POST, "/api/v1/setup/claim", 3),
    (Method::GET, "/reset-password", 3),
    (Method::POST, "/reset-password", 3),
    (Method::GET, "/invitation", 3),
    (Method::POST, "/invitation", 3),
    (Method::GET, "/setup", 3),
    (Method::POST, "/setup", 3),
    (Method::GET, "/api/v1/live", 4),
];
/// Keys of one tenant: together they ask more than the tenant may.
const KEYS: usize = OF_A_TENANT as usize + 2;

#[test]
fn x03_a_key_that_asks_too_often_waits_and_nobody_else_does() {
    let world = World::with(&[("RATE_LIMIT_PER_MIN", "3")]);
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    for _ in 0..3 {
        let reply = world.get("/api/v1/calls", &tenant.key);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["ratelimit-policy"], "\"default\";q=3;w=60");
    }
    let refused = world.get("/api/v1/messages", &tenant.key);
    refused.assert_problem(429, "rate_limited");
    assert_eq!(refused.headers[header::RETRY_AFTER], "20");
    assert_eq!(refused.headers["ratelimit"], "\"default\";r=0;t=20");
    assert_eq!(world.get("/api/v1/calls", &other.key).status, 200);
    // Twilio is never told to wait.
    for n in 0..5 {
        assert!(world.ring(&tenant.number, n).1.twiml().contains("<Connect"));
    }
    world.doubles.clock.advance(Millis::from_secs(20));
    assert_eq!(world.get("/api/v1/calls", &tenant.key).status, 200);
    world.get("/api/v1/calls", &tenant.key).assert_problem(429, "rate_limited");
    // Counters that are away let everybody in.
    world.doubles.rate_limits.away(true);
    assert_eq!(world.get("/api/v1/calls", &tenant.key).status, 200);
    // What is counted is named by an id, and holds no secret.
    let counted = world.doubles.rate_limits.keys();
    let named = ["api_key:", "tenant:", "everybody:"];
    assert!(counted.iter().all(|key| !key.contains("vc_") && named.iter().any(|name| key.starts_with(name))));
}

#[test]
fn only_pages_of_allowed_origins_may_read_answers() {
    let allowed = "https://app.example.com";
    let world = World::with(&[("CORS_ORIGINS", "https://app.example.com, http://localhost:5173")]);
    let tenant = world.tenant("+15005550001");
    let ask = |method: Method, path: &str, origin: &str, preflight: bool| -> Reply {
        let mut request = Request::builder().method(method).uri(path).header(header::ORIGIN, origin);
        request = if preflight {
            request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
        } else {
            request.header(header::AUTHORIZATION, format!("Bearer {}", tenant.key))
        };
        world.send(request.body(Body::empty()).unwrap())
    };
    let preflight = ask(Method::OPTIONS, "/api/v1/config/providers/openai", allowed, true);
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], allowed);
    assert!(preflight.headers[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PUT"));
    assert!(
        preflight.headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("authorization")
    );
    for origin in [allowed, "http://localhost:5173"] {
        let reply = ask(Method::GET, "/api/v1/calls", origin, false);
        assert_eq!(
            (reply.status.as_u16(), &reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN]),
            (200, &origin.parse().unwrap())
        );
        assert_eq!(reply.headers[header::VARY], "origin");
        assert!(!reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
    for origin in [
        "https://app.example.com.evil.example",
        "https://evil.example",
        "null",
        "http://app.example.com",
        "https://app.example.com/",
    ] {
        for (method, preflight) in [(Method::OPTIONS, true), (Method::GET, false)] {
            let reply = ask(method, "/api/v1/calls", origin, preflight);
            assert!(!reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
            assert_eq!(reply.headers[header::VARY], "origin");
        }
    }
    // Webhooks and pages are nobody else's; without the setting, nothing is.
    let page = ask(Method::GET, "/setup", allowed, false);
    assert!(!page.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let closed = World::new();
    let mut request =
        Request::get("/api/v1/calls").header(header::ORIGIN, allowed).body(Body::empty()).unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {}", tenant.key).parse().unwrap());
    assert!(!closed.send(request).headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

fn asked_from(world: &World, (method, path, _): &(Method, &str, u8), client: Option<&str>) -> Reply {
    let mut request = Request::builder().method(method.clone()).uri(*path);
    if let Some(client) = client {
        request = request.header("cf-connecting-ip", client);
    }
    world.send(request.body(Body::empty()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever a client asks without credentials and from whichever address of its network: of each family no more than the quota, and no
    /// less whatever others do. What is counted names no address, and has another name on the next day.
    #[test]
    fn x03_a_client_without_credentials_has_its_quota(
        quota in 1_u32..4, steps in prop::collection::vec((0_usize..FOR_STRANGERS.len(), 0_u8..4, any::<u16>()), 1..60),
    ) {
        let world = World::with(&[("RATE_LIMIT_PER_MIN", &quota.to_string())]);
        let mut taken: BTreeMap<(u8, u8), u32> = BTreeMap::new();
        for (route, client, host) in steps {
            let address = if client < 2 { format!("203.0.113.{client}") } else { format!("2001:db8:0:{client}::{host:x}") };
            let reply = asked_from(&world, &FOR_STRANGERS[route], Some(&address));
            let taken = taken.entry((FOR_STRANGERS[route].2, client)).or_default();
            prop_assert_eq!(reply.status == 429, *taken == quota, "{}: {}", address, reply.body);
            if reply.status == 429 {
                reply.assert_problem(429, "rate_limited");
                prop_assert!(reply.headers.contains_key(header::RETRY_AFTER));
            } else {
                *taken += 1;
            }
        }
        let today = world.doubles.rate_limits.keys();
        prop_assert_eq!(today.len(), taken.len(), "{:?}", today);
        prop_assert!(!today.iter().any(|key| key.contains("203.0") || key.contains("2001:db8")), "{:?}", today);
        world.doubles.clock.advance(Millis::from_secs(86_400));
        asked_from(&world, &FOR_STRANGERS[0], Some("203.0.113.0"));
        let tomorrow = world.doubles.rate_limits.keys();
        prop_assert_eq!(tomorrow.len(), today.len() + 1);
    }
}

#[test]
fn x03_where_clients_are_not_told_apart_no_header_of_theirs_helps() {
    let world = World::new();
    let sql = SqlRateLimits::new(world.doubles.db.clone(), world.doubles.clock.clone());
    let world = world.counted_by(Arc::new(sql), 2);
    for route in [&FOR_STRANGERS[2], &FOR_STRANGERS[3], &FOR_STRANGERS[12]] {
        for n in 0..2 * OF_ALL_STRANGERS {
            let reply = asked_from(&world, route, Some(&format!("203.0.113.{n}")));
            assert_ne!(reply.status, 429, "{}: {n}", route.1);
        }
        asked_from(&world, route, Some("203.0.113.99")).assert_problem(429, "rate_limited");
    }
    let counted = world.sql("select limit_key from rate_limits order by limit_key").rows;
    let counted: Vec<_> = counted.iter().map(|row| format!("{:?}", row["limit_key"])).collect();
    assert_eq!(counted, ["forgot", "link", "live"].map(|family| format!("Text(\"everybody:{family}\")")));
    // Whoever is known is not kept out by those who are not.
    let tenant_key = world.restarted(&[]).tenant("+15005550001").key;
    assert_eq!(world.get("/api/v1/calls", &tenant_key).status, 200);
}

/// What nobody has, in each form that credentials have.
fn made_up(n: u32) -> String {
    let signed = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.{n:08}");
    [
        format!("vc_{n:016}_{}", "0123456789abcdef".repeat(4)),
        format!("{signed}.bm90IG91cnM"),
        format!("guess-{n}"),
    ][n as usize % 3]
        .clone()
}

fn shown(world: &World, target: &str, credentials: &str, client: Option<&str>) -> Reply {
    let request = Request::get(target).header(header::AUTHORIZATION, format!("Bearer {credentials}"));
    let request = client.into_iter().fold(request, |request, ip| request.header("cf-connecting-ip", ip));
    world.send(request.body(Body::empty()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is made up and wherever it is shown, a network makes up no more than its quota; what is known is let in all the same, also
    /// from there, and what is asked without any is counted apart.
    #[test]
    fn x03_who_makes_up_credentials_has_the_quota_of_a_client(
        quota in 1_u32..4, steps in prop::collection::vec((0_u32..6, 0_usize..4, 0_u8..3), 1..40),
    ) {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        let counters = Arc::new(MemoryRateLimits::new(world.doubles.clock.clone()));
        let world = world.counted_by(counters.clone(), quota);
        let targets = ["/api/v1/calls", "/api/v1/me", "/api/v1/tenants", "/api/v1/assistants"];
        let mut taken: BTreeMap<u8, u32> = BTreeMap::new();
        for (n, target, client) in steps {
            let reply = shown(&world, targets[target], &made_up(n), Some(&format!("203.0.113.{client}")));
            let taken = taken.entry(client).or_default();
            if *taken == quota {
                reply.assert_problem(429, "rate_limited");
            } else {
                reply.assert_problem(401, "unauthenticated");
                *taken += 1;
            }
        }
        prop_assert_eq!(counters.keys().len(), taken.len());
        prop_assert!(!counters.keys().iter().any(|key| key.contains("203.0")));
        prop_assert_eq!(shown(&world, "/api/v1/calls", &tenant.key, Some("203.0.113.0")).status, 200);
        let signing_in = asked_from(&world, &FOR_STRANGERS[0], Some("203.0.113.0"));
        prop_assert_ne!(signing_in.status, 429);
    }
}

#[test]
fn x03_made_up_credentials_are_counted_in_the_database_too_and_who_was_signed_in_hears_that_it_is_over() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.user(&tenant.id, "a@example.com", "viewer");
    let (ended, run_out) = (world.login("a@example.com"), world.login("a@example.com"));
    let sql = SqlRateLimits::new(world.doubles.db.clone(), world.doubles.clock.clone());
    let world = world.counted_by(Arc::new(sql), 2);
    let ask = |credentials: &str, n: u32| {
        shown(&world, "/api/v1/calls", credentials, Some(&format!("203.0.113.{n}")))
    };
    world.request(Method::POST, "/api/v1/auth/logout", Some(&ended), None);
    for n in 0..2 * OF_ALL_STRANGERS {
        ask(&made_up(n), n).assert_problem(401, "unauthenticated");
    }
    ask(&made_up(99), 99).assert_problem(429, "rate_limited");
    // Theirs is counted by itself, and limited, too.
    for n in 0..2 {
        ask(&ended, n).assert_problem(401, "unauthenticated");
    }
    ask(&ended, 3).assert_problem(429, "rate_limited");
    assert_eq!(ask(&run_out, 4).status, 200);
    world.doubles.clock.advance(Millis::from_secs(901));
    ask(&run_out, 5).assert_problem(401, "unauthenticated");
    let counted = world.sql("select limit_key from rate_limits where limit_key like 'everybody:%'").rows;
    assert_eq!(counted.len(), 1);
    assert_eq!(ask(&tenant.key, 6).status, 200);
}

/// However often strangers try: a browser on which somebody has signed in still signs in and refreshes there, by a quota of its own. A
/// cookie that somebody makes up gives them none.
#[test]
fn x03_whoever_has_signed_in_before_is_not_kept_out_by_strangers() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.user(&tenant.id, EMAIL, "manager");
    let sql = SqlRateLimits::new(world.doubles.db.clone(), world.doubles.clock.clone());
    let quota = 2;
    let world = world.counted_by(Arc::new(sql), quota);
    let kept = world.try_login(EMAIL, PASSWORD, &[]).cookies();
    let strangers = [vec![], made_up_cookies(&kept)];
    for (route, sent) in
        ["login", "refresh"].iter().flat_map(|route| strangers.iter().map(move |sent| (route, sent)))
    {
        for _ in 0..quota * OF_ALL_STRANGERS {
            world.with_cookies(&format!("/api/v1/auth/{route}"), sent, &json!({}));
        }
        world
            .with_cookies(&format!("/api/v1/auth/{route}"), sent, &json!({}))
            .assert_problem(429, "rate_limited");
    }
    world.try_login(EMAIL, PASSWORD, &[]).assert_problem(429, "rate_limited");
    // By either cookie.
    let refreshed = world.with_cookies("/api/v1/auth/refresh", &kept[..1], &json!({}));
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    let again = world.try_login(EMAIL, PASSWORD, &kept[1..]);
    assert_eq!(again.status, 200, "{}", again.body);
    // And so often, no oftener.
    assert_eq!(world.try_login(EMAIL, PASSWORD, &kept[1..]).status, 200);
    world.try_login(EMAIL, PASSWORD, &kept[1..]).assert_problem(429, "rate_limited");
    let counted = world.sql("select limit_key from rate_limits").rows;
    assert!(!counted.iter().any(|row| kept.iter().any(|cookie| {
        let (_, value) = cookie.split_once('=').unwrap();
        format!("{:?}", row["limit_key"]).contains(&value[..32])
    })));
}

/// The cookies of a browser, each with digits of its signature changed.
fn made_up_cookies(kept: &[String]) -> Vec<String> {
    let changed = |cookie: &String| {
        let (name, value) = cookie.split_once('=').unwrap();
        let signature = value.find('.').unwrap_or(value.len()) - 8;
        format!("{name}={}00000000{}", &value[..signature], &value[signature + 8..])
    };
    kept.iter().map(changed).collect()
}

/// Who may ask, by what counts them: credentials, key or user, tenant.
fn callers(world: &World) -> Vec<(String, String, Option<String>)> {
    let (tenant, other) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    world.actors_reply(voicecore_api::actors::CallReply::NotRunning);
    let of = |name: &str, tenant: &str| (name.to_owned(), Some(tenant.to_owned()));
    let mut callers =
        vec![(tenant.key.clone(), of("first", &tenant.id)), (other.key, of("other", &other.id))];
    for n in 1..KEYS {
        let wanted = json!({"name": format!("{n}"), "permissions": ["calls:read"]});
        let made = world.request(Method::POST, "/api/v1/api-keys", Some(&tenant.key), Some(&wanted)).json();
        callers.push((made["api_key"].as_str().unwrap().to_owned(), of(&format!("key {n}"), &tenant.id)));
    }
    for (email, role) in [("a@example.com", "tenant_admin"), ("b@example.com", "viewer")] {
        world.user(&tenant.id, email, role);
        callers.extend([0, 1].map(|_| (world.login(email), of(email, &tenant.id))));
    }
    world.super_admin("root@example.com");
    let root = world.login("root@example.com");
    let look = format!("/api/v1/tenants/{}/impersonate", tenant.id);
    let inside = world.request(Method::POST, &look, Some(&root), None).json();
    callers.push((inside["access_token"].as_str().unwrap().to_owned(), of("root", &tenant.id)));
    callers.push((root, ("root".to_owned(), None)));
    callers.into_iter().map(|(credentials, (name, tenant))| (credentials, name, tenant)).collect()
}

/// However many keys, sessions and routes are used and whatever is answered: a key, a user with all their sessions, and a tenant with all
/// of both have their quota, and neither more nor less.
#[test]
fn x03_no_path_evades_the_quota_of_key_user_and_tenant() {
    let world = World::new();
    let callers = callers(&world);
    let routes: Vec<_> = operations(&document())
        .into_iter()
        .filter(|(_, _, operation)| {
            operation["security"][0].as_object().is_some_and(|needs| !needs.is_empty())
        })
        .map(|(method, path, _)| (method, target(&path)))
        .collect();
    assert!(routes.len() > 80, "{}", routes.len());
    let steps = prop::collection::vec((0..callers.len(), 0..routes.len()), 1..80);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let outcome = runner.run(&(1_u32..4, steps), |(quota, steps)| {
        // A step may have ended sessions.
        world.sql("update sessions set revoked_at = null");
        let counters = Arc::new(MemoryRateLimits::new(world.doubles.clock.clone()));
        let world = world.counted_by(counters, quota);
        let (mut own, mut of_tenant) = (BTreeMap::<_, u32>::new(), BTreeMap::<_, u32>::new());
        let mut over = BTreeSet::new();
        for (caller, route) in steps {
            let ((credentials, name, tenant), (method, target)) = (&callers[caller], &routes[route]);
            let reply = world.request(method.clone(), target, Some(credentials), None);
            // The session is over, and counted by itself. A key that asks what only people may is known, and counted.
            if over.contains(credentials) || (reply.status == 401 && !credentials.starts_with("vc_")) {
                over.insert(credentials);
                continue;
            }
            let used_up = own.get(name) == Some(&quota);
            let all_used_up =
                tenant.as_ref().is_some_and(|t| of_tenant.get(t) == Some(&(quota * OF_A_TENANT)));
            prop_assert_eq!(
                reply.status == 429,
                used_up || all_used_up,
                "{} {} {}: {}",
                name,
                method,
                target,
                reply.body
            );
            if !used_up {
                *own.entry(name).or_default() += 1;
            }
            if let Some(tenant) = tenant.as_ref().filter(|_| reply.status != 429) {
                *of_tenant.entry(tenant).or_default() += 1;
            }
        }
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(world.app.ports.clock.now(), NOW, "nothing came back meanwhile");
}
