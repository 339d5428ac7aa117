//! What handlers take out of requests. Every refusal is a problem document, and none repeats what was sent: it may hold a
//! phone number or a secret.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use voicecore_api_types::{FieldError, Page};
use voicecore_store::Cursor;
use voicecore_types::{CallId, Millis, Page as StoredPage, PageRequest};

use crate::described::wrong_fields;
use crate::error::ApiError;

/// The largest body of any request, in bytes. A larger one is answered 413.
pub const MAX_BODY_BYTES: usize = 65_536;
/// The longest parameter of a query, in bytes: ids and words are far shorter.
const MAX_PARAMETER_BYTES: usize = 512;
/// Wrong parameters that are named; a query has room for more.
const MAX_WRONG_PARAMETERS: usize = 20;
/// A name that nobody knows is longer than this: it is no slip of the pen, and is not repeated.
const MAX_NAME_BYTES: usize = 64;
const NUL_ESCAPE: &[u8] = b"\\u0000";

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !has_media_type(request.headers(), "application/json") {
            return Err(ApiError::UnsupportedMediaType);
        }
        let method = request.method().clone();
        let path = request.extensions().get::<MatchedPath>().cloned();
        let bytes = Bytes::from_request(request, state).await.map_err(|e| body_error(&e))?;
        // serde_json stops at a depth of 128 by itself.
        let body = serde_json::from_slice(&bytes).map_err(|error| {
            // Of a value where a word was expected serde_json speaks as of broken JSON: only reading it all tells.
            let value = serde_json::from_slice(&bytes).ok();
            if value.is_none() && !error.is_data() {
                return not_json(&error);
            }
            let wrong = value.zip(path).map(|(value, path)| wrong_fields(&method, path.as_str(), &value));
            match wrong.filter(|wrong| !wrong.is_empty()) {
                Some(wrong) => ApiError::Invalid(wrong),
                None => json_error(&error),
            }
        })?;
        match nul_fields(&bytes).as_slice() {
            [] => Ok(Self(body)),
            fields => Err(holds_nul(fields)),
        }
    }
}

/// Fields of a JSON body whose text holds the character U+0000: not every database can store it.
fn nul_fields(body: &[u8]) -> Vec<String> {
    // It can only be written as an escape. Bodies without one, which are all honest ones, are not looked at any further.
    if !body.windows(NUL_ESCAPE.len()).any(|part| part == NUL_ESCAPE) {
        return vec![];
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_slice(body) {
        collect_nul(&value, String::new(), &mut found);
    }
    found
}

/// Recurses no deeper than `serde_json` has read.
fn collect_nul(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        serde_json::Value::String(text) if text.contains('\0') => found.push(path),
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_nul(item, below(&index.to_string()), found);
            }
        }
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                collect_nul(member, below(name), found);
            }
        }
        _ => {}
    }
}

fn holds_nul(fields: &[String]) -> ApiError {
    let message = "holds the character U+0000";
    let error = |field: &String| FieldError { field: field.clone(), message: message.to_owned() };
    ApiError::Invalid(fields.iter().map(error).collect())
}

/// A body could not be read.
pub(crate) fn body_error(rejection: &BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::PayloadTooLarge,
        _ => ApiError::Malformed("The body could not be read.".to_owned()),
    }
}

/// A body that is not the JSON that was expected.
pub(crate) fn not_json(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::Malformed(format!("The body is not JSON (line {line}, column {column})."))
}

/// A body that is JSON, but not what is wanted.
fn json_error(error: &serde_json::Error) -> ApiError {
    let place = format!("line {}, column {}", error.line(), error.column());
    // Of serde's words only those are passed on that name a field. The rest quote the value that was sent.
    let text = error.to_string();
    let named = [
        ("missing field", "is a missing field"),
        ("duplicate field", "is given more than once"),
        ("unknown field", "is not known here"),
    ];
    let named = named.iter().find_map(|(prefix, message)| {
        let field = text.strip_prefix(prefix)?.split('`').nth(1)?;
        Some((repeatable(field).unwrap_or("body").to_owned(), (*message).to_owned()))
    });
    let (field, message) =
        named.unwrap_or_else(|| ("body".to_owned(), format!("is of the wrong type ({place})")));
    ApiError::invalid(&field, message)
}

/// Whether the body is said to be of `media_type` (parameters such as a charset set aside).
pub(crate) fn has_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(media_type)
    })
}

/// Parameters of the query. Unknown ones are refused: a misspelt filter would show everything.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        // Not axum's `Query`, which notes the way to each value while it reads: that is in every script once for each type.
        let read = |query: &str| serde_urlencoded::from_str::<T>(query).map_err(|error| error.to_string());
        let params = read(query)
            .map_err(|error| ApiError::Parameters(wrong_parameters(query, &error, &|one| read(one).err())))?;
        // Only names that are known come as far as this.
        refuse_odd_values(query)?;
        Ok(Self(params))
    }
}

/// What no parameter may hold, whatever its name is.
fn refuse_odd_values(query: &str) -> Result<(), ApiError> {
    let odd = form_urlencoded::parse(query.as_bytes()).filter_map(|(name, value)| {
        let message = if value.contains('\0') {
            "holds the character U+0000".to_owned()
        } else if value.contains('\u{FFFD}') {
            "is not UTF-8".to_owned()
        } else if value.len() > MAX_PARAMETER_BYTES {
            format!("must not be longer than {MAX_PARAMETER_BYTES} bytes")
        } else {
            return None;
        };
        Some(FieldError { field: name.into_owned(), message })
    });
    let odd: Vec<FieldError> = odd.collect();
    if odd.is_empty() { Ok(()) } else { Err(ApiError::Invalid(odd)) }
}

/// An unknown name that may be repeated to whoever has sent it: one that looks like a name, so that a slip of the pen is found.
pub(crate) fn repeatable(name: &str) -> Option<&str> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && (1..=MAX_NAME_BYTES).contains(&name.len())).then_some(name)
}

/// What is wrong with each parameter of a query that could not be read as a whole, for which the reason is `all`. `read` says what is wrong with
/// a part of it.
fn wrong_parameters(query: &str, all: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<FieldError> {
    let mut wrong: Vec<FieldError> = vec![];
    let mut seen = BTreeSet::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let Some((name, _)) = form_urlencoded::parse(part.as_bytes()).next() else { continue };
        let message = if seen.insert(name.clone()) {
            match read(part) {
                Some(error) if error.contains("unknown field") => "is not known here",
                // What else is needed is not in this part.
                Some(error) if error.contains("missing field") => continue,
                Some(_) => "is of the wrong type, or none of its words",
                None => continue,
            }
        } else {
            "is given more than once"
        };
        let field = repeatable(&name).unwrap_or("query").to_owned();
        if wrong.len() < MAX_WRONG_PARAMETERS && wrong.iter().all(|known| known.field != field) {
            wrong.push(FieldError { field, message: message.to_owned() });
        }
    }
    if wrong.is_empty() {
        let missing = all.split_once("missing field").and_then(|(_, rest)| rest.split('`').nth(1));
        let field = missing.unwrap_or("query").to_owned();
        let message = if missing.is_some() { "is a missing field" } else { "cannot be read" };
        wrong.push(FieldError { field, message: message.to_owned() });
    }
    wrong
}

/// The one parameter of the path. What cannot be an id is the id of nothing: 404.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: std::str::FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.ok().and_then(|Path(id)| id.parse().ok()).map(Self).ok_or(ApiError::NotFound)
    }
}

/// The two parameters of the path, likewise.
pub(crate) struct Ids<A, B>(pub(crate) A, pub(crate) B);

impl<S: Send + Sync, A: std::str::FromStr, B: std::str::FromStr> FromRequestParts<S> for Ids<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let ids = path.ok().and_then(|Path((a, b))| Some((a.parse().ok()?, b.parse().ok()?)));
        ids.map(|(a, b)| Self(a, b)).ok_or(ApiError::NotFound)
    }
}

/// The parameters of a list without filters.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    pub(crate) page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) page_size: Option<u32>,
}

impl PageParams {
    pub(crate) fn request(&self) -> Result<PageRequest, ApiError> {
        page_request(self.page, self.page_size)
    }
}

/// The same of one that can go on behind its last row.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CursorParams {
    /// From 1.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// From 1 to 100; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    page_size: Option<u32>,
    /// In the place of `page`: what `next_cursor` of the page before said.
    cursor: Option<String>,
}

impl CursorParams {
    pub(crate) fn window(&self) -> Result<(PageRequest, Option<Cursor>), ApiError> {
        window(self.page, self.page_size, self.cursor.as_deref())
    }
}

/// Checks `page` and `page_size` of a query.
pub(crate) fn page_request(page: Option<u32>, page_size: Option<u32>) -> Result<PageRequest, ApiError> {
    let page = page.unwrap_or(1);
    let page_size = page_size.unwrap_or(PageRequest::DEFAULT_SIZE);
    if !(1..=PageRequest::MAX_PAGE).contains(&page) {
        return Err(ApiError::invalid("page", format!("must be from 1 to {}", PageRequest::MAX_PAGE)));
    }
    if !(1..=PageRequest::MAX_SIZE).contains(&page_size) {
        return Err(ApiError::invalid("page_size", format!("must be from 1 to {}", PageRequest::MAX_SIZE)));
    }
    Ok(PageRequest { page, page_size })
}

/// No moment and no length is as large: what D1 carries exactly.
const MAX_CURSOR_KEY: u64 = 1 << 53;

/// Checks `cursor` of a query, which stands in the place of `page`.
fn cursor(text: Option<&str>, page: Option<u32>) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    if page.is_some() {
        return Err(ApiError::invalid("cursor", "cannot be given together with `page`"));
    }
    let place = text.split_once('.').and_then(|(key, id)| {
        let key = key.parse().ok().filter(|key| *key < MAX_CURSOR_KEY)?;
        // Whatever it names, ids are written alike.
        let id: CallId = id.parse().ok()?;
        Some(Cursor { key: Millis(key), id: id.to_string() })
    });
    place.map(Some).ok_or_else(|| ApiError::invalid("cursor", "must be what `next_cursor` said"))
}

/// What is wrong with one parameter does not hide what is wrong with the next.
pub(crate) fn gather<T: Default>(parsed: Result<T, ApiError>, wrong: &mut Vec<FieldError>) -> T {
    match parsed {
        Ok(value) => return value,
        Err(ApiError::Invalid(errors)) => wrong.extend(errors),
        Err(_) => {}
    }
    T::default()
}

/// Checks the three of them.
pub(crate) fn window(
    page: Option<u32>,
    page_size: Option<u32>,
    after: Option<&str>,
) -> Result<(PageRequest, Option<Cursor>), ApiError> {
    let mut wrong = Vec::new();
    let request = gather(page_request(page, page_size), &mut wrong);
    let after = gather(cursor(after, page), &mut wrong);
    if wrong.is_empty() { Ok((request, after)) } else { Err(ApiError::Invalid(wrong)) }
}

/// A page of a list that can go on behind the `place` of its last row.
pub(crate) fn paged<R, T: ToSchema>(
    rows: StoredPage<R>,
    place: impl Fn(&R) -> Cursor,
    show: impl FnMut(R) -> T,
) -> Page<T> {
    let full = rows.items.len() == rows.page_size as usize;
    let last = rows.items.last().filter(|_| full).map(place);
    let mut shown = Page::from_rows(rows, show);
    shown.next_cursor = last.map(|place| format!("{}.{}", place.key.0, place.id));
    shown
}
