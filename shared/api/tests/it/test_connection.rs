//! Whether a provider takes an account: it is really asked, and told nothing but what it needs.

use axum::http::Method;
use serde_json::json;
use voicecore_ports::{HttpError, HttpResponse};

use crate::world::{ACCOUNT, World};

#[test]
fn providers_are_really_asked() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let ask = |provider: &str| {
        let body = json!({"provider": provider});
        world.request(Method::POST, "/api/v1/config/test-connection", Some(&tenant.key), Some(&body))
    };
    let answer =
        |status| world.doubles.http.answer(Ok(HttpResponse { status, body: b"{\"secret\":1}".to_vec() }));
    for (provider, status, state) in [
        ("openai", 200, "works"),
        ("chat", 401, "refused"),
        ("twilio", 403, "refused"),
        ("twilio", 503, "unexpected"),
        ("openai", 404, "unexpected"),
    ] {
        answer(status);
        let tried = ask(provider).json();
        let expected = json!({"provider": provider, "source": "installation", "state": state, "status": status, "took_ms": 0});
        assert_eq!(tried, expected);
    }
    world.doubles.http.answer(Err(HttpError::TimedOut));
    assert_eq!((&ask("openai").json()["state"], &ask("moon").status.as_u16()), (&json!("unreachable"), &422));
    let asked: Vec<_> =
        world.doubles.http.requests().into_iter().map(|request| (request.method, request.url)).collect();
    assert_eq!(asked[0], ("GET", "https://api.openai.com/v1/models".to_owned()));
    assert_eq!(asked[2], ("GET", format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}.json")));

    // With an account of its own the tenant's is tried, and no other.
    let own = json!({"api_key": "sk-of-the-tenant-0123456789"});
    let target = "/api/v1/config/providers/openai";
    assert_eq!(world.request(Method::PUT, target, Some(&tenant.key), Some(&own)).status, 200);
    for provider in ["openai", "chat"] {
        answer(200);
        assert_eq!(ask(provider).json()["source"], "tenant", "{provider}");
    }
    for request in &world.doubles.http.requests() {
        let sent = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        assert_eq!(sent.1, "Bearer sk-of-the-tenant-0123456789");
    }
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'provider.test'"), 8);
}
