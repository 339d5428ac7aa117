//! The errors of the OpenAPI document. Each operation says `default` where it can fail; which statuses that are follows from what
//! it is asked with and of whom, and is spelled out here, so that a status nobody expects is one that the document does not have. Handlers
//! add what is theirs alone. `tests/it/responses.rs` has every response occur that the document has.

use serde_json::Value;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
};

use crate::etag::WITH_VERSIONS;
use crate::idempotency::MAX_KEY_BYTES;
use crate::rate_limits::is_for_strangers;

/// Status, name among the components, and what it says.
pub(crate) const ERRORS: [(&str, &str, &str); 13] = [
    ("400", "BadRequest", "The request is not well-formed: its body, a parameter or a header."),
    ("401", "Unauthenticated", "No valid credentials."),
    ("403", "Forbidden", "The credentials do not allow this, or the tenant does not work now."),
    ("404", "NotFound", "There is no such thing, or it is somebody else's."),
    (
        "409",
        "Conflict",
        "The thing is in a state in which this cannot be done, or a request with this `Idempotency-Key` is being carried out or \
         has been answered with what is shown once.",
    ),
    ("412", "PreconditionFailed", "It is not the version that `If-Match` names."),
    ("413", "ContentTooLarge", "The body is larger than 65,536 bytes."),
    ("415", "UnsupportedMediaType", "The body is not of a media type that is taken here."),
    (
        "422",
        "UnprocessableContent",
        "Values are not acceptable: `errors` names each. Or the `Idempotency-Key` was that of another request.",
    ),
    ("428", "PreconditionRequired", "The change has to say which version it is meant for, with `If-Match`."),
    ("429", "TooManyRequests", "There were too many requests or tries: `Retry-After` says how long to wait."),
    ("500", "InternalServerError", "A fault on our side."),
    (
        "503",
        "ServiceUnavailable",
        "A part of the system does not answer, or configuration values are missing.",
    ),
];

/// The media type of every error but those of pages.
pub(crate) const PROBLEM: &str = "application/problem+json";
/// What `utoipa::path` is told where an operation can fail.
const ANY: &str = "default";
/// What is a user's own in a tenant: somebody who works in none now is answered 409, one whose tenant does not work now 403.
const OF_MEMBERS: [&str; 3] = ["/api/v1/preferences", "/api/v1/notifications", "/api/v1/saved-views"];
/// A ticket is a new one each time, whatever the `Idempotency-Key`.
const WITHOUT_KEYS: &str = "/api/v1/live/tickets";
/// Makes a tenant: the one change of super admins whose `Idempotency-Key` counts.
const FOUNDS: &str = "/api/v1/tenants";
/// Takes nothing but words that are known: another one is malformed.
const WITH_WORDS: &str = "/api/v1/calls/{id}/transcript";
/// How the description of an `If-Match` ends that may not be left out.
const NEEDED: &str = "Needed.";

/// Name, and what it says.
const HEADERS: [(&str, &str); 3] = [
    ("ETag", "The version of what is answered, for the `If-Match` of a change."),
    ("Retry-After", "Seconds to wait."),
    ("WWW-Authenticate", "`Bearer`, and the permission that credentials would need (RFC 6750)."),
];
/// The errors that always have one of them.
const OF_ERRORS: [(&str, &str); 2] = [("429", "Retry-After"), ("401", "WWW-Authenticate")];
/// A change of what has a version that is not told of by its own address.
const OF_AVAILABILITY: &str = "/api/v1/agents/{id}/availability";
/// Where what has versions is made.
const MADE_WITH_VERSIONS: [&str; 8] = [
    "/api/v1/config/business",
    "/api/v1/assistants",
    "/api/v1/calls/{id}/notes",
    "/api/v1/agents",
    "/api/v1/saved-views",
    "/api/v1/departments",
    "/api/v1/roles",
    "/api/v1/phone-numbers",
];
/// The parameter that names a change, among the components.
const KEY: &str = "IdempotencyKey";

/// Puts the statuses of every operation in the place of `default`.
pub(crate) fn spelled_out(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, put, post, delete, patch, .. } = item;
        if let Some(get) = get {
            spell_out(path, false, get);
        }
        for change in [put, post, delete, patch].into_iter().flatten() {
            spell_out(path, true, change);
        }
    }
    let components = document.components.get_or_insert_default();
    for (status, name, description) in ERRORS {
        let mut response = problem(description);
        show_error_header(status, &mut response);
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    for (name, description) in HEADERS {
        components.headers.insert(name.to_owned(), RefOr::T(header(description)));
    }
    components.parameters.insert(KEY.to_owned(), RefOr::T(key()));
    document
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn header(description: &str) -> Header {
    HeaderBuilder::new().description(Some(description)).schema(Some(text())).build()
}

fn show_header(response: &mut Response, name: &str) {
    let reference = Ref::new(format!("#/components/headers/{name}"));
    response.headers.insert(name.to_owned(), RefOr::Ref(reference));
}

fn show_error_header(status: &str, response: &mut Response) {
    for (_, header) in OF_ERRORS.iter().filter(|(error, _)| *error == status) {
        show_header(response, header);
    }
}

fn key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "Names this change: sent again with the same key within a day, it is not made twice, and the answer is that of before, with \
             `Idempotency-Replayed: true`.",
        ))
        .schema(Some(text().min_length(Some(1)).max_length(Some(MAX_KEY_BYTES))))
        .build()
}

/// Whether an operation that succeeds shows a version.
fn shows_version(path: &str, status: &str) -> bool {
    match status {
        "200" => WITH_VERSIONS.contains(&path) || path == OF_AVAILABILITY,
        "201" => MADE_WITH_VERSIONS.contains(&path),
        _ => false,
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(PROBLEM, content).build()
}

fn spell_out(path: &str, is_change: bool, operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            show_error_header(status, response);
            if shows_version(path, status) {
                show_header(response, "ETag");
            }
        }
    }
    if operation.responses.responses.remove(ANY).is_none() {
        return;
    }
    if is_named(path, is_change, operation) {
        let reference = Ref::new(format!("#/components/parameters/{KEY}"));
        operation.parameters.get_or_insert_default().push(RefOr::Ref(reference));
    }
    for (status, name, _) in ERRORS {
        if can_answer(status, path, is_change, operation) {
            let entry = operation.responses.responses.entry(status.to_owned());
            entry.or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
        }
    }
}

fn can_answer(status: &str, path: &str, is_change: bool, operation: &Operation) -> bool {
    let has_body = operation.request_body.is_some();
    let has = |place: &ParameterIn| parameters(operation).any(|parameter| parameter.parameter_in == *place);
    let who = Who::of(path, operation);
    // Its `Idempotency-Key` is looked at, whoever asks; it counts where a tenant's permission is asked for, or a tenant is made.
    let may_be_named = is_change && path.starts_with("/api/");
    let is_named = is_named(path, is_change, operation);
    match status {
        "500" | "503" => true,
        "400" => may_be_named || has(&ParameterIn::Query),
        "401" => who != Who::Anybody,
        "429" => who != Who::Anybody || is_for_strangers(path),
        "403" => matches!(who, Who::Permitted | Who::Operator | Who::Member),
        "404" => has(&ParameterIn::Path),
        "409" => is_named || who == Who::Member,
        "412" => is_change && who != Who::Anybody,
        "413" => has_body || may_be_named,
        "415" => has_body,
        "422" => has_body || is_named || (has(&ParameterIn::Query) && path != WITH_WORDS),
        "428" => parameters(operation).any(is_needed_tag),
        _ => false,
    }
}

/// Its `Idempotency-Key` counts.
fn is_named(path: &str, is_change: bool, operation: &Operation) -> bool {
    is_change && (Who::of(path, operation) == Who::Permitted && path != WITHOUT_KEYS || path == FOUNDS)
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let all = operation.parameters.iter().flatten();
    all.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn is_needed_tag(parameter: &Parameter) -> bool {
    let needed = parameter.description.as_ref().is_some_and(|text| text.ends_with(NEEDED));
    parameter.parameter_in == ParameterIn::Header && needed
}

/// Whom an operation is for.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anybody,
    /// Who is signed in.
    Person,
    /// The same, for a tenant.
    Member,
    /// Who runs the installation.
    Operator,
    /// Whose key or role has the tenant's permission.
    Permitted,
}

impl Who {
    fn of(path: &str, operation: &Operation) -> Self {
        let security = serde_json::to_value(&operation.security).unwrap_or_default();
        let needs = |scheme: &str| {
            security.pointer(&format!("/0/{scheme}")).and_then(Value::as_array).map(Vec::is_empty)
        };
        match (needs("api_key"), needs("session")) {
            (Some(_), _) => Self::Permitted,
            (None, Some(false)) => Self::Operator,
            (None, Some(true)) if OF_MEMBERS.iter().any(|prefix| path.starts_with(prefix)) => Self::Member,
            (None, Some(true)) => Self::Person,
            (None, None) => Self::Anybody,
        }
    }
}
