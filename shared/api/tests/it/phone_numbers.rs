//! Telephone numbers as people set them up; the carrier is played by one answer at a time.

use axum::http::Method;
use serde_json::{Value, json};
use voicecore_ports::{HttpError, HttpResponse};
use voicecore_types::Millis;

use crate::world::{ACCOUNT, ORIGIN, Reply, World, human};

const TARGET: &str = "/api/v1/phone-numbers";
const OWN_ACCOUNT: &str = "ACfedcba9876543210fedcba9876543210";
const NEW: &str = "+15005550042";

/// From now on Twilio's next answer says that the account has this number, set to these webhooks.
pub(crate) fn owned(world: &World, number: &str, voice_url: &str) {
    let webhook = |path: &str| format!("{ORIGIN}/webhooks/twilio/{path}");
    let row = json!({
        "phone_number": number, "capabilities": {"voice": true}, "trunk_sid": null,
        "voice_url": voice_url, "voice_method": "POST", "voice_fallback_url": webhook("fallback"),
        "voice_fallback_method": "GET", "status_callback": webhook("status"), "status_callback_method": "POST",
    });
    answer(world, 200, &json!({"incoming_phone_numbers": [row]}));
}

fn answer(world: &World, status: u16, body: &Value) {
    world.doubles.http.answer(Ok(HttpResponse { status, body: body.to_string().into_bytes() }));
}

fn nobodys(world: &World) {
    answer(world, 200, &json!({"incoming_phone_numbers": []}));
}

fn add(world: &World, key: &str, number: &str, business: &str) -> Reply {
    let body = json!({"phone_number": number, "business_id": business});
    world.request(Method::POST, TARGET, Some(key), Some(&body))
}

#[test]
fn numbers_are_added_moved_and_removed() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let key = tenant.key.as_str();
    owned(&world, NEW, "");
    // Lists are in the order of time.
    world.doubles.clock.advance(Millis(1));
    let made = add(&world, key, NEW, &tenant.business_id);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        (&made.json()["phone_number"], &made.json()["business_id"]),
        (&json!(NEW), &json!(tenant.business_id))
    );
    assert_eq!(made.json()["webhooks"]["voice_url"], format!("{ORIGIN}/webhooks/twilio/voice"));
    assert!(world.doubles.db.dump().iter().all(|text| !text.contains("5005550042")), "numbers are sealed");
    let asked = world.doubles.http.requests();
    let lookup =
        format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550042");
    assert_eq!(asked[0].url, format!("https://api.twilio.com{lookup}"));
    let one = format!("{TARGET}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(world.get(&one, key).json(), made.json());
    let list = world.get(&format!("{TARGET}?page_size=1&page=2"), key).json();
    assert_eq!((&list["total"], &list["items"][0]), (&json!(2), &made.json()));

    // It rings there at once, and then at the other business.
    let (_, rung) = world.ring(NEW, 1);
    assert!(rung.twiml().contains("<Stream"), "{}", rung.body);
    let second =
        world.request(Method::POST, "/api/v1/config/business", Some(key), Some(&json!({"name": "Second"})));
    let second = second.json()["id"].clone();
    let moved = world.request(Method::PUT, &one, Some(key), Some(&json!({"business_id": second})));
    assert_eq!((moved.status.as_u16(), &moved.json()["business_id"]), (200, &second));
    assert_eq!(world.get(&one, key).json(), moved.json());
    world.ring(NEW, 2);
    let called = world.get(&format!("/api/v1/calls?business_id={}", second.as_str().unwrap()), key).json();
    assert_eq!(called["total"], 1);

    assert_eq!(world.request(Method::DELETE, &one, Some(key), None).status, 204);
    world.request(Method::DELETE, &one, Some(key), None).assert_problem(404, "not_found");
    world.get(&one, key).assert_problem(404, "not_found");
    assert!(!world.ring(NEW, 3).1.body.contains("<Stream"), "nobody answers it");
    assert_eq!(world.count("select count(*) as n from audit_log where action like 'phone_number.%'"), 3);
}

/// Pitfall 36: who may say who answers a number is found out, and a number rings in one place only.
#[test]
fn a01_a_number_belongs_to_one_tenant() {
    let world = World::new();
    let (tenant, thief) = (world.tenant("+15005550001"), world.tenant("+15005550002"));
    // When a key was used last is noted to the minute.
    for key in [&tenant.key, &thief.key] {
        world.get("/api/v1/config/business", key);
    }
    // What the installation's account has is given by its super admins: a tenant learns nothing of it, and nobody is asked.
    let nobody_asked = |number: &str| {
        assert_eq!(add(&world, &thief.key, number, &thief.business_id).wrong_fields(), ["phone_number"]);
        assert!(world.doubles.http.requests().is_empty());
    };
    nobody_asked(&tenant.number);
    nobody_asked(NEW);
    let own = json!({"account_sid": OWN_ACCOUNT, "auth_token": "0123456789abcdef0123456789abcdef"});
    let set = world.request(Method::PUT, "/api/v1/config/providers/twilio", Some(&thief.key), Some(&own));
    assert_eq!(set.status, 200, "{}", set.body);
    let before = world.doubles.db.dump();
    owned(&world, &tenant.number, "");
    add(&world, &thief.key, &tenant.number, &thief.business_id).assert_problem(409, "conflict");
    // A number that the account does not have, and one that only looks like it.
    nobodys(&world);
    assert_eq!(add(&world, &thief.key, NEW, &thief.business_id).wrong_fields(), ["phone_number"]);
    owned(&world, "+150055500421", "");
    assert_eq!(add(&world, &thief.key, NEW, &thief.business_id).wrong_fields(), ["phone_number"]);
    answer(&world, 401, &json!({"code": 20003}));
    add(&world, &thief.key, NEW, &thief.business_id).assert_problem(409, "conflict");
    world.doubles.http.answer(Err(HttpError::TimedOut));
    assert_eq!(add(&world, &thief.key, NEW, &thief.business_id).status, 503);
    // Another tenant's business, and a number that calls are transferred to: nobody is asked.
    world.doubles.http.requests();
    assert_eq!(add(&world, &thief.key, NEW, &tenant.business_id).wrong_fields(), ["business_id"]);
    let transfer = human(&thief.number);
    assert_eq!(add(&world, &thief.key, &transfer, &thief.business_id).wrong_fields(), ["phone_number"]);
    assert!(world.doubles.http.requests().is_empty());
    let list = world.get(TARGET, &tenant.key).json();
    let one = format!("{TARGET}/{}", list["items"][0]["id"].as_str().unwrap());
    for (method, target, business) in [
        (Method::GET, one.clone(), None),
        (Method::PUT, one.clone(), Some(json!({"business_id": thief.business_id}))),
        (Method::DELETE, one.clone(), None),
        (Method::POST, format!("{one}/doctor"), None),
    ] {
        world.request(method, &target, Some(&thief.key), business.as_ref()).assert_problem(404, "not_found");
    }
    assert_eq!(world.get(TARGET, &thief.key).json()["total"], 1);
    let mine =
        format!("{TARGET}/{}", world.get(TARGET, &thief.key).json()["items"][0]["id"].as_str().unwrap());
    let moved = json!({"business_id": tenant.business_id});
    assert_eq!(
        world.request(Method::PUT, &mine, Some(&thief.key), Some(&moved)).wrong_fields(),
        ["business_id"]
    );
    assert_eq!(world.doubles.db.dump(), before);
}

#[test]
fn the_doctor_asks_the_carrier() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let list = world.get(TARGET, &tenant.key).json();
    let target = format!("{TARGET}/{}/doctor", list["items"][0]["id"].as_str().unwrap());
    let diagnose = || world.post(&target, &tenant.key);
    let wrong = |reply: &Reply| -> Vec<String> {
        let checks = reply.json()["checks"].as_array().unwrap().clone();
        let wrong = checks.iter().filter(|check| check["ok"] == false);
        wrong.map(|check| check["code"].as_str().unwrap().to_owned()).collect()
    };
    owned(&world, &tenant.number, "https://user:SENTINEL@elsewhere.example/voice?token=SENTINEL");
    let found = diagnose();
    assert_eq!(
        (found.status.as_u16(), wrong(&found)),
        (200, vec!["voice_url".to_owned(), "fallback_method".to_owned()])
    );
    assert_eq!((&found.json()["healthy"], &found.json()["source"]), (&json!(false), &json!("installation")));
    assert!(!found.body.contains("SENTINEL") && !found.body.contains(&tenant.number[1..]), "{}", found.body);
    let checks = found.json()["checks"].clone();
    let address =
        checks.as_array().unwrap().iter().find(|check| check["code"] == "voice_url").unwrap().clone();
    assert_eq!(address["found"], "https://elsewhere.example/voice");
    assert!(address["advice"].as_str().unwrap().contains(&format!("{ORIGIN}/webhooks/twilio/voice")));
    nobodys(&world);
    assert_eq!(wrong(&diagnose()), ["owned"]);
    answer(&world, 401, &json!({"code": 20003}));
    assert_eq!(wrong(&diagnose()), ["account"]);
    world.doubles.http.answer(Err(HttpError::Unreachable));
    assert_eq!(wrong(&diagnose()), ["account"]);

    // With an account of its own the tenant's is asked.
    let own =
        json!({"account_sid": "AC00000000000000000000000000000002", "auth_token": "token-of-the-tenant-01"});
    let provider = "/api/v1/config/providers/twilio";
    let set = world.request(Method::PUT, provider, Some(&tenant.key), Some(&own));
    assert_eq!(set.status, 200, "{}", set.body);
    world.doubles.http.requests();
    owned(&world, &tenant.number, &format!("{ORIGIN}/webhooks/twilio/voice"));
    let found = diagnose();
    assert_eq!(
        (&found.json()["source"], wrong(&found)),
        (&json!("tenant"), vec!["fallback_method".to_owned()])
    );
    assert!(world.doubles.http.requests()[0].url.contains("AC00000000000000000000000000000002"));
    assert_eq!(world.count("select count(*) as n from audit_log where action = 'phone_number.diagnose'"), 5);
}
