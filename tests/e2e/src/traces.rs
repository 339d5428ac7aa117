//! Whatever a request says of where it comes from, nothing of it is stored or logged (property A12). The client of these tests says it with
//! every request; when a case is over and workerd has ended, its storage (D1, KV, R2, Durable Objects, free pages and
//! write-ahead logs included) and its log are searched, byte by byte.

use std::path::Path;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::system::OWNER;

/// Where the client says that it is (reserved for documentation).
const ADDRESS: &str = "203.0.113.213";
/// The place that it says.
const PLACE: &str = "QXCANARYVILLE";
const ADDRESS_HEADERS: [&str; 4] = ["cf-connecting-ip", "x-forwarded-for", "x-real-ip", "true-client-ip"];
const PLACE_HEADERS: [&str; 3] = ["cf-ipcountry", "cf-ipcity", "cf-region"];

/// What the client says with every request, unless the request says otherwise.
pub(crate) fn headers() -> HeaderMap {
    let said = ADDRESS_HEADERS.map(|name| (name, ADDRESS)).into_iter();
    let said = said.chain(PLACE_HEADERS.map(|name| (name, PLACE)));
    said.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

/// What is wrong with what a system has left in its folder. `holds_rows`: its database lies there, too, so that the address of who set the
/// tenant up must be found, or else nothing has been searched.
pub(crate) fn problems(state: &Path, holds_rows: bool) -> anyhow::Result<Vec<String>> {
    let (mut problems, mut found_owner, mut folders) = (Vec::new(), false, vec![state.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path)?;
                let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
                found_owner |= holds_rows && holds(OWNER);
                problems.extend([ADDRESS, PLACE].into_iter().filter(|text| holds(text)).map(|text| {
                    format!("{} holds {text}, which a client said of where it is", path.display())
                }));
            }
        }
    }
    if holds_rows && !found_owner {
        problems.push(format!("the owner's address is not found in {}: was it searched?", state.display()));
    }
    Ok(problems)
}
