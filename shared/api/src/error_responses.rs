//! The errors of the OpenAPI document. Each operation says `default` where it can fail; which statuses that are follows from what
//! it is asked with and of whom, and is spelled out here, so that a status nobody expects is one that the document does not have.

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};

/// Status, name among the components, and what it says.
const ERRORS: [(&str, &str, &str); 13] = [
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
const PROBLEM: &str = "application/problem+json";
/// What `utoipa::path` is told where an operation can fail.
const ANY: &str = "default";
/// A page that says what was wrong, whatever it was.
const PAGE: &str = "4XX";

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
    for (_, name, description) in ERRORS {
        components.responses.insert(name.to_owned(), RefOr::T(problem(description)));
    }
    document
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(PROBLEM, content).build()
}

fn spell_out(path: &str, is_change: bool, operation: &mut Operation) {
    if operation.responses.responses.remove(ANY).is_none() {
        return;
    }
    let answers_pages = operation.responses.responses.contains_key(PAGE);
    for (status, name, _) in ERRORS {
        if can_answer(status, path, is_change, answers_pages, operation) {
            let entry = operation.responses.responses.entry(status.to_owned());
            entry.or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
        }
    }
}

fn can_answer(status: &str, path: &str, is_change: bool, answers_pages: bool, operation: &Operation) -> bool {
    let has_body = operation.request_body.is_some();
    let has = |place: &ParameterIn| {
        let parameters = operation.parameters.iter().flatten();
        parameters.into_iter().any(|parameter| match parameter {
            RefOr::T(parameter) => parameter.parameter_in == *place,
            RefOr::Ref(_) => false,
        })
    };
    match status {
        "413" | "415" => has_body,
        "500" | "503" => true,
        _ if answers_pages => false,
        "401" | "403" | "429" => path.starts_with("/api/"),
        "400" | "422" => is_change || has(&ParameterIn::Query),
        "404" => has(&ParameterIn::Path),
        "409" | "412" => is_change,
        "428" => has(&ParameterIn::Header),
        _ => false,
    }
}
