//! Versions of what several people configure: what is meant for another version is not made, whatever is changed.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::keyed::requests;
use crate::world::World;

/// How each is changed, and how it is taken away.
const NOUNS: [[&str; 2]; 6] = [
    ["PUT /api/v1/departments/{id}", "DELETE /api/v1/departments/{id}"],
    ["PUT /api/v1/roles/{id}", "DELETE /api/v1/roles/{id}"],
    ["PATCH /api/v1/users/{id}", "DELETE /api/v1/users/{id}"],
    ["PUT /api/v1/phone-numbers/{id}", "DELETE /api/v1/phone-numbers/{id}"],
    ["PUT /api/v1/businesses/{id}/opening-hours", "DELETE /api/v1/businesses/{id}/opening-hours"],
    ["PUT /api/v1/config/providers/{provider}", "DELETE /api/v1/config/providers/{provider}"],
];

fn change(name: &str, target: &str, key: &str, tag: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::builder()
        .method(name.split(' ').next().unwrap())
        .uri(target)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(tag) = tag {
        request = request.header(header::IF_MATCH, tag);
    }
    request.body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) }).unwrap()
}

/// The tag of what is there now, as whoever looks at it sees it. Accounts at providers are listed only.
fn tag(world: &World, target: &str, key: &str) -> String {
    let Some(provider) = target.strip_prefix("/api/v1/config/providers/") else {
        return world.get(target, key).headers[header::ETAG].to_str().unwrap().to_owned();
    };
    let all = world.get("/api/v1/config/providers", key).json();
    let own = all["items"].as_array().unwrap().iter().find(|item| item["provider"] == provider).unwrap();
    format!("\"{}\"", own["version"])
}

fn after(tag: &str) -> String {
    format!("\"{}\"", tag.trim_matches('"').parse::<u64>().unwrap() + 1)
}

#[test]
fn a_change_is_made_of_the_version_that_it_is_meant_for_and_of_no_other() {
    let world = World::new();
    let tenant = world.tenant("+15005550001");
    let requests = requests(&world, &tenant);
    let mut names = (0..).map(|n| format!("Name {n}"));
    for [changed, deleted] in NOUNS {
        let body = |names: &mut dyn Iterator<Item = String>| {
            let mut body = requests[changed].1.clone();
            if let Some(name) = body.get_mut("name") {
                *name = json!(names.next());
            }
            body
        };
        for name in [changed, deleted] {
            let target = requests[name].0.as_str();
            // It is there.
            let first = world.send(change(changed, target, &tenant.key, Some("*"), &body(&mut names)));
            assert_eq!(first.status, 200, "{name}: {}", first.body);
            let shown = first.headers[header::ETAG].to_str().unwrap().to_owned();
            assert_eq!(tag(&world, target, &tenant.key), shown, "{name}");
            let said = |names: &mut dyn Iterator<Item = String>| {
                if name == changed { body(names) } else { Value::Null }
            };
            let send =
                |tag: Option<&str>, body: &Value| world.send(change(name, target, &tenant.key, tag, body));
            send(Some("\"999999\""), &said(&mut names)).assert_problem(412, "precondition_failed");
            let careless = (false, 409, "conflict");
            let mut races = vec![(true, 412, "precondition_failed")];
            if name == changed {
                // Nobody changes what they have not seen.
                let before = tag(&world, target, &tenant.key);
                send(None, &body(&mut names)).assert_problem(428, "precondition_required");
                assert_eq!(tag(&world, target, &tenant.key), before, "{name}");
            } else {
                races.push(careless);
            }
            // Somebody else is faster, between what is read and what is written.
            for (meant, status, code) in races {
                let before = tag(&world, target, &tenant.key);
                let quicker = change(changed, target, &tenant.key, Some("*"), &body(&mut names));
                let router = world.router.clone();
                world.db.before_change(Box::pin(async move {
                    assert_eq!(router.oneshot(quicker).await.unwrap().status(), 200);
                }));
                let reply = send(meant.then_some(before.as_str()), &said(&mut names));
                assert_eq!(reply.status, status, "{name}: {}", reply.body);
                reply.assert_problem(status, code);
                assert_eq!(tag(&world, target, &tenant.key), after(&before), "{name}");
            }
            let before = tag(&world, target, &tenant.key);
            let reply = send(Some(&before), &said(&mut names));
            assert!(reply.status.is_success(), "{name}: {}", reply.body);
            if name == changed {
                assert_eq!(reply.headers[header::ETAG], after(&before), "{name}");
                assert_eq!(tag(&world, target, &tenant.key), after(&before), "{name}");
            }
        }
    }
}
