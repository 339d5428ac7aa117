//! Rate limits (X3) and pages of other origins.

use axum::body::Body;
use axum::http::{Method, Request, header};
use voicecore_types::Millis;

use crate::world::{Reply, World};

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
    assert!(
        world
            .doubles
            .rate_limits
            .keys()
            .iter()
            .all(|key| !key.contains("vc_") && key.starts_with("api_key:"))
    );
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
