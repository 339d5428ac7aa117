//! The suite that every platform must pass, on the router itself: what fails here is wrong in the suite or in the router.

use axum::body::Body;
use axum::http::Request;
use voicecore_conformance::doubles::{PostgresDb, TestDb};
use voicecore_conformance::http_api::{Answer, Ask, Site, suite};
use voicecore_conformance::{block_on, report};

use crate::world::{ACCOUNT, AUTH_TOKEN, ORIGIN, World};

#[test]
fn the_router_passes_the_http_suite() {
    passes(&World::new());
}

#[test]
fn the_router_passes_the_http_suite_on_postgres() {
    passes(&World::on_database(TestDb::Postgres(PostgresDb::migrated())));
}

fn passes(world: &World) {
    let token = world.setup_token();
    let answer = |ask: Ask| {
        let mut request = Request::builder().method(ask.method).uri(&ask.path);
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let reply = world.send(request.body(Body::from(ask.body)).unwrap());
        let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        Answer {
            status: reply.status.as_u16(),
            headers: reply.headers.iter().map(header).collect(),
            body: reply.body.into_bytes(),
        }
    };
    let site = Site {
        send: &|ask| {
            let answer = answer(ask);
            Box::pin(async { Ok(answer) })
        },
        public_url: ORIGIN,
        account_sid: ACCOUNT,
        auth_token: AUTH_TOKEN,
        setup_token: token.expose(),
        setup_email: "owner@example.com",
        number: "+12025550150",
    };
    assert!(block_on(suite(&site)) > 0);
    report::passed("HTTP API", world.doubles.db.backend());
}
