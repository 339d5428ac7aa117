use voicecore_ports::{BoxFuture, Queue, QueueError};
use worker::Env;
use worker::send::SendFuture;

use super::binding;

/// The port's limit; Queues itself takes 128 KB.
const MAX_JOB_BYTES: usize = 64 * 1024;

/// Workers Queues. A job travels as JSON text: the conversion of a JSON tree to JavaScript objects and back is spared.
pub(crate) struct WorkersQueue {
    env: Env,
}

impl WorkersQueue {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Queue for WorkersQueue {
    fn send<'a>(&'a self, job: &'a serde_json::Value) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(SendFuture::new(async move {
            let text = job.to_string();
            if text.len() > MAX_JOB_BYTES {
                return Err(QueueError);
            }
            let queue = self.env.queue(binding::JOBS).map_err(|_| QueueError)?;
            queue.send(text).await.map_err(|_| QueueError)
        }))
    }
}
