//! The dashboard and the reference of the API, which the component serves from files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Case;
use crate::host::{App, Host, Kind, root};

/// What a client says that takes what is packed.
const BROWSER: &str = "gzip, deflate, br, zstd";
/// An address of a page, which is no file.
const PAGE: &str = "/app/calls/0199a3c2-7d5e-7000-8000-000000000001";

/// Every case by its name.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    cases!(
        every_address_below_app_is_the_page_or_a_file,
        files_have_the_headers_that_workers_give_them,
        a_file_is_packed_for_whoever_takes_it_and_not_sent_twice,
        nothing_but_what_was_built_is_served,
    )
}

fn dist() -> PathBuf {
    root().join("functions/dashboard/dist")
}

/// The address of the page's own script, whose name tells its contents.
fn script() -> Result<String> {
    let page = std::fs::read_to_string(dist().join("index.html"))?;
    let (_, rest) = page.split_once("src=\"/app/assets/").context("the page has no script")?;
    Ok(format!("/app/assets/{}", rest.split('"').next().unwrap_or_default()))
}

async fn get(host: &Host, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
    let request = host.client().get(host.url(path));
    Ok(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await?)
}

fn said<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn every_address_below_app_is_the_page_or_a_file(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let (page, docs) = (dist().join("index.html"), dist().join("docs.html"));
    let script = script()?;
    let file = dist().join(&script[1..]);
    for (path, file, content_type) in [
        ("/app", &page, "text/html; charset=utf-8"),
        ("/app/", &page, "text/html; charset=utf-8"),
        (PAGE, &page, "text/html; charset=utf-8"),
        ("/app/calls?q=x.y&page=2", &page, "text/html; charset=utf-8"),
        ("/docs", &docs, "text/html; charset=utf-8"),
        (script.as_str(), &file, "text/javascript; charset=utf-8"),
        ("/app/icon.svg", &dist().join("app/icon.svg"), "image/svg+xml"),
        ("/app/icon-192.png", &dist().join("app/icon-192.png"), "image/png"),
        ("/api/v1/openapi.json", &dist().join("api/v1/openapi.json"), "application/json"),
        ("/app/manifest.webmanifest", &dist().join("app/manifest.webmanifest"), "application/manifest+json"),
    ] {
        let response = get(&host, path, &[]).await?;
        ensure!(response.status() == 200, "{path}: {}\n{}", response.status(), host.log());
        ensure!(said(response.headers(), "content-type") == content_type, "{path}: {:?}", response.headers());
        ensure!(response.bytes().await? == std::fs::read(file)?, "{path} is not {}", file.display());
    }
    // What is beside them stays the API's.
    let described: Value = get(&host, "/api/v1/openapi.json", &[]).await?.json().await?;
    ensure!(described["paths"]["/api/v1/calls"].is_object(), "this is not the document");
    for (path, status) in [("/api/v1/calls", 401), ("/health", 200), ("/", 404), ("/apple", 404)] {
        let found = get(&host, path, &[]).await?.status();
        ensure!(found == status, "{path}: {found}");
    }
    Ok(())
}

/// `_headers` as it is built, read by its own rules: an address, perhaps with an open end, and below it headers.
fn configured(path: &str) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(dist().join("_headers"))?;
    let (mut found, mut concerned) = (BTreeMap::new(), false);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ").and_then(|header| header.split_once(": ")) {
            Some((name, value)) if concerned => {
                ensure!(found.insert(name.to_lowercase(), value.to_owned()).is_none(), "{name} twice");
            }
            Some(_) => {}
            None => concerned = line.strip_suffix('*').map_or(path == line, |begin| path.starts_with(begin)),
        }
    }
    ensure!(found.contains_key("content-security-policy"), "{path} has no policy");
    Ok(found)
}

async fn files_have_the_headers_that_workers_give_them(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let script = script()?;
    for path in
        ["/app", PAGE, "/docs", "/api/v1/openapi.json", &script, "/app/service-worker.js", "/app/icon.svg"]
    {
        let mut wanted = configured(path)?;
        // Without a rule of its own it is asked for again each time.
        wanted.entry("cache-control".into()).or_insert_with(|| "public, max-age=0, must-revalidate".into());
        let response = get(&host, path, &[]).await?;
        for (name, value) in wanted {
            ensure!(said(response.headers(), &name) == value, "{path}, {name}: {:?}", response.headers());
        }
    }
    let immutable = said(get(&host, &script, &[]).await?.headers(), "cache-control").contains("immutable");
    ensure!(immutable, "what never changes is asked for again");
    let worker = get(&host, "/app/service-worker.js", &[]).await?;
    ensure!(said(worker.headers(), "service-worker-allowed") == "/app", "{:?}", worker.headers());
    Ok(())
}

async fn a_file_is_packed_for_whoever_takes_it_and_not_sent_twice(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let script = script()?;
    let whole = std::fs::metadata(dist().join(&script[1..]))?.len();
    for (takes, encoding) in [
        ("", ""),
        ("identity", ""),
        ("GZIP", "gzip"),
        (BROWSER, "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.0", ""),
        ("brotli, x-gzip", ""),
    ] {
        let response = get(&host, &script, &[("accept-encoding", takes)]).await?;
        let headers = response.headers().clone();
        ensure!(said(&headers, "content-encoding") == encoding, "{takes}: {headers:?}");
        ensure!(said(&headers, "vary") == "accept-encoding", "{takes}: {headers:?}");
        let tag = said(&headers, "etag").to_owned();
        let sent = response.bytes().await?.len();
        ensure!(said(&headers, "content-length") == sent.to_string(), "{takes}: {headers:?}");
        ensure!((sent as u64 == whole) == encoding.is_empty(), "{takes}: {sent} of {whole}");
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let again = [("accept-encoding", takes), ("if-none-match", known.as_str())];
            let again = get(&host, &script, &again).await?;
            ensure!(again.status() == 304 && said(again.headers(), "etag") == tag, "{known}: {again:?}");
            ensure!(again.bytes().await?.is_empty(), "{known}: there is a body");
        }
        let other =
            get(&host, &script, &[("accept-encoding", takes), ("if-none-match", "\"other\"")]).await?;
        ensure!(other.status() == 200, "{other:?}");
        // HEAD says the same of it.
        let head = host.client().head(host.url(&script)).header("accept-encoding", takes).send().await?;
        ensure!(head.status() == 200, "{head:?}");
        for name in ["content-type", "content-encoding", "content-length", "etag", "cache-control"] {
            ensure!(said(head.headers(), name) == said(&headers, name), "{name}: {head:?}");
        }
        ensure!(head.bytes().await?.is_empty());
    }
    // What gets no smaller is as it is.
    let icon = get(&host, "/app/icon-192.png", &[("accept-encoding", BROWSER)]).await?;
    ensure!(said(icon.headers(), "content-encoding").is_empty() && said(icon.headers(), "vary").is_empty());
    Ok(())
}

/// As it is written: a client would tidy it up first.
async fn raw(host: &Host, target: &str) -> Result<(u16, String)> {
    let address = host.url("").trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.with_context(|| format!("{target}: {answer}"))?, answer))
}

async fn nothing_but_what_was_built_is_served(kind: Kind) -> Result<()> {
    let host = Host::start(kind, App::Product).await?;
    let script = script()?;
    let packed = format!("{script}.br");
    for target in [
        "/app/assets/nothing.js",
        "/app/assets/",
        "/app/assets/nothing",
        "/app/nothing.js",
        "/app/nothing.php",
        &packed,
        "/index.html",
        "/docs.html",
        "/_headers",
        "/app/..",
        "/app/../index.html",
        "/app/assets/../../index.html",
        "/app/assets/../../docs.html",
        "/app/./icon.svg",
        "/app//icon.svg",
        "/app/%2e%2e/index.html",
        "/app/assets/..%2f..%2findex.html",
        "/app/..%5cindex.html",
        "/app/.hidden.js",
        "/app/%00.js",
        "/app//dashboard/index.html",
    ] {
        let (status, answer) = raw(&host, target).await?;
        ensure!(status == 404 && answer.contains("\"code\":\"not_found\""), "{target}: {answer}");
    }
    // Pages, as strange as their addresses are.
    for target in ["/app/../_headers", "/app/../../etc/passwd", "/app/%ff"] {
        let (status, answer) = raw(&host, target).await?;
        ensure!(status == 200 && answer.contains("<div id=\"root\">"), "{target}: {answer}");
    }
    for path in ["/app/", "/docs", script.as_str()] {
        let post = host.client().post(host.url(path)).body("x").send().await?;
        ensure!(post.status() == 405 && said(post.headers(), "allow") == "GET, HEAD", "{path}: {post:?}");
    }
    let health: Value = get(&host, "/health", &[]).await?.json().await?;
    ensure!(health.is_object() && !host.log().contains("panic"), "{}", host.log());
    Ok(())
}
