//! The conformance suite of [`Queue`]: what the port promises, wherever jobs wait.
//!
//! What is delivered is a platform's own affair (a consumer, rows that a timer takes), so whoever runs the suite says what has come. What
//! becomes of a job that fails is tested where it is done: `tests/spin/probe` and the case `jobs` of tests/e2e.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use voicecore_ports::{Clock, Queue};
use voicecore_types::Millis;

/// The longest job, as JSON text.
const MAX_JOB_BYTES: usize = 64 * 1024;
/// Between two looks at what has come, and how many there are: half a minute.
const LOOK_AGAIN: Millis = Millis(200);
const LOOKS: u32 = 150;

/// A backend under test.
pub type SharedQueue = Arc<dyn Queue>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case. `delivered` says what has
/// come since it was last asked; what other runs have sent may be among it.
pub async fn suite(queue: SharedQueue, clock: Arc<dyn Clock>, delivered: impl AsyncFn() -> Vec<Json>) {
    println!("a_job_over_the_limit_is_refused");
    a_job_over_the_limit_is_refused(&*queue).await;
    println!("jobs_arrive_as_they_were_sent");
    jobs_arrive_as_they_were_sent(&*queue, &*clock, delivered).await;
}

/// A job whose JSON text has so many bytes.
fn of_bytes(bytes: usize) -> Json {
    // Two are its quotation marks.
    Json::String("x".repeat(bytes - 2))
}

async fn a_job_over_the_limit_is_refused(queue: &dyn Queue) {
    assert!(queue.send(&of_bytes(MAX_JOB_BYTES + 1)).await.is_err(), "one byte too many was taken");
    // Bytes, not characters.
    let of_two_bytes_each = Json::String("ü".repeat(MAX_JOB_BYTES / 2));
    assert!(queue.send(&of_two_bytes_each).await.is_err(), "characters are counted");
}

/// Each at least once, in whatever order, and the largest that is allowed.
async fn jobs_arrive_as_they_were_sent(
    queue: &dyn Queue,
    clock: &dyn Clock,
    delivered: impl AsyncFn() -> Vec<Json>,
) {
    let sent = [
        json!({"job": "one"}),
        json!({"job": "one", "nested": {"list": [1, -1, 9_007_199_254_740_991_i64, 0.5, null, true, {}, []]}}),
        json!({"text": "Jürgen \u{0}\t\n\"'\\ 世界 👩‍🍳 </script> %00 ;--"}),
        json!([]),
        of_bytes(MAX_JOB_BYTES),
    ];
    for job in &sent {
        assert!(queue.send(job).await.is_ok(), "a job was not taken: {:.80}", job.to_string());
    }
    let mut came = Vec::new();
    for _ in 0..LOOKS {
        came.extend(delivered().await);
        if sent.iter().all(|job| came.contains(job)) {
            return;
        }
        clock.sleep(LOOK_AGAIN).await;
    }
    let missing = sent.iter().filter(|job| !came.contains(job));
    let missing: Vec<_> = missing.map(|job| format!("{:.80}", job.to_string())).collect();
    assert!(missing.is_empty(), "did not come: {missing:?}");
}
