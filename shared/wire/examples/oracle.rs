//! Answers the judges in `tests/oracles`: reads a JSON document of cases from standard input and writes what this crate
//! makes of them to standard output.
//!
//! In: `{"sign": [{token, url, params}], "verify": [{origin, upgrade, target, params?, body?, tokens, signature}],
//! "texts": [string]}`, `params` as `[[name, value]]`.
//! Out: `{"sign": [signature], "verify": [bool], "texts": [xml], "twiml": [{name, xml}],
//! "rest": [{name, method, url, headers, body}]}`.

use std::error::Error;

use serde::{Deserialize, Serialize};
use voicecore_types::Secret;
use voicecore_wire::twilio::rest::Api;
use voicecore_wire::twilio::signature::{Body, Verifier, sign};
use voicecore_wire::twilio::twiml::{
    CallbackUrl, Connect, Dial, Gather, GatherInput, Play, Record, RejectReason, Response, Say, Stream,
};
use voicecore_wire::twilio::webhook::Form;

type Params = Vec<(String, String)>;

#[derive(Deserialize)]
struct Cases {
    sign: Vec<SignCase>,
    verify: Vec<VerifyCase>,
    texts: Vec<String>,
}

#[derive(Deserialize)]
struct SignCase {
    token: String,
    url: String,
    params: Params,
}

#[derive(Deserialize)]
struct VerifyCase {
    origin: String,
    upgrade: bool,
    target: String,
    params: Option<Params>,
    body: Option<String>,
    tokens: (String, Option<String>),
    signature: String,
}

#[derive(Serialize)]
struct Answers {
    sign: Vec<String>,
    verify: Vec<bool>,
    texts: Vec<String>,
    twiml: Vec<Document>,
    rest: Vec<Request>,
}

#[derive(Serialize)]
struct Document {
    name: &'static str,
    xml: String,
}

#[derive(Serialize)]
struct Request {
    name: &'static str,
    method: &'static str,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let cases: Cases = serde_json::from_reader(std::io::stdin().lock())?;
    let answers = Answers {
        sign: cases.sign.into_iter().map(|case| sign(&case.token, &case.url, &form(case.params))).collect(),
        verify: cases.verify.into_iter().map(verify).collect::<Result<_, _>>()?,
        texts: cases.texts.iter().map(|text| document_of(text)).collect::<Result<_, _>>()?,
        twiml: documents()?,
        rest: requests()?,
    };
    serde_json::to_writer(std::io::stdout().lock(), &answers)?;
    Ok(())
}

fn form(params: Params) -> Form {
    params.into_iter().collect()
}

fn verify(case: VerifyCase) -> Result<bool, Box<dyn Error>> {
    let (token, secondary) = case.tokens;
    let verifier = Verifier::new(case.origin.parse()?, Secret::new(token), secondary.map(Secret::new));
    let signature = Some(case.signature.as_str());
    if case.upgrade {
        return Ok(verifier.upgrade(&case.target, signature).is_ok());
    }
    let form = case.params.map(form);
    let body = match (&form, &case.body) {
        (Some(form), _) => Body::Form(form),
        (None, Some(body)) => Body::Raw(body.as_bytes()),
        (None, None) => Body::None,
    };
    Ok(verifier.webhook(&case.target, body, signature).is_ok())
}

/// A document with `text` wherever a document takes text.
fn document_of(text: &str) -> Result<String, Box<dyn Error>> {
    let stream = Stream::new("wss://h/media")?.parameter(text, text)?;
    let gather = Gather::new(GatherInput::Both, text).hints(text).say(Say::new(text).voice(text));
    Ok(Response::new().connect(Connect::new(stream).action(text)).gather(gather).redirect(text).to_xml())
}

/// Every verb with everything that can be set. `tests/oracles/twilio.mjs` builds the same with Twilio's library.
fn documents() -> Result<Vec<Document>, Box<dyn Error>> {
    let number = "+15005550006".parse()?;
    let action = CallbackUrl::new("https://h/after?call=1&b=2").retries(3).connect_timeout_ms(2_000);
    let stream = Stream::new("wss://h:8443/media/1")?
        .status_callback("https://h/status?call=1")
        .parameter("token", "a.b\"c")?
        .parameter("x", "ü")?;
    let say = || Say::new("Sorry – it's <us> & \"you\".").voice("Polly.Joanna-Neural").language("en-US");
    let dial = Dial::number(&number)
        .action("https://h/dial")
        .timeout(20)
        .time_limit(3_600)
        .caller_id(&number)
        .answer_on_bridge();
    let gather = Gather::new(GatherInput::Speech, "https://h/gather")
        .timeout(4)
        .num_digits(1)
        .finish_on_key("*")
        .speech_timeout_auto()
        .language("en-GB")
        .hints("booking, opening hours")
        .action_on_empty_result()
        .say(say())
        .play(Play::url("https://h/beep.wav"));
    let record = Record::new("https://h/voicemail")
        .max_length(120)
        .timeout(5)
        .finish_on_key("#")
        .no_beep()
        .recording_status_callback("https://h/recording");
    let documents = [
        ("empty", Response::new()),
        ("stream", Response::new().connect(Connect::new(stream).action(&action.to_string()))),
        ("apology", Response::new().say(say()).pause(1).dial(dial)),
        ("plain dial", Response::new().dial(Dial::number(&number))),
        ("gather", Response::new().gather(gather).redirect("https://h/again?a=1&b=2")),
        ("keys", Response::new().gather(Gather::new(GatherInput::Dtmf, "https://h/keys"))),
        ("speech or keys", Response::new().gather(Gather::new(GatherInput::Both, "https://h/both"))),
        ("voicemail", Response::new().play(Play::digits("1w#")).record(record).hangup()),
        ("rejected", Response::new().reject(RejectReason::Rejected)),
        ("busy", Response::new().reject(RejectReason::Busy)),
    ];
    Ok(documents.map(|(name, document)| Document { name, xml: document.to_xml() }).into())
}

fn requests() -> Result<Vec<Request>, Box<dyn Error>> {
    let account = "AC0123456789abcdef0123456789abcdef".parse()?;
    let call = "CA0123456789abcdef0123456789abcdef".parse()?;
    let recording = "RE0123456789abcdef0123456789abcdef".parse()?;
    let api = Api::new("https://api.twilio.com", &account, &Secret::new("token".to_owned()));
    let requests = [
        ("fetch call", api.fetch_call(&call)),
        ("end call", api.end_call(&call)),
        ("redirect call", api.redirect_call(&call, "https://h/next?a=1&b=ü")),
        ("replace twiml", api.replace_twiml(&call, &Response::new().say(Say::new("A & B")))?),
        ("start recording", api.start_recording(&call, "https://h/recorded")),
        ("stop recording", api.stop_recording(&call, &recording)),
        ("delete recording", api.delete_recording(&recording)),
    ];
    let requests = requests.into_iter().map(|(name, request)| {
        let body = String::from_utf8(request.body)?;
        Ok(Request { name, method: request.method, url: request.url, headers: request.headers, body })
    });
    requests.collect()
}
