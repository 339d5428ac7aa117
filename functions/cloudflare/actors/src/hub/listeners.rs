//! Who listens, and whether they still may.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use voicecore_api::live;
use voicecore_cloudflare_platform::app;
use voicecore_domain::hub::{ACCESS_ENDED, ACCESS_UNKNOWN, Schedule, Watcher};
use voicecore_types::{TenantId, set_of};
use worker::{Error, Result, WebSocket};

use super::{HubActor, SUBSCRIBER};

/// What is known of a socket, attached to it: it outlives hibernation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listener {
    /// Whose hub this is.
    pub(super) tenant_id: TenantId,
    /// Who opened the socket.
    pub(super) watcher: Watcher,
}

impl Listener {
    pub(super) fn attach(self, socket: &WebSocket) -> Result<()> {
        let text = serde_json::to_string(&self).map_err(|error| Error::RustError(error.to_string()))?;
        socket.serialize_attachment(text)
    }

    fn of(socket: &WebSocket) -> Option<Self> {
        let text: String = socket.deserialize_attachment().ok().flatten()?;
        serde_json::from_str(&text).ok()
    }
}

impl HubActor {
    pub(super) fn listeners(&self) -> Vec<WebSocket> {
        self.state.get_websockets_with_tag(SUBSCRIBER)
    }

    /// Closes the sockets of those who may not listen any more; after too many looks that came to nothing, all of them. The next
    /// look is planned as long as anybody listens.
    pub(super) async fn look(&self) {
        let sockets: Vec<_> =
            self.listeners().into_iter().map(|socket| (Listener::of(&socket), socket)).collect();
        let known: Vec<_> = sockets.iter().filter_map(|(listener, _)| *listener).collect();
        let may = self.may_listen(&known).await;
        let mut given_up = false;
        self.change(|schedule, _| given_up = schedule.looked(may.is_some()));
        let mut left = 0;
        for (listener, socket) in sockets {
            let code = match (&may, listener) {
                (Some(may), Some(listener)) if may.contains(&listener.watcher) => None,
                (Some(_), _) | (None, None) => Some(ACCESS_ENDED),
                (None, Some(_)) => given_up.then_some(ACCESS_UNKNOWN),
            };
            match code {
                // Fails on a socket that is closing.
                Some(code) => drop(socket.close::<&str>(Some(code), None)),
                None => left += 1,
            }
        }
        // Who came in the meantime was looked at when they came.
        if left > 0 || !self.listeners().is_empty() {
            self.change(Schedule::is_watched);
        }
    }

    /// Those who may; `None`: nobody can be asked.
    pub(super) async fn may_listen(&self, listeners: &[Listener]) -> Option<BTreeSet<Watcher>> {
        // A hub is one tenant's.
        let Some(Listener { tenant_id, .. }) = listeners.first() else { return Some(BTreeSet::new()) };
        let watchers = set_of(listeners.iter().map(|listener| listener.watcher));
        let watchers: Vec<_> = watchers.into_iter().collect();
        let app = app(&self.env);
        let may = live::may_listen(&app.state, *tenant_id, &watchers).await;
        may.inspect_err(|error| worker::console_error!("it is not known who may listen: {error}")).ok()
    }
}
