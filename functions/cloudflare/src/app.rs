use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use voicecore_api::{AppState, Config};
use worker::Env;

use crate::ports;

/// What every event of this isolate uses. A change of configuration or code is a new isolate, so this lives as long.
pub(crate) struct App {
    pub(crate) state: AppState,
    router: OnceCell<axum::Router>,
    pub(crate) config: Arc<Config>,
    pub(crate) env: Env,
}

thread_local! {
    static APP: OnceCell<Rc<App>> = const { OnceCell::new() };
}

/// The application over the bindings of `env`, built with the first event.
pub(crate) fn app(env: &Env) -> Rc<App> {
    APP.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(App::new(env)))))
}

impl App {
    fn new(env: &Env) -> Self {
        let config = Arc::new(Config::from_lookup(&|name| env.var(name).ok().map(|value| value.to_string())));
        let state = AppState::new(ports::all(env), Arc::clone(&config));
        Self { router: OnceCell::new(), state, config, env: env.clone() }
    }

    /// The HTTP API. Made with the first request, because making it writes the OpenAPI document: an isolate that holds
    /// only actors is spared that.
    pub(crate) fn router(&self) -> axum::Router {
        self.router.get_or_init(|| voicecore_api::router(self.state.clone())).clone()
    }
}
