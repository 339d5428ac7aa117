mod actor;
mod doorway;
mod ending;
mod model;
mod session;

use std::rc::Rc;

use voicecore_api::actors::CallCommand;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, Socket, State, WebSocket, durable_object,
};
use worker::{WebSocketIncomingMessage, WebSocketPair};

use self::actor::Actor;
use super::COMMAND_PATH;

/// The actor of one call, named by its id: it holds both sockets and the call machine, and lives as long as the call.
///
/// It never hibernates (an outbound socket pins it), so its sockets are plain ones and the hibernation handlers are not
/// called. They are implemented all the same: the defaults panic.
#[durable_object]
pub struct CallActor {
    actor: Rc<Actor>,
}

impl DurableObject for CallActor {
    fn new(state: State, env: Env) -> Self {
        voicecore_cloudflare_platform::install_hook();
        Self { actor: Actor::new(&state, &env) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        if request.path() == COMMAND_PATH {
            let command: CallCommand = request.json().await?;
            return Response::from_json(&self.actor.command(command).await?);
        }
        // Everything else was let through by the gateway as the upgrade of a media socket of this call.
        let pair = WebSocketPair::new()?;
        self.actor.open_stream(pair.server.as_ref())?;
        Response::from_websocket(pair.client)
    }

    async fn alarm(&self) -> Result<Response> {
        self.actor.alarm().await?;
        Response::empty()
    }

    async fn connect(&self, _socket: Socket) -> Result<()> {
        Ok(())
    }

    async fn websocket_message(&self, _socket: WebSocket, _message: WebSocketIncomingMessage) -> Result<()> {
        Ok(())
    }

    async fn websocket_close(&self, _: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        Ok(())
    }

    async fn websocket_error(&self, _socket: WebSocket, _error: Error) -> Result<()> {
        Ok(())
    }
}
