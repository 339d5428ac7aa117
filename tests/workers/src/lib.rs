//! The conformance suites as a worker, over the ports of the product's (`functions/cloudflare/platform`). `POST /<suite>` runs one: 200,
//! or an error with the broken promise in the worker's log.
//!
//! `/db` is the suite of whichever database the product would take: PostgreSQL where `HYPERDRIVE` is bound, else D1.

use voicecore_cloudflare_platform::ports;
use voicecore_conformance::{blob, db, kv};
use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let ports = ports::all(&env);
    match request.path().as_str() {
        "/db" => db::suite(ports.db).await,
        "/blob" => blob::suite(ports.blob).await,
        "/kv" => kv::suite(ports.kv, "probe").await,
        _ => return Response::error("no such suite", 404),
    }
    Response::ok("passed")
}
