//! The conformance suite of [`Http`]: what the port promises, against a server that is polite, slow, endless, or points elsewhere
//! ([`crate::outside`]).

use std::sync::Arc;

use voicecore_ports::{Http, HttpError, HttpRequest, HttpResponse};

/// The largest answer.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Enough for whatever answers at all.
const PATIENT_MS: u32 = 30_000;
/// Too little for what never does.
const HASTY_MS: u32 = 300;

/// A backend under test.
pub type SharedHttp = Arc<dyn Http>;

/// Runs every case against a backend, and panics at the first promise that is broken; the output names the case. `base` is where
/// [`crate::outside`] listens (`http://127.0.0.1:47319`), `nobody` an address of the same kind where nobody does.
pub async fn suite(http: SharedHttp, base: &str, nobody: &str) {
    macro_rules! cases {
        ($($case:ident),+ $(,)?) => {$(
            println!("{}", stringify!($case));
            $case(&*http, base).await;
        )+};
    }
    cases!(
        a_request_arrives_as_it_was_made,
        every_status_is_an_answer_and_no_redirect_is_followed,
        an_answer_has_its_bytes_to_the_limit,
        what_takes_too_long_is_given_up,
        what_breaks_off_is_no_answer,
    );
    println!("who_is_not_there_is_told_from_what_is_no_request");
    who_is_not_there_is_told_from_what_is_no_request(&*http, nobody).await;
}

fn request(method: &'static str, url: String) -> HttpRequest {
    HttpRequest { method, url, headers: vec![], body: vec![], timeout_ms: PATIENT_MS }
}

async fn get(http: &dyn Http, url: String) -> Result<HttpResponse, HttpError> {
    http.send(request("GET", url)).await
}

/// The server answers with what it has read: the request's line, its headers, an empty line, the body.
async fn echo(http: &dyn Http, base: &str, mut asked: HttpRequest) -> (String, Vec<u8>) {
    asked.url = format!("{base}{}", asked.url);
    let shown = format!("{asked:?}");
    let answer = match http.send(asked).await {
        Ok(answer) => answer,
        Err(error) => unreachable!("{shown}: {error}"),
    };
    assert_eq!(answer.status, 200);
    let end = answer.body.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_default();
    let (head, body) = answer.body.split_at(end);
    (String::from_utf8_lossy(head).to_lowercase(), body.get(4..).unwrap_or_default().to_vec())
}

/// Method, address, headers and every byte of the body; with its length, because not every server takes it in chunks.
async fn a_request_arrives_as_it_was_made(http: &dyn Http, base: &str) {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let large = every.repeat(1_024);
    for (method, body) in
        [("POST", b"ping".to_vec()), ("PUT", every), ("PATCH", large), ("POST", vec![]), ("DELETE", vec![])]
    {
        let mut asked = request(method, "/echo/a%20b?q=%C3%BC&x=1+2".to_owned());
        asked.headers = vec![
            ("x-probe".to_owned(), "yes".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("authorization".to_owned(), "Basic QUM6dG9rZW4=".to_owned()),
        ];
        asked.body.clone_from(&body);
        let (head, arrived) = echo(http, base, asked).await;
        let line = format!("{} /echo/a%20b?q=%c3%bc&x=1+2 http/1.1\r\n", method.to_lowercase());
        assert!(head.starts_with(&line), "{head}");
        for header in ["x-probe: yes", "content-type: application/json", "authorization: basic qum6dg9rzw4="]
        {
            assert_eq!(head.matches(header).count(), 1, "{method}, {header}: {head}");
        }
        assert!(!head.contains("transfer-encoding"), "{method}: {head}");
        assert!(body.is_empty() || head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(arrived == body, "{method}: {} of {} bytes arrived, or others", arrived.len(), body.len());
    }
    let (head, _) = echo(http, base, request("GET", "/echo".to_owned())).await;
    assert!(head.starts_with("get /echo http/1.1"), "{head}");
}

async fn every_status_is_an_answer_and_no_redirect_is_followed(http: &dyn Http, base: &str) {
    for status in [200, 204, 302, 307, 400, 401, 404, 418, 429, 500, 503] {
        let answer = get(http, format!("{base}/status/{status}")).await;
        assert!(answer.as_ref().is_ok_and(|answer| answer.status == status), "{status}: {answer:?}");
        assert!(answer.is_ok_and(|answer| answer.body.is_empty()), "{status} has a body");
    }
}

/// Whether its length is said or not.
async fn an_answer_has_its_bytes_to_the_limit(http: &dyn Http, base: &str) {
    for way in ["bytes", "unsaid"] {
        let whole = get(http, format!("{base}/{way}/{MAX_BODY_BYTES}")).await;
        let right = |body: &[u8]| {
            body.len() == MAX_BODY_BYTES && body.iter().zip(0_u8..=u8::MAX).all(|(byte, at)| *byte == at)
        };
        assert!(whole.is_ok_and(|answer| right(&answer.body)), "{way}: other bytes came");
        let over = get(http, format!("{base}/{way}/{}", MAX_BODY_BYTES + 1)).await;
        assert!(matches!(over, Err(HttpError::Invalid)), "{way}: one byte too many was taken");
    }
    let endless = get(http, format!("{base}/endless")).await;
    assert!(matches!(endless, Err(HttpError::Invalid)), "what never ends was taken");
}

/// Before the head, and in the middle of the body.
async fn what_takes_too_long_is_given_up(http: &dyn Http, base: &str) {
    for way in ["never", "half"] {
        let hasty = HttpRequest { timeout_ms: HASTY_MS, ..request("GET", format!("{base}/{way}")) };
        let answer = http.send(hasty).await;
        assert!(matches!(answer, Err(HttpError::TimedOut)), "{way}: {answer:?}");
    }
}

/// Half an answer must not pass for a whole one.
async fn what_breaks_off_is_no_answer(http: &dyn Http, base: &str) {
    for way in ["hang-up", "broken"] {
        let answer = get(http, format!("{base}/{way}")).await;
        assert!(matches!(answer, Err(HttpError::Unreachable)), "{way}: {answer:?}");
    }
}

async fn who_is_not_there_is_told_from_what_is_no_request(http: &dyn Http, nobody: &str) {
    let answer = get(http, nobody.to_owned()).await;
    assert!(matches!(answer, Err(HttpError::Unreachable)), "{answer:?}");
    let answer = get(http, "no address".to_owned()).await;
    assert!(matches!(answer, Err(HttpError::Invalid)), "{answer:?}");
}
