//! VoiceCore on Cloudflare Workers, the script in front: webhooks, the API, jobs. No rule of the business is here. Calls and hubs
//! live in a script of their own (`actors/`).
//!
//! **Invariant:** nothing panics on input. A panic ends the wasm instance, and with it every request in the isolate.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::string_slice))]

mod gateway;

use voicecore_api::jobs;
use voicecore_cloudflare_platform::{app, install_hook};
use worker::{
    Context, Env, MessageBatch, MessageExt as _, QueueRetryOptionsBuilder, Request, Response, Result,
    ScheduleContext, ScheduledEvent, event,
};

/// A job that failed is delivered again after this long (`wrangler.toml` says how often).
const RETRY_DELAY_SECS: u32 = 30;

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    install_hook();
    gateway::serve(&app(&env), request).await
}

/// Never an error: `worker` turns one into a panic. A job that fails is marked for another delivery by itself.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    install_hook();
    let app = app(&env);
    for message in batch.raw_iter() {
        let job = message.body().as_string().and_then(|text| serde_json::from_str(&text).ok());
        let Some(job) = job else {
            // It will not become JSON by being delivered again.
            worker::console_error!("a queue message is not a job");
            message.ack();
            continue;
        };
        match jobs::handle(&app.state, job).await {
            Ok(()) => message.ack(),
            Err(error) => {
                worker::console_error!("a job failed: {error}");
                let retry = QueueRetryOptionsBuilder::new().with_delay_seconds(RETRY_DELAY_SECS).build();
                message.retry_with_options(&retry);
            }
        }
    }
    Ok(())
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    install_hook();
    if let Err(error) = jobs::scheduled(&app(&env).state).await {
        worker::console_error!("the scheduled job failed: {error}");
    }
}
