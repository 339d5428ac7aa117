use std::time::Duration;

use serde_json::Value;
use voicecore_ports::{ActorError, Actors, BoxFuture};
use voicecore_types::{CallId, TenantId};
use worker::send::SendFuture;
use worker::{Env, Method, Request, RequestInit, Stub};

use super::{binding, within};

/// Where an actor takes commands. The host means nothing: a stub reaches its object whatever the address.
const COMMAND_URL: &str = "https://actor/command";
/// An actor that has not answered by then counts as unavailable. Somebody may wait on the line for what it says, and Twilio
/// waits three seconds for us: what is left must suffice for the answer that goes without it. A command that is carried out
/// all the same does no harm: a call takes each as often as it comes, and news that a hub did not confirm are not sent again.
const DEADLINE: Duration = Duration::from_millis(1_500);

/// Durable Objects, addressed by name: the id of the call or of the tenant.
pub(crate) struct DurableObjects {
    env: Env,
}

/// The name of an object: one spelling for those who call it and in every place.
pub fn object_name(id: impl std::fmt::Display) -> String {
    id.to_string()
}

impl DurableObjects {
    pub(crate) fn new(env: Env) -> Self {
        Self { env }
    }

    fn command(
        &self,
        binding: &'static str,
        name: String,
        command: Value,
    ) -> BoxFuture<'_, Result<Value, ActorError>> {
        Box::pin(SendFuture::new(async move {
            within(DEADLINE, self.answer(binding, &name, &command))
                .await
                .unwrap_or(Err(ActorError::Unavailable))
        }))
    }

    async fn answer(&self, binding: &'static str, name: &str, command: &Value) -> Result<Value, ActorError> {
        let stub = stub(&self.env, binding, name).ok_or(ActorError::Unavailable)?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(command.to_string().into()));
        let request = Request::new_with_init(COMMAND_URL, &init).map_err(|_| ActorError::Unavailable)?;
        let mut response = stub.fetch_with_request(request).await.map_err(|_| ActorError::Unavailable)?;
        if response.status_code() != 200 {
            return Err(ActorError::Unavailable);
        }
        let text = response.text().await.map_err(|_| ActorError::Unavailable)?;
        serde_json::from_str(&text).map_err(|_| ActorError::Unavailable)
    }
}

/// The stub of the object `name` behind `binding`.
pub fn stub(env: &Env, binding: &str, name: &str) -> Option<Stub> {
    env.durable_object(binding).ok()?.get_by_name(name).ok()
}

impl Actors for DurableObjects {
    fn available(&self) -> bool {
        true
    }

    fn call(&self, call: CallId, command: Value) -> BoxFuture<'_, Result<Value, ActorError>> {
        self.command(binding::CALL_ACTOR, object_name(call), command)
    }

    fn hub(&self, tenant: TenantId, command: Value) -> BoxFuture<'_, Result<Value, ActorError>> {
        self.command(binding::HUB_ACTOR, object_name(tenant), command)
    }
}
