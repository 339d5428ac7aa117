//! The dashboard below `/app/`, the reference of the API at `/docs` and its document: what on Workers the static assets are (`wrangler.toml`), with the
//! same headers, for both read the same `_headers` of the built dashboard.
//!
//! The files are the application's (`files` in `spin.toml`), which the host shows a component read-only; embedded they would be compiled and
//! held by every instance. Nor are they a second component's: a file server of others would have to be fetched from where not everybody
//! who builds may reach, and knows neither `_headers` nor that an address which is no file is a page.
//!
//! **Invariants:** no path outside of the folder is ever opened (`file`); what is no file of ours is the router's to answer.

use std::hash::{DefaultHasher, Hasher as _};

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

/// Where `spin.toml` puts what `cargo xtask build` has packed (`functions/dashboard/pack.mjs`).
const FOLDER: &str = "/dashboard";
/// Which addresses have which headers, as Workers read it.
const HEADERS: &str = "_headers";
/// The page of every address below `/app/` that is no file.
const PAGE: &str = "index.html";
/// The page at `/docs`.
const REFERENCE: &str = "docs.html";
/// What it shows: the OpenAPI document.
const DOCUMENT: &str = "api/v1/openapi.json";
/// Files whose names tell their contents; nothing there is a page.
const HASHED: &str = "assets/";
/// What Workers say where `_headers` says nothing.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");
/// What a packed file may have beside it: how a client names it, and how its name ends. The smaller ones first.
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];
/// The largest file that is sent: twice the reference's script.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Read at once.
const PART_BYTES: u64 = 256 * 1024;

/// The answer to a request for a file or a page; `None`: it is for neither.
pub(crate) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    if path == "/docs/" {
        return Some(empty(StatusCode::TEMPORARY_REDIRECT, LOCATION, HeaderValue::from_static("/docs")));
    }
    let name = file(path)?;
    let (content_type, is_text) = kind(name)?;
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Some(empty(StatusCode::METHOD_NOT_ALLOWED, ALLOW, HeaderValue::from_static("GET, HEAD")));
    }
    let (bytes, encoding) = best(name, is_text, headers)?;
    let mut response = Response::new(Body::empty());
    let mut said = configured(path);
    said.entry(CACHE_CONTROL).or_insert(ASK_AGAIN);
    let tag = tag(&bytes);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        said.insert(ETAG, tag);
    }
    if is_text {
        said.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_known(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        said.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(encoding) = encoding {
            said.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        said.insert(CONTENT_LENGTH, bytes.len().into());
        if method == Method::GET {
            *response.body_mut() = Body::from(bytes);
        }
    }
    *response.headers_mut() = said;
    Some(response)
}

/// The file of an address, from the folder. Each part of it is plain, so that none leads out of the folder or to what is hidden.
fn file(path: &str) -> Option<&str> {
    let plain = |part: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(known)
    };
    match path {
        "/docs" => return Some(REFERENCE),
        "/app" => return Some(PAGE),
        "/api/v1/openapi.json" => return Some(DOCUMENT),
        _ => {}
    }
    let below = path.strip_prefix("/app/")?;
    let last = below.rsplit('/').next().unwrap_or_default();
    if !last.contains('.') && !below.starts_with(HASHED) {
        return Some(PAGE);
    }
    if below.split('/').all(plain) { path.strip_prefix('/') } else { None }
}

/// What a file is by its name, and whether it is text, which is packed. Of another kind there is none.
fn kind(name: &str) -> Option<(&'static str, bool)> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => ("text/css; charset=utf-8", true),
        "html" => ("text/html; charset=utf-8", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "json" => ("application/json", true),
        "png" => ("image/png", false),
        "svg" => ("image/svg+xml", true),
        "webmanifest" => ("application/manifest+json", true),
        "woff2" => ("font/woff2", false),
        _ => return None,
    })
}

/// The smallest of what lies there that the client takes, and how it is packed.
fn best(name: &str, is_text: bool, headers: &HeaderMap) -> Option<(Vec<u8>, Option<&'static str>)> {
    let packed = PACKED.into_iter().filter(|(encoding, _)| is_text && takes(headers, encoding));
    let mut packed =
        packed.filter_map(|(encoding, end)| Some((read(&format!("{name}{end}"))?, Some(encoding))));
    packed.next().or_else(|| Some((read(name)?, None)))
}

/// Whether `Accept-Encoding` has it, and not with a weight of nothing.
fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case(encoding) && weight.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
    })
}

/// A file of the folder, which one host shows as it is and another below the root of all that a component may see.
///
/// The interface itself, and not the standard library, whose files take 4 kB more of the component (gzipped) and import what writes them, too.
fn read(name: &str) -> Option<Vec<u8>> {
    let path = format!("{FOLDER}/{name}");
    get_directories().into_iter().find_map(|(directory, shown)| {
        let path = path.strip_prefix(shown.trim_end_matches('/'))?.strip_prefix('/')?;
        let file = directory.open_at(PathFlags::empty(), path, OpenFlags::empty(), DescriptorFlags::READ);
        contents(&file.ok()?)
    })
}

fn contents(file: &Descriptor) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BYTES {
        let (part, is_last) = file.read(PART_BYTES, bytes.len() as u64).ok()?;
        bytes.extend(part);
        if is_last {
            return Some(bytes);
        }
    }
    None
}

/// The headers that `_headers` has for an address. It has lines of addresses, the end of which may be left open by a `*`, each with its
/// headers below it, indented, and lines that begin with `#`.
fn configured(path: &str) -> HeaderMap {
    let mut said = HeaderMap::new();
    let text = read(HEADERS).and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
    let mut concerned = false;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            concerned = match line.strip_suffix('*') {
                Some(begin) => path.starts_with(begin),
                None => path == line,
            };
        } else if concerned && let Some((name, value)) = line.split_once(':') {
            let name = HeaderName::from_bytes(name.trim().as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
                said.append(name, value);
            }
        }
    }
    said
}

/// Another for other contents. Nobody has to be kept from making two alike, and every instance has to make the same.
fn tag(bytes: &[u8]) -> String {
    let mut hash = DefaultHasher::new();
    hash.write(bytes);
    format!("\"{:016x}{:x}\"", hash.finish(), bytes.len())
}

/// Whether the client has it already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn empty(status: StatusCode, name: HeaderName, value: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    response
}
