//! `MASTER_KEY` rotates in a running system: the job of every minute wraps what is left.

use serde_json::json;
use voicecore_api::jobs;
use voicecore_conformance::block_on;

use crate::world::{SETTINGS, World};

const NEW: &str = "HxgZGhscHR4fEBESExQVFhcICQoLDA0ODwABAgMEBQY=";

#[test]
fn a13_the_job_rotates_while_calls_go_on() {
    let old = SETTINGS.iter().find(|(name, _)| *name == "MASTER_KEY").unwrap().1;
    let before = World::new();
    let tenant = before.tenant("+15005550001");
    let (_, call) = before.call(&tenant, 1);
    // 1. Everybody accepts the new one.
    let accepting = before.restarted(&[("MASTER_KEY_PREVIOUS", NEW)]);
    assert_eq!(block_on(jobs::scheduled(&accepting.app)).unwrap().rewrapped, 0);
    // 2. Some have switched, some have not yet.
    let switched = before.restarted(&[("MASTER_KEY", NEW), ("MASTER_KEY_PREVIOUS", old)]);
    assert_eq!(block_on(jobs::scheduled(&switched.app)).unwrap().rewrapped, 2);
    assert_eq!(block_on(jobs::scheduled(&switched.app)).unwrap().rewrapped, 0);
    for (world, n) in [(&accepting, 2), (&switched, 3)] {
        world.call(&tenant, n);
        let shown = world.get(&format!("/api/v1/calls/{call}"), &tenant.key).json();
        assert_eq!(shown["from"], json!(crate::world::CALLER));
        let found = world.get("/api/v1/calls?from=%2B15005550111", &tenant.key).json();
        assert_eq!(found["total"], json!(n));
    }
    // 3. The old one is gone: nothing needs it any more.
    let after = before.restarted(&[("MASTER_KEY", NEW)]);
    after.call(&tenant, 4);
    assert_eq!(after.get("/api/v1/calls?from=%2B15005550111", &tenant.key).json()["total"], json!(4));
    before.get("/api/v1/calls?from=%2B15005550111", &tenant.key).assert_problem(503, "config_missing");
}

#[test]
fn a_previous_key_that_is_not_one_is_named() {
    let world = World::with(&[("MASTER_KEY_PREVIOUS", "AAEC")]);
    let ready = world.request(axum::http::Method::GET, "/ready", None, None);
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("MASTER_KEY_PREVIOUS"), "{}", ready.body);
}
