//! Whatever a request says of where it comes from, nothing of it is stored or logged (property A12). The client of these tests and the
//! simulated Twilio say it with every request (`voicecore_sim::whereabouts`); when a case is over and the system has ended, its storage
//! (D1, KV, R2, Durable Objects; a host's databases; free pages and write-ahead logs included) and its log are searched, byte by byte.

use std::path::Path;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use voicecore_sim::whereabouts::{ALL, HEADERS};

/// What the client says with every request, unless the request says otherwise.
pub fn headers() -> HeaderMap {
    HEADERS
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

/// What is wrong with what a system has left in its folder. `kept`: something that it has stored there, which must be found, or else
/// nothing has been searched.
pub fn problems(state: &Path, kept: Option<&str>) -> std::io::Result<Vec<String>> {
    let (mut problems, mut found, mut folders) = (Vec::new(), false, vec![state.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path)?;
                let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
                found |= kept.is_some_and(holds);
                problems.extend(ALL.into_iter().filter(|text| holds(text)).map(|text| {
                    format!("{} holds {text}, which was said of where somebody is", path.display())
                }));
            }
        }
    }
    if let Some(kept) = kept.filter(|_| !found) {
        problems.push(format!("{kept} is not found in {}: was it searched?", state.display()));
    }
    Ok(problems)
}
