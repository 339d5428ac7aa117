use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;
use voicecore_ports::{ActorError, Actors, BoxFuture, Http, HttpError, HttpRequest, HttpResponse};
use voicecore_types::{CallId, TenantId};

use super::memory::lock;

/// Answers requests in the order that the test has put answers in; without one, nobody is there.
#[derive(Debug, Default)]
pub struct ScriptedHttp {
    answers: Mutex<VecDeque<Result<HttpResponse, HttpError>>>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl ScriptedHttp {
    /// The next request that has no answer yet gets this one.
    pub fn answer(&self, answer: Result<HttpResponse, HttpError>) {
        lock(&self.answers).push_back(answer);
    }

    /// Takes every request that was made, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        std::mem::take(&mut lock(&self.requests))
    }
}

impl Http for ScriptedHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        lock(&self.requests).push(request);
        let answer = lock(&self.answers).pop_front().unwrap_or(Err(HttpError::Unreachable));
        Box::pin(async move { answer })
    }
}

/// Which actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorName {
    /// A call's.
    Call(CallId),
    /// A tenant's hub.
    Hub(TenantId),
}

type Answer = Box<dyn Fn(ActorName, &Json) -> Result<Json, ActorError> + Send>;

/// Notes every command and answers as the test says; until it says something, no actor can be reached.
#[derive(Default)]
pub struct RecordingActors {
    answer: Mutex<Option<Answer>>,
    absent: AtomicBool,
    commands: Mutex<Vec<(ActorName, Json)>>,
}

impl RecordingActors {
    /// From now on commands are answered by `answer`.
    pub fn answer_with(
        &self,
        answer: impl Fn(ActorName, &Json) -> Result<Json, ActorError> + Send + 'static,
    ) {
        *lock(&self.answer) = Some(Box::new(answer));
    }

    /// From now on the platform has no actors.
    pub fn remove(&self) {
        self.absent.store(true, Ordering::SeqCst);
        self.answer_with(|_, _| Err(ActorError::Unsupported));
    }

    /// Takes every command that was sent, in order.
    pub fn commands(&self) -> Vec<(ActorName, Json)> {
        std::mem::take(&mut lock(&self.commands))
    }

    fn send(&self, to: ActorName, command: Json) -> BoxFuture<'_, Result<Json, ActorError>> {
        let reply = lock(&self.answer).as_ref().map_or(Err(ActorError::Unavailable), |f| f(to, &command));
        lock(&self.commands).push((to, command));
        Box::pin(async move { reply })
    }
}

impl Actors for RecordingActors {
    fn available(&self) -> bool {
        !self.absent.load(Ordering::SeqCst)
    }

    fn call(&self, call: CallId, command: Json) -> BoxFuture<'_, Result<Json, ActorError>> {
        self.send(ActorName::Call(call), command)
    }

    fn hub(&self, tenant: TenantId, command: Json) -> BoxFuture<'_, Result<Json, ActorError>> {
        self.send(ActorName::Hub(tenant), command)
    }
}
