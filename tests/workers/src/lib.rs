//! The conformance suites as a worker, over the ports of the product's (`functions/cloudflare/platform`). `POST /<suite>` runs one: 200,
//! or an error with the broken promise in the worker's log.
//!
//! `/db` is the suite of whichever database the product would take: PostgreSQL where `HYPERDRIVE` is bound, else D1.

use std::sync::Arc;

use serde_json::Value;
use voicecore_cloudflare_platform::ports;
use voicecore_conformance::{actors, blob, clock, db, http, kv, queue, rate_limits, rng};
use voicecore_ports::Ports;
use voicecore_types::Quota;
use worker::{Context, Env, MessageBatch, MessageExt as _, Request, Response, Result, event};

/// Jobs that the consumer below has been given: what was delivered, for the suite to find.
const DELIVERED: &str = "delivered/";
/// The suite sends fewer.
const MAX_DELIVERED: u32 = 100;

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let ports = ports::all(&env);
    let url = request.url()?;
    // What a suite has to know of where it runs.
    let said: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
    let said = |at: usize| said.get(at).map(String::as_str).unwrap_or_default();
    match request.path().as_str() {
        "/db" => db::suite(ports.db).await,
        "/blob" => blob::suite(ports.blob).await,
        "/kv" => kv::suite(ports.kv, "probe").await,
        "/queue" => {
            queue::suite(Arc::clone(&ports.queue), Arc::clone(&ports.clock), async || {
                delivered(&ports).await
            })
            .await;
        }
        "/http" => http::suite(ports.http, said(0), said(1)).await,
        "/clock" => clock::suite(ports.clock).await,
        "/rng" => rng::suite(&ports.rng),
        // What the harness gives the binding.
        "/rate-limits" => {
            let quota = Quota::per_minute(said(0).parse().unwrap_or_default());
            rate_limits::suite(ports.rate_limits, "probe", quota).await;
        }
        "/actors" => actors::suite(ports.actors, ports.clock.now(), ports.rng).await,
        _ => return Response::error("no such suite", 404),
    }
    Response::ok("passed")
}

/// As the product's consumer takes jobs: as text.
#[event(queue)]
async fn consume(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    let ports = ports::all(&env);
    for message in batch.messages()? {
        let key = format!("{DELIVERED}{}", message.id());
        let kept = ports.blob.put(&key, message.body().clone().into_bytes()).await;
        assert!(kept.is_ok(), "{kept:?}");
    }
    Ok(())
}

/// What has come since this was last asked.
async fn delivered(ports: &Ports) -> Vec<Value> {
    let mut jobs = Vec::new();
    for key in ports.blob.list(DELIVERED, MAX_DELIVERED).await.unwrap_or_default() {
        let text = ports.blob.get(&key).await.ok().flatten().unwrap_or_default();
        jobs.extend(serde_json::from_slice::<Value>(&text));
        let deleted = ports.blob.delete(&key).await;
        assert!(deleted.is_ok(), "{deleted:?}");
    }
    jobs
}
