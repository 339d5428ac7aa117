use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use voicecore_api::{AppState, Config};
use worker::Env;

use crate::ports;

/// What every event of this isolate uses. A change of configuration or code is a new isolate, so this lives as long.
pub struct App {
    /// The ports over the bindings, and the configuration.
    pub state: AppState,
    /// As the variables and secrets say.
    pub config: Arc<Config>,
    /// The bindings.
    pub env: Env,
}

thread_local! {
    static APP: OnceCell<Rc<App>> = const { OnceCell::new() };
}

/// The application over the bindings of `env`, built with the first event.
pub fn app(env: &Env) -> Rc<App> {
    APP.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(App::new(env)))))
}

impl App {
    fn new(env: &Env) -> Self {
        let config = Arc::new(Config::from_lookup(&|name| env.var(name).ok().map(|value| value.to_string())));
        Self { state: AppState::new(ports::all(env), Arc::clone(&config)), config, env: env.clone() }
    }
}
