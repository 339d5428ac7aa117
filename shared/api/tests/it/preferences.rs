//! What users choose for themselves (T12).

use axum::body::Body;
use axum::http::{Method, Request, header};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::world::{Reply, World};

const TARGET: &str = "/api/v1/preferences";

fn put(world: &World, token: &str, tag: Option<&str>, body: &Value) -> Reply {
    let mut request = Request::put(TARGET)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = tag {
        request = request.header(header::IF_MATCH, tag);
    }
    world.send(request.body(Body::from(body.to_string())).unwrap())
}

#[test]
fn preferences_are_ones_own_and_of_one_tenant() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    for name in ["a@example.com", "b@example.com"] {
        world.user(&tenant.id, name, "viewer");
    }
    let (ada, bob) = (world.login("a@example.com"), world.login("b@example.com"));
    let nothing = world.get(TARGET, &ada).json();
    assert_eq!(
        nothing,
        json!({"theme": null, "language": null, "layout": {}, "version": 0, "updated_at": null})
    );
    let chosen = json!({"theme": "dark", "language": "pt", "layout": {"columns": ["from", "at"]}});
    let reply = put(&world, &ada, Some("\"0\""), &chosen);
    assert_eq!((reply.status.as_u16(), &reply.headers[header::ETAG]), (200, &"\"1\"".parse().unwrap()));
    assert_eq!(world.get(TARGET, &ada).json()["layout"], chosen["layout"]);
    assert_eq!(world.get(TARGET, &bob).json(), nothing);
    put(&world, &ada, Some("\"0\""), &chosen).assert_problem(412, "precondition_failed");
    let wrong = json!({"theme": "red", "language": "DE", "layout": [], "more": 1});
    assert_eq!(put(&world, &ada, None, &wrong).wrong_fields(), ["theme", "language", "layout", "more"]);
    assert_eq!(
        put(&world, &ada, None, &json!({"layout": {"x": "y".repeat(17_000)}})).wrong_fields(),
        ["layout"]
    );
    // A program has no preferences; nor has who works for no tenant.
    world.get(TARGET, &tenant.key).assert_problem(401, "unauthenticated");
    world.super_admin("root@example.com");
    world.get(TARGET, &world.login("root@example.com")).assert_problem(409, "conflict");
    // Whoever leaves the tenant leaves nothing of the kind.
    let me = world.get("/api/v1/me", &ada).json();
    let target = format!("/api/v1/users/{}", me["user_id"].as_str().unwrap());
    assert_eq!(world.request(Method::DELETE, &target, Some(&tenant.key), None).status, 204);
    assert_eq!(world.count("select count(*) as n from preferences"), 0);
}

/// B1: whichever device writes when, every device reads the last write that was taken, and its number.
#[test]
fn b01_the_last_write_is_read_on_every_device() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    world.user(&tenant.id, "a@example.com", "viewer");
    // Signing in takes a while: once for all cases, each of which goes on where the last one stopped.
    let devices: Vec<String> = (0..3).map(|_| world.login("a@example.com")).collect();
    let writes = prop::collection::vec((0_usize..3, 0_u8..5, any::<bool>()), 1..10);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let tried = runner.run(&writes, |writes| {
        let before = world.get(TARGET, &devices[0]).json();
        let (mut version, mut layout) = (before["version"].as_u64().unwrap(), before["layout"].clone());
        // What each device has read last.
        let mut read = [version; 3];
        for (device, value, careful) in writes {
            let tag = careful.then(|| format!("\"{}\"", read[device]));
            let wanted = json!({"value": value});
            let reply = put(&world, &devices[device], tag.as_deref(), &json!({"layout": wanted}));
            if careful && read[device] != version {
                reply.assert_problem(412, "precondition_failed");
                read[device] = world.get(TARGET, &devices[device]).json()["version"].as_u64().unwrap();
            } else {
                prop_assert_eq!(reply.status.as_u16(), 200, "{}", reply.body);
                version += 1;
                layout = wanted;
                read[device] = version;
            }
            for device in &devices {
                let seen = world.get(TARGET, device).json();
                prop_assert_eq!((&seen["version"], &seen["layout"]), (&json!(version), &layout));
            }
        }
        Ok(())
    });
    tried.unwrap();
}
