//! How a socket to the model is opened.

use voicecore_call::OpenModel;
use voicecore_types::Secret;

use crate::{Config, ConfigMissing};

/// A WebSocket upgrade request to the model's provider. No `OpenAI-Beta` header: that one asks for the protocol of before
/// general availability.
#[derive(Debug, Clone)]
pub struct ModelRequest {
    /// Absolute `http(s)` address: a socket is opened on Workers by a `fetch` with `Upgrade: websocket`.
    pub url: String,
    /// Value of the `Authorization` header.
    pub authorization: Secret<String>,
}

/// The request for what the call machine asks to open.
pub fn model_request(config: &Config, open: &OpenModel) -> Result<ModelRequest, ConfigMissing> {
    let base = config.openai.base_url.get()?;
    let key = config.openai.api_key.get()?;
    Ok(ModelRequest {
        url: format!("{base}{}", open.path),
        authorization: Secret::new(format!("Bearer {}", key.expose())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn path_goes_below_the_base() {
        let open = OpenModel { path: "/realtime?model=gpt-realtime-2.1".to_owned() };
        let request = model_request(&testing::config(), &open).unwrap();
        assert_eq!(request.url, "https://api.openai.com/v1/realtime?model=gpt-realtime-2.1");
        assert!(!format!("{request:?}").contains("sk-"));
        let local = testing::config_with("OPENAI_BASE_URL", "http://127.0.0.1:19400/v1/");
        assert_eq!(
            model_request(&local, &open).unwrap().url,
            "http://127.0.0.1:19400/v1/realtime?model=gpt-realtime-2.1"
        );
    }

    #[test]
    fn missing_key_is_named() {
        let config = testing::config_with("OPENAI_API_KEY", "");
        let open = OpenModel { path: "/realtime".to_owned() };
        assert_eq!(model_request(&config, &open).unwrap_err().name, "OPENAI_API_KEY");
    }
}
