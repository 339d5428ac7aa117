//! The mails of the simulated service as a page for people: what `dev` has sent, with links that can be opened.

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::email::Sent;

/// Nothing of a mail runs, loads or sends anything here, whatever it holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What begins a link.
const SCHEMES: [&str; 2] = ["https://", "http://"];
const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
    <title>Mails</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
    article{border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:.5rem;padding:1rem;margin:1rem 0;overflow-wrap:anywhere}\
    h2{font-size:1rem;margin:0}p{margin:.25rem 0;opacity:.75}pre{white-space:pre-wrap;font:inherit;margin:.75rem 0 0}</style>\
    <h1>Mails</h1><p>Sent by this system, the newest first. They have gone nowhere: the service is simulated.</p>";

/// The newest first.
pub(crate) fn page(mails: &[Sent]) -> Response {
    let mut html = HEAD.to_owned();
    if mails.is_empty() {
        html.push_str("<p>None yet. Invite somebody, or ask for a new password.</p>");
    }
    for mail in mails {
        let (subject, to, from) = (escape(&mail.subject), escape(&mail.to.join(", ")), escape(&mail.from));
        let text = if mail.text.is_empty() { &mail.html } else { &mail.text };
        // Writing to a string does not fail.
        let _ = write!(
            html,
            "<article><h2>{subject}</h2><p>To {to}, from {from}</p><pre>{}</pre></article>",
            linked(text)
        );
    }
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)], html)
        .into_response()
}

/// A text as HTML, its addresses as links.
fn linked(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        if SCHEMES.iter().any(|scheme| word.starts_with(scheme)) {
            let (address, blank) = (escape(word), &part[word.len()..]);
            let _ = write!(html, "<a rel=\"noreferrer\" href=\"{address}\">{address}</a>{blank}");
        } else {
            html.push_str(&escape(part));
        }
    }
    html
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_links_and_nothing_is_markup() {
        let text = "Go to\nhttps://x.example/a?b=\"><script>&c=1 now <b>";
        let html = linked(text);
        assert_eq!(
            html,
            "Go to\n<a rel=\"noreferrer\" href=\"https://x.example/a?b=&quot;&gt;&lt;script&gt;&amp;c=1\">\
             https://x.example/a?b=&quot;&gt;&lt;script&gt;&amp;c=1</a> now &lt;b&gt;"
        );
        assert_eq!(linked("javascript:alert(1) \"x\""), "javascript:alert(1) &quot;x&quot;");
    }
}
